"""Where map, table and panes of the Brokers view have their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluxstart_tui.tui.views.brokers import BrokersView

_WIDE = 150
"""Columns from which table and panes fit beside each other."""
_TALL = 32
"""Rows from which they fit over each other."""
_LEAST = 10
"""Rows below a short table that are worth having panes in them: two rows of low ones."""
BRIEF = 3
"""Rows below a table in which there is room for a pane of the cursor's rank."""


def fits_both(view: BrokersView, maps: str, rows: int) -> bool:
    """Tell whether there is room for table and panes.

    Args:
        view: has the parts and a size.
        maps: how much of the map is shown: some, all or none.
        rows: ranks that there are, so that a filter does not change it.
    """
    width, height = view.size
    return width >= _WIDE or height >= _TALL or spare(view, maps, rows) >= _LEAST


def spare(view: BrokersView, maps: str, rows: int) -> int:
    """Return how many rows a table of so many ranks leaves, less than none if it is too long."""
    return view.size.height - _map_rows(view, maps) - (rows + 1)


def _map_rows(view: BrokersView, maps: str) -> int:
    width, height = view.size
    return 0 if maps == "none" else view.map.wanted(width, max(4, height * 2 // 5))


def arrange(view: BrokersView, maps: str, rows: int) -> None:
    """Give each part its place.

    Args:
        view: has the parts, a size and a mode.
        maps: how much of the map is shown: some, all or none.
        rows: ranks in the table.
    """
    width, height = view.size
    mode = view.mode
    view.map.display = maps != "none"
    alone = maps == "all"
    both, table = view.query_one("#both"), view.query_one("#table")
    both.display = not alone
    mapped = _map_rows(view, maps)
    view.map.styles.height = "1fr" if alone else mapped
    table.display = mode != "panes"
    view.query_one("#panes").display = mode != "table" or view.brief
    both.styles.layout = "horizontal" if width >= _WIDE else "vertical"
    # A short table leaves its place to the panes below.
    below = mode == "both" and width < _WIDE
    table.styles.height = min(rows + 1, (height - mapped) // 2) if below else "1fr"
    if view.brief:
        table.styles.height = rows + 1
    beside = mode == "both" and width >= _WIDE
    table.styles.width = min(110, width * 11 // 20) if beside else "1fr"
