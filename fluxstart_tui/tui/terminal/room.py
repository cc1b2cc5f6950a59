"""How large a rank's terminal is on a screen: known before there is one to be seen."""

from __future__ import annotations

_FRAME = 2
"""Rows and columns of the frame around a terminal."""
_AROUND = 5
"""Rows around a view as a rule: four of the header, and the line of views."""


def of_view(columns: int, rows: int) -> tuple[int, int]:
    """Return columns and rows of a view on a screen of so many, as a rule."""
    return columns, max(0, rows - _AROUND)


def in_view(columns: int, rows: int, terminals: int) -> tuple[int, int] | None:
    """Return columns and rows of a terminal in a view of so many; None if there is no room.

    Args:
        columns: width of the view.
        rows: height of the view.
        terminals: how many there are: above several is a line of them.
    """
    columns, rows = columns - _FRAME, rows - _FRAME - (terminals > 1)
    return (columns, rows) if columns > 0 and rows > 0 else None
