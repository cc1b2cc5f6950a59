"""A table that paints the rows in view alone: a thousand rows cost no more than forty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView

from fluxstart_tui.tui.widgets.messages import Chose, Moved, Opened
from fluxstart_tui.tui.widgets.paint import Painter, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.strip import Strip

_STRIPS = 400
"""Painted rows that are kept."""


class Column(NamedTuple):
    """A column; a row is known by a number, such as a rank."""

    title: str
    width: int
    """Cells; that of the flexible column is the least it needs."""
    cell: Callable[[int], tuple[str, str]]
    """Text and tone of a row's cell."""
    order: Callable[[int], Any] | None = None
    """What rows are sorted by; by the text if None."""
    right: bool = False
    flexible: bool = False
    """Takes what the others leave."""
    falling: bool = False
    """Whether sorting begins with the largest."""
    gives_way: int = 0
    """Where there is no room for all columns, those of the largest number go first; 0 never."""


class Table(Painter, ScrollView, can_focus=True):
    """Rows under a header line, sorted by a column, with a cursor row and chosen rows.

    Args:
        columns: from left to right; one of them may be flexible.
    """

    DEFAULT_CSS = "Table { height: 1fr; overflow: hidden auto; scrollbar-size-vertical: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="table.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="table.page-down"),
        Binding("home,g", "move(-1000000)", "First", show=False, id="table.first"),
        Binding("end,G", "move(1000000)", "Last", show=False, id="table.last"),
        Binding("shift+up", "extend(-1)", "Choose up", show=False, id="table.choose-up"),
        Binding("shift+down", "extend(1)", "Choose down", show=False, id="table.choose-down"),
        Binding("x", "choose", "Choose", show=False, id="table.choose"),
        Binding("space", "choose_unless_replay", "Choose", show=False, id="table.choose-or-play"),
        Binding("enter", "open", "Open", show=False, id="table.open"),
    ]

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.sort_by = 0
        self.falling = False
        self._all = list(columns)
        self.columns: list[Column] = []
        """The columns for which there is room."""
        self.set_columns(columns)
        self.cursor: int | None = None
        """The key of the cursor's row."""
        self.chosen: frozenset[int] = frozenset()
        self.empty = "nothing to show"
        """What is said where there are no rows."""
        self._keys: list[int] = []
        self._rows: dict[int, int] = {}
        self._painted: list[object] = []
        self._strips: dict[object, Strip] = {}
        self._anchor: int | None = None

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Take columns; those for which there is no room are left out."""
        sorted_by = self.columns[self.sort_by].title if self.columns else None
        self._all = list(columns)
        shown = list(columns)
        while self.size.width and sum(one.width + 1 for one in shown) > self.size.width:
            least = max(shown, key=lambda one: one.gives_way)
            if not least.gives_way:
                break
            shown.remove(least)
        self.columns = shown
        titles = [one.title for one in shown]
        self.sort_by = titles.index(sorted_by) if sorted_by in titles else 0

    @property
    def keys(self) -> list[int]:
        """The rows as they are shown."""
        return self._keys

    def show(self, keys: Sequence[int]) -> None:
        """Show these rows, sorted, and repaint those whose text has changed."""
        column = self.columns[self.sort_by]
        order = column.order or (lambda key: column.cell(key)[0])
        ordered = sorted(keys)
        ordered.sort(key=order, reverse=self.falling)
        if ordered != self._keys:
            self._keys = ordered
            self._rows = {key: at for at, key in enumerate(ordered)}
            self.virtual_size = Size(self.size.width, len(ordered) + 1)
        if self.cursor not in self._rows and ordered:
            self.cursor = ordered[0]
        lines = [self._line(y) for y in range(self.size.height)]
        former, self._painted = self._painted, lines
        if former != lines:
            self.refresh_changed(former, lines)

    def sort(self, column: int) -> None:
        """Sort by a column; by the same once more turns it round."""
        column %= len(self.columns)
        again = column == self.sort_by
        self.falling = not self.falling if again else self.columns[column].falling
        self.sort_by = column
        self.show(self._keys)
        self._follow()

    def go(self, key: int) -> None:
        """Put the cursor on a row, if it is shown."""
        if key in self._rows and key != self.cursor:
            self.cursor = key
            self._follow()
            self.show(self._keys)

    def widths(self) -> list[int]:
        """Return the widths of the columns, which have one or two blanks between them."""
        fixed = sum(column.width for column in self.columns)
        spare = self.size.width - fixed - self._gap * len(self.columns) - 1
        return [one.width + (max(0, spare) if one.flexible else 0) for one in self.columns]

    @property
    def _gap(self) -> int:
        fixed = sum(column.width for column in self.columns)
        return 2 if fixed + 2 * len(self.columns) + 10 <= self.size.width else 1

    def _line(self, y: int) -> object:
        """Return all that a line on the screen depends on."""
        width = self.size.width
        if y == 0:
            titles = tuple(column.title for column in self.columns)
            return "head", self.sort_by, self.falling, titles, tuple(self.widths()), self.has_focus
        at = y - 1 + self.scroll_offset.y
        if at >= len(self._keys):
            return ("empty", self.empty) if not self._keys and y == 1 else ()
        key = self._keys[at]
        cells = tuple(column.cell(key) for column in self.columns)
        on = "cursor" if key == self.cursor else "chosen" if key in self.chosen else ""
        return key, cells, on, key in self.chosen, width, tuple(self.widths())

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        line = self._line(y)
        strip = self._strips.get(line)
        if strip is None:
            if len(self._strips) >= _STRIPS:
                self._strips.clear()
            strip = self._strips[line] = self._paint(y, line)
        return strip

    def _paint(self, y: int, line: object) -> Strip:
        width = self.size.width
        gap = " " * self._gap
        widths = self.widths()
        if y == 0:
            parts = []
            for at, column in enumerate(self.columns):
                arrow = ("▼" if self.falling else "▲") if at == self.sort_by else ""
                title = column.title if at != self.sort_by else column.title[: widths[at] - 1]
                text = arrow + title if column.right else title + arrow
                tone = "title" if at == self.sort_by else "strong"
                parts.append((" " + fit(text, widths[at], right=column.right) + gap[1:], tone))
            return self.row(parts, width, "head")
        if not isinstance(line, tuple) or len(line) != 6:
            text = f" {self.empty}" if line else ""
            return self.row([(text, "dim")], width)
        _, cells, on, chosen, _, _ = line
        mark = "┃" if chosen else " "
        parts = [(mark, "title")]
        for at, (column, (text, tone)) in enumerate(zip(self.columns, cells, strict=True)):
            blank = gap if at < len(widths) - 1 else ""
            parts.append((fit(text, widths[at], right=column.right) + blank, tone))
        return self.row(parts, width, on)

    def notify_style_update(self) -> None:
        """Forget what was painted: a theme has changed."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        """Paint for the new width."""
        self.set_columns(self._all)
        self._strips.clear()
        self.virtual_size = Size(self.size.width, len(self._keys) + 1)
        self._painted = []
        self._follow()

    def watch_has_focus(self, _focused: bool) -> None:
        """Repaint the header."""
        super().watch_has_focus(_focused)
        self.refresh()

    def _follow(self) -> None:
        """Scroll to the cursor."""
        at = self._rows.get(-1 if self.cursor is None else self.cursor)
        height = self.size.height - 1
        if at is None or height <= 0:
            return
        top = self.scroll_offset.y
        wanted = min(max(top, at - height + 1), at)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)

    def _to(self, at: int) -> None:
        if not self._keys:
            return
        key = self._keys[min(max(at, 0), len(self._keys) - 1)]
        if key != self.cursor:
            self.go(key)
            self.post_message(Moved(key))

    def _at(self) -> int:
        return self._rows.get(-1 if self.cursor is None else self.cursor, 0)

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self._anchor = None
        self._to(self._at() + step)

    def action_page(self, step: int) -> None:
        """Move the cursor by a screenful."""
        self.action_move(step * max(1, self.size.height - 2))

    def action_extend(self, step: int) -> None:
        """Move the cursor and choose all rows from where that began."""
        if self._anchor is None:
            self._anchor = self._at()
        self._to(self._at() + step)
        first, last = sorted((self._anchor, self._at()))
        self.choose(frozenset(self._keys[first : last + 1]))

    def action_choose(self) -> None:
        """Choose the cursor's row, or no longer."""
        if self.cursor is not None:
            self.choose(self.chosen ^ {self.cursor})

    def action_open(self) -> None:
        """Open the cursor's row."""
        if self.cursor is not None:
            self.post_message(Opened(self.cursor))

    def choose(self, keys: frozenset[int]) -> None:
        """Choose rows and say so."""
        self.chosen = keys
        self.show(self._keys)
        self.post_message(Chose(keys))

    def on_click(self, event: events.Click) -> None:
        """Sort by the title that was clicked, or go to the row."""
        if event.y == 0:
            x = 1
            for at, width in enumerate(self.widths()):
                x += width + self._gap
                if event.x < x:
                    self.sort(at)
                    return
            return
        at = event.y - 1 + self.scroll_offset.y
        if at >= len(self._keys):
            return
        key = self._keys[at]
        if event.ctrl:
            self.choose(self.chosen ^ {key})
        elif event.shift:
            first, last = sorted((self._at(), at))
            self.choose(frozenset(self._keys[first : last + 1]))
        self._to(at)
        if event.chain == 2:
            self.post_message(Opened(key))


def text_width(texts: Sequence[str], least: int, most: int) -> int:
    """Return the width of a column for these texts."""
    return min(most, max([least, *map(cell_len, texts)]))
