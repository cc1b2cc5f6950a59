"""What of the output is selected, as text for the clipboard or a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.tui.widgets.lines_paint import plain_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.tui.lines_rows import Rows
    from fluxstart_tui.tui.widgets.lines_paint import LinePainter, Looks

END = 1 << 30
"""A column behind the end of any row."""
MOST = 100_000
"""Rows that are copied at most; more are for a file."""
OSC52 = 74_994
"""Bytes that terminals take by OSC 52 at least; xterm takes no more."""


class Point(NamedTuple):
    """A place between two characters."""

    row: int
    column: int
    """Characters of the row's text before it."""


class Selection(NamedTuple):
    """From where to where something is selected, in the order in which it was."""

    anchor: Point
    head: Point

    @property
    def begin(self) -> Point:
        """The upper end."""
        return min(self.anchor, self.head)

    @property
    def end(self) -> Point:
        """The lower end."""
        return max(self.anchor, self.head)

    @property
    def rows(self) -> int:
        """How many rows something of is selected."""
        return self.end.row - self.begin.row + 1

    def columns(self, row: int) -> tuple[int, int] | None:
        """Return from where to where a row is selected; None if it is not."""
        begin, end = self.begin, self.end
        if not begin.row <= row <= end.row:
            return None
        return begin.column if row == begin.row else 0, end.column if row == end.row else END


def text_of(selection: Selection, rows: Rows, painter: LinePainter, looks: Looks) -> str:
    """Return what is selected: parts of one row as they are, several rows with their ranks."""
    begin, end = selection.begin, selection.end
    if begin.row == end.row:
        cell = painter.cell(rows, begin.row, rows.row(begin.row), looks)
        if begin.column or end.column < len(cell.text.text):
            return cell.text.text[begin.column : end.column]
    last = min(end.row, begin.row + MOST - 1, len(rows) - 1)
    return "\n".join(_texts(rows, painter, looks, begin.row, last + 1))


def _texts(rows: Rows, painter: LinePainter, looks: Looks, begin: int, end: int) -> Iterator[str]:
    for at in range(begin, end):
        cell = painter.cell(rows, at, rows.row(at), looks)
        yield plain_row(cell, ranks=looks.ranks)


def cache_file(name: str) -> str:
    """Return a file of ours in the user's cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "fluxstart-tui", name)


def keep(text: str, path: str) -> None:
    """Write a text to a file that only the user can read.

    Raises:
        OSError: that can not be done.
    """
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(path, flags, 0o600)
    with open(fd, "w", encoding="utf-8", errors="replace") as file:
        file.write(text + "\n")
