"""Rows of an emulator as strips, with the selection and the cursor on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

if TYPE_CHECKING:
    from fluxstart_tui.tui.terminal.emulator import Cursor, Emulator

_UNDERLINE = Style(underline=True)


def mark(strip: Strip, begin: int, end: int, style: Style | None = None) -> Strip:
    """Return a row with some columns in a style; None: in reverse, whatever they are now."""
    length = strip.cell_length
    begin, end = max(0, begin), min(end, length)
    if begin >= end:
        return strip
    marked = [
        Segment(text, (its or Style()) + (style or Style(reverse=not (its and its.reverse))))
        for text, its, _ in strip.crop(begin, end)
    ]
    return Strip.join([strip.crop(0, begin), Strip(marked), strip.crop(end, length)])


def mark_cursor(strip: Strip, cursor: Cursor, *, solid: bool) -> Strip:
    """Return a row with the cursor in it.

    Args:
        strip: the row.
        cursor: where, and its shape; a bar is shown as a block, since a cell has no bars.
        solid: whether keys go there; else it is only underlined.
    """
    style = None if solid and cursor.shape in ("block", "bar") else _UNDERLINE
    after = strip.crop(cursor.x, cursor.x + 2).text
    return mark(strip, cursor.x, cursor.x + max(1, cell_len(after[:1])), style)


class Picture:
    """What an emulator shows, kept so that only rows that have changed are made anew.

    Args:
        terminal: the emulator.
    """

    def __init__(self, terminal: Emulator) -> None:
        self._terminal = terminal
        self._strips: list[Strip] = []
        self._cursor: Cursor | None = None
        self.base = Style()
        """The style of what has no colours of its own."""

    def update(self) -> set[int]:
        """Take over what has changed; return the rows that are to be painted."""
        terminal, strips = self._terminal, self._strips
        strips[terminal.rows :] = []
        strips += [Strip.blank(terminal.columns, self.base)] * (terminal.rows - len(strips))
        rows = set()
        for y, row in terminal.changed():
            if y < len(strips):
                strips[y] = Strip(row, terminal.columns)
                rows.add(y)
        cursor = terminal.cursor()
        if cursor != self._cursor:
            rows.update(place.y for place in (cursor, self._cursor) if place is not None)
            self._cursor = cursor
        return rows

    def line(self, y: int, *, solid: bool) -> Strip:
        """Return a row; `solid` tells whether keys go to the cursor."""
        if y >= len(self._strips):
            return Strip.blank(self._terminal.columns, self.base)
        strip = self._strips[y]
        span = self._terminal.selected(y)
        if span is not None:
            strip = mark(strip, span[0], span[1] + 1)
        if self._cursor is not None and self._cursor.y == y:
            strip = mark_cursor(strip, self._cursor, solid=solid)
        return strip

    def above(self, height: int) -> int:
        """Return how many rows are left out above for the cursor to be within so many rows.

        None are unless a terminal is replayed that was larger than what it is shown on.
        """
        hidden = max(0, self._terminal.rows - height)
        return min(hidden, max(0, self._cursor.y - height + 1)) if self._cursor else 0

    def restyle(self, base: Style) -> None:
        """Set the style of what has no colours of its own."""
        self.base = base
        self._terminal.restyle(base)
