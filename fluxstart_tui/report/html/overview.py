"""What happened in words, what hindered it, and the course of it."""

from __future__ import annotations

from fluxstart_tui.diagnose.words import capital, seconds, span, who
from fluxstart_tui.report.diagnosis import evidence, place, see, shown
from fluxstart_tui.report.history import together
from fluxstart_tui.report.html.markup import Markup, join, pairs, table, tag, text
from fluxstart_tui.report.story import steps, story

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluxstart_tui.diagnose.launch.finding import Finding
    from fluxstart_tui.report.gathered import Gathered

OUTCOMES = {
    "success": ("✓", "ended well", "good"),
    "failed": ("✗", "failed", "bad"),
    "interrupted": ("✗", "interrupted", "bad"),
    "timeout": ("✗", "timed out", "bad"),
    "running": ("▶", "running", "good"),
    "unfinished": ("?", "unfinished", "bad"),
}
"""A glyph, a word and a look for each outcome of a summary."""


def words(found: Gathered) -> Markup:
    """Return what happened, and what to do next."""
    summary = found.verdict.summary
    told: list[tuple[str, Markup]] = [
        (name, _list(texts) if len(texts) > 1 else text(texts[0])) for name, texts in story(found)
    ]
    said = [
        join((tag("p", who([one.rank])), tag("pre", "\n".join([*one.errors, *one.lines]))))
        for one in summary.outputs
        if one.errors or one.lines
    ]
    backtrace = "\n".join(summary.backtrace)
    told += [("Backtrace", tag("pre", backtrace))] if backtrace else []
    told += [("Last words", join(said)), ("Next steps", _commands(steps(found)))]
    return pairs(told)


def about(found: Gathered) -> Markup:
    """Return what ran where."""
    summary = found.verdict.summary
    ended = "" if summary.code is None else str(summary.code)
    return pairs((
        ("Command", tag("code", summary.command) if summary.command else ""),
        ("Brokers", f"{summary.size:,}"),
        ("Broker", summary.broker),
        ("Host", summary.host),
        ("Begun", f"{summary.start[:19].replace('T', ' ')} UTC" if summary.start else ""),
        ("Took", seconds(summary.time)),
        ("Exit code", ended),
        ("Launcher", found.diagnosis.launcher if found.verdict.header.get("launcher") else ""),
        ("Session", tag("code", summary.directory) if summary.directory else ""),
    ))  # fmt: skip


def title(found: Gathered) -> str:
    """Return the report's heading."""
    return capital(found.verdict.title)


def _list(texts: list[str]) -> Markup:
    return tag("ul", *(tag("li", one) for one in texts)) if texts else Markup()


def findings(found: Gathered) -> Markup:
    """Return what hindered the launch, with what tells so and what to do."""
    if not found.verdict.findings:
        return tag("p", "Nothing is known that hindered it.")
    return join(_finding(one, found) for one in found.verdict.findings)


def _finding(one: Finding, found: Gathered) -> Markup:
    log = found.diagnosis.log
    sure = "" if one.confidence == "certain" else tag("span", one.confidence, class_="badge")
    rule = tag("span", one.id, class_="badge", title="docs/troubleshooting.md explains this rule")
    lines = "\n".join(f"{place(line, log)}  {shown(line)}" for line in evidence(one))
    return tag(
        "article",
        tag("h3", rule, " ", one.sentence, " ", sure),
        tag("pre", lines) if lines else "",
        _commands(one.remedies),
        tag("p", see(one.tip)) if one.tip else "",
        class_="finding",
    )


def _commands(commands: Sequence[str]) -> Markup:
    """Return commands that can be copied."""
    items = [tag("li", tag("code", one), _copy(one)) for one in commands]
    return tag("ul", *items, class_="remedies") if items else Markup()


def _copy(what: str) -> Markup:
    """Return a button that copies; the script shows it where it works."""
    return tag(
        "button", "Copy", type="button", data_copy=what, hidden=True, aria_label=f"Copy {what}"
    )


def course(found: Gathered) -> Markup:
    """Return what happened when."""
    moments = together(found.history.moments)
    left = found.history.left_out
    rows = [(span(one.t), one.text) for one in moments]
    note = tag("p", f"{left:,} of them, in the middle, are left out.") if left else ""
    return join((note, table("What happened when", ("at", "what"), rows)))
