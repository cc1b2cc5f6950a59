"""One row of items that can be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip

from fluxstart_tui.tui.widgets.paint import Painter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    Item = tuple[str, str, str, str]
    """Text, tone, background tone, and a name that is told when it is clicked."""


class Bar(Painter, can_focus=False):
    """A row of items."""

    DEFAULT_CSS = "Bar { height: 1; }"

    class Clicked(Message):
        """An item with a name was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        super().__init__()
        self._items: list[Item] = []

    def show(self, items: Sequence[Item]) -> None:
        """Show these items."""
        if list(items) != self._items:
            self._items = list(items)
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one row
        """Paint the row."""
        parts = [Segment(text, self.tone(tone, on)) for text, tone, on, _ in self._items]
        return Strip(parts).adjust_cell_length(self.size.width, self.tone("plain"))

    def on_click(self, event: events.Click) -> None:
        """Tell which item was clicked."""
        x = 0
        for text, _, _, name in self._items:
            x += cell_len(text)
            if event.x < x:
                if name:
                    self.post_message(self.Clicked(name))
                return
