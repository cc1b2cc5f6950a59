"""A report as Markdown, of bounded size: to paste into an issue, or for the summary of a CI step.

What brokers said stands in blocks of code and in cells of tables, where it can format nothing.
"""

from __future__ import annotations

from fluxstart_tui.diagnose.words import capital, ids, printable, span
from fluxstart_tui.report.diagnosis import markdown_findings, plain
from fluxstart_tui.report.gathered import gather
from fluxstart_tui.report.story import steps, story
from fluxstart_tui.report.text import headline, seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluxstart_tui.report.gathered import Gathered
    from fluxstart_tui.session.reader import Session

_MARKS = {"success": "✅", "running": "▶️"}
_LINES = 40
"""Newest lines of output."""
_SIZE = 60_000
"""Characters: GitHub takes 65,536 in an issue."""


def text(session: Session) -> str:
    """Return a session's report as Markdown."""
    return of(gather(session.path))


def of(found: Gathered) -> str:
    """Return a report as Markdown."""
    blocks = [_words(found), _steps(found), _findings(found), _ranks(found), _phases(found),
              _about(found), _output(found)]  # fmt: skip
    whole = "\n".join(block for block in blocks if block)
    if len(whole) <= _SIZE:
        return whole
    kept = whole[:_SIZE].rpartition("\n")[0]
    return f"{kept}\n\n(The rest is left out.)\n"


def _words(found: Gathered) -> str:
    verdict, summary = found.verdict, found.verdict.summary
    lines = [f"## {_MARKS.get(summary.outcome, '❌')} {plain(capital(verdict.title))}", ""]
    if verdict.title != headline(summary):
        lines += [f"{plain(capital(headline(summary)))}.", ""]
    for name, texts in story(found):
        if len(texts) == 1:
            lines.append(f"- **{name}**: {plain(texts[0])}")
        else:
            lines += [f"- **{name}**:", *(f"  - {plain(one)}" for one in texts)]
    return "\n".join([*lines, ""])


def _steps(found: Gathered) -> str:
    """Return what to do next, in a block that is there to be copied from."""
    lines = [f"    {step}" for step in steps(found)]
    return "\n".join(["Next steps:", "", *lines, ""]) if lines else ""


def _findings(found: Gathered) -> str:
    return "\n".join(markdown_findings(found.diagnosis))


def _ranks(found: Gathered) -> str:
    rows = [
        (one.ranks, str(one.number), one.where, one.end or "running")
        for one in found.verdict.summary.groups
    ]
    return _table(("ranks", "number", seen(found.verdict.summary), "end"), rows)


def _phases(found: Gathered) -> str:
    rows = []
    for name, one in found.phases.items():
        if one.first is not None and one.last is not None:
            late = "" if one.last_rank is None else f" (rank {one.last_rank})"
            rows.append((name, str(len(one.ranks)), span(one.first), span(one.last) + late))
    return _table(("phase", "ranks", "first came", "last came"), rows)


def _about(found: Gathered) -> str:
    summary = found.verdict.summary
    about = [f"broker {summary.broker}", f"on {summary.host}", summary.start]
    command = f"    {summary.command}\n" if summary.command else ""
    return f"{command}\n{plain(', '.join(about))}\n"


def _output(found: Gathered) -> str:
    newest = found.output.lines[-_LINES:]
    if not newest:
        return ""
    lines = [
        f"    {one.t:9.3f}  {ids(one.ranks, 12):>5}  {printable(one.text, 200)}" for one in newest
    ]
    number = "line" if len(newest) == 1 else f"{len(newest)} lines"
    head = f"<details><summary>Last {number} of output</summary>"
    return "\n".join([head, "", *lines, "", "</details>", ""])


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    lines = [head, ("---",) * len(head), *(tuple(map(plain, row)) for row in rows)]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), ""])
