"""A text of rows to scroll through: headings, pairs, lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView

from fluxstart_tui.diagnose.words import printable
from fluxstart_tui.tui.widgets.paint import Painter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.strip import Strip

    from fluxstart_tui.tui.widgets.paint import Part

    Row = tuple[Part, ...]


class Sheet(Painter, ScrollView, can_focus=True):
    """Rows of parts; long ones are folded."""

    DEFAULT_CSS = """
    Sheet { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False, id="sheet.down"),
        Binding("k", "scroll_up", "Up", show=False, id="sheet.up"),
        Binding("g", "scroll_home", "Top", show=False, id="sheet.top"),
        Binding("G", "scroll_end", "Bottom", show=False, id="sheet.bottom"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Row] = []
        self._folded: list[Row] = []

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows; where one has scrolled to stays."""
        if rows != self._rows:
            self._rows = list(rows)
            self._fold()

    def _fold(self) -> None:
        width = self.size.width
        if not width:
            return
        folded = [one for row in self._rows for one in fold(row, width)]
        if len(folded) != len(self._folded):
            self.virtual_size = Size(width, len(folded))
        former, self._folded = self._folded, folded
        top, height = self.scroll_offset.y, self.size.height
        self.refresh_changed(former[top : top + height], folded[top : top + height])

    def on_resize(self) -> None:
        """Fold anew."""
        self._fold()

    def render_line(self, y: int) -> Strip:
        """Paint a row."""
        at = y + self.scroll_offset.y
        return self.row(self._folded[at] if at < len(self._folded) else (), self.size.width)


def fold(row: Row, width: int) -> list[Row]:
    """Fold a row; what follows its last part's beginning is indented like that."""
    if sum(cell_len(text) for text, _ in row) <= width or not row:
        return [row]
    *heads, (text, tone) = row
    indent = sum(cell_len(one) for one, _ in heads)
    if indent > width - 20:
        heads, indent, text = [], 4, " ".join(one for one, _ in row)
    room = max(1, width - indent - 1)
    rows: list[Row] = []
    while text:
        rows.append((*(heads if not rows else [(" " * indent, "plain")]), (text[:room], tone)))
        text = text[room:]
    return rows


def heading(text: str) -> list[Row]:
    """Return a heading with a blank row above."""
    return [(), ((f" {text}", "title"),)]


def pairs(items: Iterable[tuple[str, str]], tone: str = "plain") -> list[Row]:
    """Return names and values in two columns."""
    listed = [(printable(name, 60), printable(value, 4000)) for name, value in items]
    width = min(34, max((len(name) for name, _ in listed), default=0))
    return [((f"   {name:<{width}}  ", "dim"), (value, tone)) for name, value in listed]


def note(text: str) -> list[Row]:
    """Return a row that says why there is nothing."""
    return [((f"   {text}", "dim"),)]
