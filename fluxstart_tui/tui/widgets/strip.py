"""The phase strip: how far all ranks have come, as two rows of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.diagnose.progress import current, took
from fluxstart_tui.diagnose.words import who
from fluxstart_tui.tui.widgets.paint import span

if TYPE_CHECKING:
    from fluxstart_tui.diagnose.progress import Phase
    from fluxstart_tui.tui.widgets.paint import Part

_SHORT = {
    "spawned": "spawn",
    "PMI init": "init",
    "finalize": "fin",
    "cleanup": "clean",
    "shutdown": "shut",
}
_ANYTIME = ("exit",)
"""Phases that a rank may come to before the others have come to the former ones."""
_LONG = 0.5
"""Seconds that are worth a number even where there is no room to say what it is."""

_BLANK = 2
"""Cells between two notes at the least: one would make them read as one."""


class Cell(NamedTuple):
    """Where a phase stands in the strip."""

    start: int
    end: int
    phase: Phase


class Drawn(NamedTuple):
    """The strip as it is painted."""

    names: list[Part]
    notes: list[Part]
    cells: list[Cell]


def draw(
    phases: list[Phase], width: int, now: float, *, ended: bool, failed: bool = False
) -> Drawn:
    """Draw the phases.

    Args:
        phases: all of them, in order.
        width: cells there are.
        now: seconds since the session's start.
        ended: whether the instance is over, so that nobody is waited for any more.
        failed: whether it has ended with an exit code that is not 0.
    """
    at = current(phases, ended=ended)
    titles = [phase.name for phase in phases]
    if sum(len(title) + 3 for title in titles) > width:
        titles = [_SHORT.get(title, title) for title in titles]
    room = width - sum(len(title) + 1 for title in titles) - 1
    gap = max(1, min(8, room // max(1, len(titles))))
    # With a wide gap there is a blank after each glyph too.
    while gap > 2 and len(titles) * (gap + 1) - gap > room:
        gap -= 1
    names: list[Part] = [(" ", "plain")]
    cells: list[Cell] = []
    x = 1
    for index, (phase, title) in enumerate(zip(phases, titles, strict=True)):
        glyph, tone = mark(phase, index, at)
        if failed and phase.name == "exit" and phase.complete:
            glyph, tone = "✗", "bad"
        text = glyph + (" " if gap > 2 else "") + title
        names += [(text, tone), (" " * gap, "plain")]
        cells.append(Cell(x, x + len(text), phase))
        x += len(text) + gap
    return Drawn(names, _notes(phases, cells, at, width, now), cells)


MARKS = {
    "✓": "all ranks are through",
    "◐": "the ranks are in it, or somebody holds the others up in it",
    "●": "all ranks are in it and go on",
    "○": "some ranks have come to it",
    "·": "nobody has",
    "✗": "all have exited, and the instance has failed",
}
"""What stands before a phase."""


def lives(phase: Phase) -> bool:
    """Tell whether a phase is what an instance is there for: nobody waits for its end."""
    return phase.complete or (phase.name == "run" and phase.entered and not phase.k)


def mark(phase: Phase, index: int, at: int) -> tuple[str, str]:
    """Return what stands before a phase, and its tone, given which one is under way."""
    if index == at:
        return ("●", "good") if lives(phase) else ("◐", "warn")
    if phase.complete:
        return "✓", "dim"
    if phase.reached:
        return "○", "info" if phase.name not in _ANYTIME else "warn"
    return "·", "faint"


def _notes(phases: list[Phase], cells: list[Cell], at: int, width: int, now: float) -> list[Part]:
    """Return the second row: times that phases took, k/N and who is missing."""
    row = [" "] * width
    tones = ["plain"] * width
    for index in _by_weight(len(cells), at):
        _phase, cell = cells[index].phase, cells[index]
        following = cells[index + 1].start if index + 1 < len(cells) else width
        for text, tone in _texts(phases, index, at, now, width):
            start = cell.start
            limit = width if index == at else following
            if index == at:  # what is waited for is told wherever there is room
                start = max(0, min(start, width - len(text) - 1))
            begin, end = max(0, start - _BLANK), min(start + len(text) + _BLANK, width)
            if start + len(text) <= limit and "".join(row[begin:end]).isspace():
                row[start : start + len(text)] = text
                tones[start : start + len(text)] = [tone] * len(text)
                break
    parts: list[Part] = []
    for char, tone in zip(row, tones, strict=True):
        if parts and parts[-1][1] == tone:
            parts[-1] = parts[-1][0] + char, tone
        else:
            parts.append((char, tone))
    return parts


def _by_weight(count: int, at: int) -> list[int]:
    return ([at] if at >= 0 else []) + [index for index in range(count) if index != at]


def _texts(
    phases: list[Phase], index: int, at: int, now: float, width: int
) -> list[tuple[str, str]]:
    """Return what can be said of a phase, the longest first."""
    phase = phases[index]
    here = len(phase.reached if index != at or lives(phase) else phase.through)
    count = f"{here}/{phase.total}"
    if index == at:
        begun = _begun(phases, index)
        text = count if begun is None else f"{count} {span(now - begun)}"
        if lives(phase):
            return [(text, "good"), (count, "good")]
        # That nobody is through is said by the count.
        rooms = (width // 2, 24, 12) if phase.k else ()
        texts = [f"{text}, missing {who(phase.missing, room)}" for room in rooms]
        return [(one, "warn") for one in (*texts, text, count)]
    if phase.complete:
        lasted = took(phases, index)
        if lasted is None:
            return []
        texts = [f"took {span(lasted)}"] + [span(lasted)] * (lasted >= _LONG)
        return [(text, "faint") for text in texts]
    tone = "warn" if phase.name in _ANYTIME else "info"
    return [(count, tone), (str(here), tone)] if here else []


def _begun(phases: list[Phase], index: int) -> float | None:
    """Return since when a phase is under way: since all are in it, or through the former one."""
    phase = phases[index]
    if phase.entered:
        return phase.last
    return phases[index - 1].last if index else 0.0
