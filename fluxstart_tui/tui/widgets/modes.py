"""One line above rows: what there is to choose from, how many rows, what is filtered and found."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from fluxstart_tui.tui import keymap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from textual import events


class ModeBar(Widget, can_focus=False):
    """Names to click on the left, a status on the right, hints between if there is room.

    Args:
        names: what can be chosen; none if there is nothing to choose.
        hints: what keys do, as pairs (key as keymap.Keymap.text takes it, what).
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"modes--on", "modes--key"}
    DEFAULT_CSS = """
    ModeBar { height: 1; background: $surface; color: $text; }
    ModeBar > .modes--on { background: $primary; color: $text; text-style: bold; }
    ModeBar > .modes--key { color: $accent; text-style: bold; }
    ModeBar:ansi > .modes--on { background: $background; text-style: reverse; }
    """

    class Picked(Message):
        """A name was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class HintPicked(Message):
        """A hint was clicked: as if its key had been pressed."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action
            """The action's id in the keymap."""

    def __init__(self, names: tuple[str, ...], hints: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._names = names
        self._hints = hints
        self._on = 0
        self._status = Text()
        self._spans: list[tuple[int, int, int | str]] = []

    def tell(self, on: int, status: Text, hints: tuple[tuple[str, str], ...]) -> None:
        """Show which name is chosen, and a status; nothing is painted if both are as before."""
        if (on, status, hints) != (self._on, self._status, self._hints):
            self._on, self._status, self._hints = on, status, hints
            self.refresh()

    def render_line(self, _y: int) -> Strip:
        """Paint it."""
        width = self.size.width
        base = self.rich_style
        chosen = base + self.get_component_rich_style("modes--on")
        key_style = base + self.get_component_rich_style("modes--key")
        segments: list[Segment] = []
        spans: list[tuple[int, int, int | str]] = []
        x = 0
        for number, name in enumerate(self._names):
            # Brackets too: without colours one must see what is chosen.
            label = f"[{name}]" if number == self._on else f" {name} "
            spans.append((x, x + len(label), number))
            segments.append(Segment(label, chosen if number == self._on else base))
            x += len(label)
        status = self._status.copy()
        status.truncate(max(0, width - x - 1), overflow="ellipsis")
        right = status.cell_len
        room = width - x - right - 3
        segments.append(Segment("  " if self._names else " ", base))
        x += len(segments[-1].text)
        for template, what in self._hints:
            key = keymap.of(self.app).text(template)
            size = len(key) + len(what) + 3
            if room < size:
                break
            segments += [Segment(key, key_style), Segment(f" {what}  ", base + Style(dim=True))]
            spans.append((x, x + size - 2, keymap.first(template)))
            x += size
            room -= size
        segments.append(Segment(" " * max(0, width - x - right - 1), base))
        status.end = ""
        segments += Segment.apply_style(status.render(self.app.console), base)
        self._spans = spans
        return Strip(segments).adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        """Choose what is clicked."""
        for first, last, what in self._spans:
            if first <= event.x < last:
                self.post_message(
                    self.Picked(what) if isinstance(what, int) else self.HintPicked(what)
                )
