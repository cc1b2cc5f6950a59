"""What GitHub Actions shows beside the lines of a step that has failed: annotations.

See "Workflow commands for GitHub Actions" in its documentation.
"""

from __future__ import annotations

from fluxstart_tui.diagnose.words import printable
from fluxstart_tui.report.text import headline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.verdict import Verdict

_TEXT = 4000
"""Characters of an annotation; GitHub cuts them a little later."""

_FINDINGS = 4
"""Annotations of a step; GitHub shows ten."""


def errors(verdict: Verdict) -> str:
    """Return workflow commands that tell why an instance failed, "" if it has not."""
    if not verdict.failed:
        return ""
    found = verdict.summary
    lines = [headline(found), *found.looks, *found.then]
    told = [(verdict.title, "\n".join(lines))]
    for one in verdict.findings[:_FINDINGS]:
        remedies = [f"$ {remedy}" for remedy in one.remedies]
        told.append((f"[{one.id}]", "\n".join([printable(one.sentence, 1000), *remedies])))
    return "".join(error(f"fluxstart-tui: {title}", text) for title, text in told)


def error(title: str, text: str) -> str:
    """Return the workflow command for an error, a line with its newline."""
    name = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::error title={name}::{_escaped(text[:_TEXT])}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
