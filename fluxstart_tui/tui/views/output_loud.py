"""Who drowns the others: the rank that most of what is seen in the Output view is from."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fluxstart_tui.tui import keymap

if TYPE_CHECKING:
    from fluxstart_tui.tui.views.output_pane import OutputPane
    from fluxstart_tui.tui.widgets.paint import Part

_MOST = 0.8
"""The part of the rows from which on a rank drowns the others."""
_ROWS = 10
"""Rows from which on that can be said."""
_WIDE = 72
"""Columns that it takes."""


class Loud:
    """Looks at what is seen, and offers the key that caps the loudest rank."""

    def __init__(self) -> None:
        self._heard: set[int] = set()

    def tell(self, pane: OutputPane) -> list[Part]:
        """Return what to say of a pane; nothing if no rank is too loud or it was capped."""
        options = pane.options
        one_rank = pane.rank is not None or options.wanted.ranks
        if one_rank or options.fair or options.merged or pane.size.width < _WIDE:
            return []
        rows = {place.row for place in pane.lines.places()}
        store = pane.rows.store
        counts = Counter(store.rank(pane.rows.row(row).number) for row in rows)
        self._heard.update(counts)
        if len(rows) < _ROWS or len(self._heard) < 2:
            return []  # who talks alone drowns nobody
        rank, count = counts.most_common(1)[0]
        if count < _MOST * len(rows):
            return []
        key = keymap.of(pane.app).text("{output.cap}")
        said = f"▲ rank {rank}: {count} of {len(rows)} rows "
        return [(said, "warn"), (key, "title"), (" caps it   ", "dim")]
