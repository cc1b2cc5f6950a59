"""A list of any length of which only what is visible is ever made: rows come from a source."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

if TYPE_CHECKING:
    import re

    from rich.text import Text
    from textual import events

    from fluxstart_tui.tui.widgets.source import Source


_HEAD = 1
"""Lines above the rows."""
_GAP = 1
"""Cells between a row and the scrollbar."""
_MARKS = {(True, True): "█", (True, False): "▌", (False, True): "┃"}
"""What stands before a row: by whether it has the cursor, and whether its rank is chosen."""


def _segments(text: Text) -> list[Segment] | None:
    """Render a text that was put together piece by piece; None if it is another one.

    A fifth of what Rich takes, which must be ready for spans that overlap.
    """
    if text.style:
        return None
    plain = text.plain
    segments: list[Segment] = []
    at = 0
    for first, last, style in text.spans:
        if first < at:
            return None
        if first > at:
            segments.append(Segment(plain[at:first]))
        segments.append(
            Segment(plain[first:last], Style.parse(style) if isinstance(style, str) else style)
        )
        at = last
    if at < len(plain):
        segments.append(Segment(plain[at:]))
    return segments


def _colorless(style: Style | None) -> Style | None:
    return Style(bold=style.bold, underline=style.underline) if style else style


class RowsView(ScrollView, can_focus=True):
    """Shows the rows of a source under a header, with a cursor, by keyboard and mouse."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--cursor", "rows--chosen", "rows--header", "rows--hit",
    }  # fmt: skip
    DEFAULT_CSS = """
    RowsView { height: 1fr; scrollbar-gutter: stable; scrollbar-size-horizontal: 0;
               overflow-x: hidden; overflow-y: auto; }
    RowsView > .rows--cursor { background: $primary 35%; text-style: bold; }
    RowsView > .rows--chosen { background: $primary 20%; }
    RowsView > .rows--header { background: $panel; color: $text-muted; text-style: bold; }
    RowsView > .rows--hit { background: $warning; color: $background; text-style: bold; }
    RowsView:ansi > .rows--cursor { background: $background; text-style: reverse; }
    RowsView:ansi > .rows--chosen { background: $background; text-style: underline; }
    RowsView:ansi > .rows--header { text-style: bold underline; }
    RowsView:ansi > .rows--hit { color: ansi_black; text-style: bold underline; }
    """
    BINDINGS: ClassVar = [
        Binding("down,j", "move(1)", "Down", show=False, id="rows.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="rows.up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="rows.page-down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="rows.page-up"),
        Binding("home,g", "first", "First", show=False, id="rows.first"),
        Binding("end,G", "last", "Last", show=False, id="rows.last"),
        Binding("enter", "enter", "Choose", show=False, id="rows.choose"),
    ]

    class Moved(Message):
        """The cursor has moved."""

    class Entered(Message):
        """A row was chosen: Enter or a click on it."""

        def __init__(self, row: int, x: int, clicked: bool) -> None:
            super().__init__()
            self.row = row
            self.x = x
            self.clicked = clicked

    class HeaderClicked(Message):
        """The header was clicked at a column."""

        def __init__(self, x: int) -> None:
            super().__init__()
            self.x = x

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.chosen: frozenset[int] = frozenset()
        """The ranks of which rows are marked."""
        self._count = -1
        self._own = False  # whether it is we who scroll
        self._strip = lru_cache(512)(self._make)

    def show(self, source: Source) -> None:
        """Show another source, where it was left."""
        self.source.top = round(self.scroll_y)
        self.source = source
        self.sync(force=True)

    def sync(self, *, force: bool = False, rows: bool = True) -> None:
        """Take a new number of rows, and repaint if rows have changed."""
        source = self.source
        count = len(source)
        if count != self._count or force:
            self._count = count
            source.cursor = max(0, min(source.cursor, count - 1))
            self.virtual_size = Size(self.columns, count + _HEAD)
            if source.follow and count:
                source.cursor = count - 1
                self._scroll(count)
            elif force:
                self._scroll(source.top)
            self.post_message(self.Moved())
        if rows or force:
            self.refresh()

    def mark(self, chosen: frozenset[int]) -> None:
        """Mark the rows of these ranks."""
        if chosen != self.chosen:
            self.chosen = chosen
            self.refresh()

    @property
    def columns(self) -> int:
        """How wide a row is: a blank parts it from the scrollbar."""
        return max(1, self.scrollable_content_region.width - _GAP)

    @property
    def source_count(self) -> int:
        """How many rows there were when it was last asked."""
        return max(0, self._count)

    @property
    def _height(self) -> int:
        return max(1, self.size.height - _HEAD)

    def _scroll(self, top: int) -> None:
        self._own = True
        self.scroll_to(y=max(0, min(top, self._count - self._height)), animate=False, force=True,
                       immediate=True)  # fmt: skip
        self._own = False

    def on_resize(self) -> None:
        """Keep the place: the cursor stays in sight."""
        self._strip.cache_clear()
        if self._count >= 0:
            self.virtual_size = Size(self.columns, self._count + _HEAD)
            self.call_after_refresh(self._reveal)

    def _reveal(self) -> None:
        top, cursor = round(self.scroll_y), self.source.cursor
        if self.source.follow:
            self._scroll(self._count)
        elif cursor < top or cursor >= top + self._height:
            self._scroll(cursor if cursor < top else cursor - self._height + 1)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop following when somebody scrolls up."""
        super().watch_scroll_y(old_value, new_value)
        if not self._own and self.source.follow and new_value < min(old_value, self.max_scroll_y):
            self.source.follow = False
            self.post_message(self.Moved())

    def move_to(self, row: int, *, middle: bool = False) -> None:
        """Put the cursor on a row and bring it into sight."""
        source = self.source
        source.cursor = max(0, min(row, self._count - 1))
        source.follow = source.can_follow and source.follow and source.cursor == self._count - 1
        top = round(self.scroll_y)
        if not top <= source.cursor < top + self._height and middle:
            self._scroll(source.cursor - self._height // 2)
        else:
            self._reveal()
        self.refresh()
        self.post_message(self.Moved())

    def action_move(self, step: int) -> None:
        """Move the cursor by a row."""
        self.move_to(self.source.cursor + step)

    def action_page(self, step: int) -> None:
        """Move the cursor by a page."""
        self.move_to(self.source.cursor + step * (self._height - 1))

    def action_first(self) -> None:
        """Go to the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Go to the last row, and stay at the end where rows come."""
        self.source.follow = self.source.can_follow
        self.move_to(self._count - 1)

    def action_enter(self) -> None:
        """Choose the row under the cursor."""
        if self._count:
            self.post_message(self.Entered(self.source.cursor, -1, clicked=False))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where one clicks."""
        y = event.y - _HEAD
        if y < 0:
            self.post_message(self.HeaderClicked(event.x))
        elif (row := y + round(self.scroll_y)) < self._count:
            self.source.follow = False
            self.move_to(row)
            self.post_message(self.Entered(row, event.x, clicked=True))

    def notify_style_update(self) -> None:
        """Forget what was painted in another theme."""
        self._strip.cache_clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        width = self.columns
        source = self.source
        if y < _HEAD:
            return self._paint(source.header(width), width, "rows--header")
        i = y - _HEAD + round(self.scroll_y)
        if i >= min(len(source), max(self._count, 0)):
            return Strip.blank(width + _GAP, self.rich_style)
        on = i == source.cursor
        chosen = bool(self.chosen) and source.rank(i) in self.chosen
        return self._strip(source, source.version, source.pattern, i, width, on, chosen)

    def _make(self, source: Source, _version: int, pattern: re.Pattern[str] | None, i: int,
              width: int, on: bool, chosen: bool) -> Strip:  # fmt: skip
        text = source.row(i, width)
        mark = _MARKS.get((on, chosen))
        # Rows begin with a blank: colours alone would not do.
        if mark and text.plain.startswith(" "):
            text.plain = mark + text.plain[1:]
        if pattern is not None:
            text.highlight_regex(pattern, self.get_component_rich_style("rows--hit", partial=True))
        name = "rows--cursor" if on else "rows--chosen" if chosen else ""
        return self._paint(text, width, name)

    def _paint(self, text: Text, width: int, name: str) -> Strip:
        text.end = ""
        text.no_wrap = True
        base = self.rich_style
        if name:
            base += self.get_component_rich_style(name)
        segments = _segments(text) or list(text.render(self.app.console))
        if base.reverse:  # colours would make a patchwork of it
            segments = [Segment(piece, _colorless(style)) for piece, style, _ in segments]
        return Strip(Segment.apply_style(segments, base)).adjust_cell_length(width + _GAP, base)
