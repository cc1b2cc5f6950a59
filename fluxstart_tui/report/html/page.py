"""The whole page."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from fluxstart_tui import __version__
from fluxstart_tui.report import newest
from fluxstart_tui.report.html import barrier, curves, overview, ranks, timeline, viewer
from fluxstart_tui.report.html.markup import Markup, join, tag
from fluxstart_tui.session.output import STREAMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.gathered import Gathered


def page(found: Gathered) -> str:
    """Return a report as one HTML file."""
    glyph, word, look = overview.OUTCOMES[found.verdict.summary.outcome]
    title = overview.title(found)
    sections = _sections(found)
    links = [tag("li", tag("a", name, href=f"#{anchor}")) for anchor, name, _ in sections]
    body = join((
        tag("a", "Skip to what happened", href="#happened", class_="skip"),
        tag("a", "Skip to output", href="#output", class_="skip"),
        tag(
            "header",
            tag("p", tag("span", glyph, " ", word, class_=f"badge {look}"), " fluxstart-tui ",
                "session report"),
            tag("button", "Dark or light", type="button", id="theme", hidden=True),
            tag("h1", title),
        ),
        tag("nav", tag("ul", *links), aria_label="Sections"),
        tag("main", *(_section(*one) for one in sections)),
        tag("footer", tag("p", f"Made by fluxstart-tui {__version__} from a recorded session. "
                          "Times are since its start.")),
    ))  # fmt: skip
    script = _file("script.js")
    head = join((
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        # What a broker said can not run even if it were not escaped.
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        tag("title", title),
        tag("style", _file("style.css")),
    ))  # fmt: skip
    html = tag("html", tag("head", head), tag("body", body, tag("script", script)), lang="en")
    return f"<!DOCTYPE html>\n{html}\n"


def _sections(found: Gathered) -> list[tuple[str, str, Markup]]:
    summary = found.verdict.summary
    parts = [("happened", "What happened", overview.words(found) + overview.about(found))]
    if summary.outcome != "success":
        parts.append(("findings", "Findings", overview.findings(found)))
    parts += [
        ("timeline", "Timeline", timeline.section(found) + ranks.phases(found)),
        ("ranks", "Ranks and causes of death", ranks.groups(found)),
    ]
    if found.verdict.state.by_pmi:
        parts.append(("barriers", "PMI barriers", barrier.section(found)))
    parts += [
        ("quorum", "Quorum and exit timer", curves.quorum(found)),
        ("tree", "Tree", ranks.topology(found)),
        ("resources", "Resources", curves.resources(found)),
        ("output", "Output", viewer.section("output", "line", "of output", found.output, STREAMS)),
        ("log", "Log", viewer.section("log", "log record", "", found.log, newest.SEVERITIES)),
        ("course", "Course of events", overview.course(found)),
    ]
    return parts


def _section(anchor: str, name: str, content: Markup) -> Markup:
    head = f"{anchor}-head"
    heading = tag("h2", name, id=head)
    return tag("section", heading, content, id=anchor, aria_labelledby=head, tabindex="-1")


def _file(name: str) -> Markup:
    """Return a file that lies beside this one."""
    return Markup(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _policy(script: str) -> str:
    """Return what the page may do: load nothing, and run only our own script."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
