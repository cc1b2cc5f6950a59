"""How ranks are laid out in a map of them."""

from __future__ import annotations

from typing import NamedTuple

BLOCK = 16
"""Narrow cells have a blank after so many."""
_WIDEST = 512


class Grid(NamedTuple):
    """How ranks are laid out."""

    columns: int
    """Cells in a row."""
    width: int
    """Characters of a cell."""
    label: int
    """Characters before the first cell; 0 if each cell has its rank's number."""
    each: int
    """Ranks in a cell."""
    rows: int

    def x(self, column: int) -> int:
        """Return where a cell begins."""
        blocks = column // BLOCK if self.width == 1 else 0
        return 1 + self.label + column * self.width + blocks

    def column(self, x: int) -> int:
        """Return which cell is there."""
        x -= 1 + self.label
        if self.width == 1:
            x -= x // (BLOCK + 1)
        return min(max(x // self.width, 0), self.columns - 1)


def layout(size: int, width: int, height: int) -> Grid:
    """Return the widest cells for which all ranks are on the screen, several in one if need be."""
    digits = len(str(max(0, size - 1)))
    numbered = digits + 3
    columns = max(1, (width - 1) // numbered)
    columns = next((nice for nice in (32, 16, 8) if nice <= columns < size), columns)
    rows = -(-size // columns)
    if rows <= max(1, min(height, 4)):
        return Grid(columns, numbered, 0, 1, rows)
    for cell in (2, 1):
        columns = _fitting(width - digits - 2, cell)
        rows = -(-size // columns)
        if rows <= height:
            return Grid(columns, cell, digits + 1, 1, rows)
    each = 2
    while -(-size // (columns * each)) > max(1, height):
        each *= 2
    return Grid(columns, 1, digits + 1, each, -(-size // (columns * each)))


def _fitting(width: int, cell: int) -> int:
    """Return the largest power of two, or one and a half of one, of cells that fit."""
    columns = 8
    for nice in (16, 32, 64, 96, 128, 192, 256, _WIDEST):
        if nice * cell + (nice // BLOCK if cell == 1 else 0) <= width:
            columns = nice
    return columns
