"""A time axis that can be zoomed and moved, and rows that are drawn along it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text

from fluxstart_tui.diagnose.words import span
from fluxstart_tui.tui.widgets.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

_STEPS = (1, 2, 5)
_SHORTEST = 1e-5
"""Seconds: less than this tells nothing."""


def roomy(t: float) -> float:
    """Return a time somewhat later, the same one for a while: an axis is not to creep."""
    step = 10.0 ** math.floor(math.log10(max(t, 1e-3))) / 5
    return math.ceil(t * 1.01 / step) * step


def ticks(begin: float, end: float, room: int) -> list[float]:
    """Return round times between two, at most `room` of them."""
    length = end - begin
    if not length > 0 or room < 1:
        return []
    power = 10.0 ** math.floor(math.log10(length / room))
    step = next((n * power for n in (*_STEPS, 10) if n * power * room >= length), 10 * power)
    first = math.ceil(begin / step)
    return [n * step for n in range(first, first + room + 1) if n * step <= end]


class TimeSource(Source):
    """Rows along a time axis on the right of some columns."""

    left = 8
    """Columns that are not the axis."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[float, float] | None = None  # None: all that matters
        self.moved = False
        """Whether the axis has been changed since `look`."""
        self._bounds: tuple[float, float] | None = None  # as they were worked out last

    def extent(self) -> tuple[float, float]:
        """Return the times between which all that matters has happened."""
        raise NotImplementedError

    def bounds(self) -> tuple[float, float]:
        """Return the times between which it shows."""
        if self._bounds is None:
            begin, end = self._shown or self.extent()
            self._bounds = begin, max(end, begin + _SHORTEST)
        return self._bounds

    def look(self) -> bool:
        """Take what is new; subclasses do so first of all."""
        self._bounds = None
        return False

    @property
    def middle(self) -> float:
        """The time that stays where it is when it is zoomed."""
        begin, end = self.bounds()
        return (begin + end) / 2

    def zoom(self, factor: float) -> None:
        """Show so many times as much; 0 for all that matters."""
        if not factor:
            self._shown = self._bounds = None
        else:
            begin, end = self.bounds()
            middle = self.middle
            length = max((end - begin) * factor, _SHORTEST)
            begin = middle - length * (middle - begin) / (end - begin)
            self._show(begin, begin + length)
        self.version += 1
        self.moved = True

    def pan(self, step: float) -> None:
        """Move by a part of what is shown."""
        begin, end = self.bounds()
        by = (end - begin) * step
        self._show(begin + by, end + by)
        self.version += 1
        self.moved = True

    def _show(self, begin: float, end: float) -> None:
        first, last = self.whole()
        length = min(end - begin, (last - first) * 1.1)
        begin = max(first, min(begin, last * 1.02 + 1e-3 - length))
        self._shown = (begin, begin + length)
        self._bounds = None

    def whole(self) -> tuple[float, float]:
        """Return the times between which anything is."""
        return self.extent()

    def column(self, t: float, width: int) -> int:
        """Return in which column of an axis of so many a time is; it may be outside."""
        begin, end = self.bounds()
        return math.floor((t - begin) / (end - begin) * width)

    def axis(self, width: int, now: float | None, marks: Iterable[float] = ()) -> Text:
        """Return the axis with round times, marks of what was done, and one at the present.

        A label that a mark would cut is left out.
        """
        signs = {
            x: ("◆", "bold magenta") for t in marks if 0 <= (x := self.column(t, width)) < width
        }
        if now is not None and 0 <= (x := self.column(now, width)) < width:
            signs[x] = ("▼", "bold yellow")
        line = [" "] * width
        for t in ticks(*self.bounds(), max(1, width // 14)):
            x = self.column(t, width)
            label = "│" + ("0" if abs(t) < 1e-12 else span(t))
            if x >= 0 and x + len(label) < width and signs.keys().isdisjoint(
                range(x, x + len(label))
            ):  # fmt: skip
                line[x : x + len(label)] = label
        text = Text("".join(line))
        for x, (glyph, style) in signs.items():
            text = text[:x] + Text(glyph, style) + text[x + 1 :]
        return text
