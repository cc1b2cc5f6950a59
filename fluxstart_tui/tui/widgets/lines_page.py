"""A page of output: the rows that are seen, painted; whichever are not seen cost nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fluxstart_tui.tui.ansi import cuts
from fluxstart_tui.tui.widgets.lines_paint import GLYPHS, Cell, Looks, hits
from fluxstart_tui.tui.widgets.lines_select import END
from fluxstart_tui.tui.widgets.paint import Painter

if TYPE_CHECKING:
    from fluxstart_tui.tui.lines_filter import Matcher
    from fluxstart_tui.tui.lines_rows import Rows
    from fluxstart_tui.tui.widgets.lines_paint import LinePainter
    from fluxstart_tui.tui.widgets.lines_select import Selection

_COLORS = 5
"""Colours of ranks: neighbours differ, and none says that something is wrong."""


class Place(NamedTuple):
    """What is on a line of the screen."""

    row: int
    begin: int
    """First character of the row's text that is there."""
    end: int


class LinesPage(Painter, ScrollView):
    """Paints rows.

    Args:
        rows: the rows.
        painter: how they look.
    """

    DEFAULT_CSS = """
    LinesPage {
        overflow-y: scroll; overflow-x: hidden; scrollbar-size-vertical: 1;
        & > .lines--rank0 { color: $text-primary; }
        & > .lines--rank1 { color: $text-success; }
        & > .lines--rank2 { color: $text-accent; }
        & > .lines--rank3 { color: $text-secondary; }
        & > .lines--rank4 { color: $foreground; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--rank{at}" for at in range(_COLORS)}

    def __init__(self, rows: Rows, painter: LinePainter) -> None:
        super().__init__()
        self.rows = rows
        self.painter = painter
        self.looks = Looks()
        self.matcher: Matcher | None = None
        """What is highlighted."""
        self.follow = True
        """Whether the last row is seen whatever comes."""
        self.cursor: int | None = None
        """The row of the current hit, or the end of what is selected."""
        self.selection: Selection | None = None
        self.selecting = False
        """Whether arrows select."""
        self.left = 0
        """Columns that are left out at the left."""
        self.moving = False
        """Whether it is scrolled by what comes, not by the user."""
        self._plan: tuple[object, list[Place]] = (None, [])
        self._painted: tuple[object, ...] = ()

    def look(self) -> None:
        """Take over how many rows there are now; repaint if that can be seen."""
        total, height = len(self.rows), max(self.size.height, 1)
        last = self._last_top(total, height)
        self.moving = True
        if self.virtual_size.height != last + height:
            self.virtual_size = Size(self.room, last + height)
        if self.follow or self.scroll_y > last:
            self.scroll_to(y=last, animate=False, force=True)
        self.moving = False
        self.repaint()

    def repaint(self) -> None:
        """Repaint if anything that is seen has changed."""
        plan = [(place, self.rows.row(place.row)) for place in self.places()]
        state = (
            plan, self.size, self.looks, self.matcher, self.cursor, self.selection, self.left,
            self.rows, self.rows.store.unfinished if plan else None,
        )  # fmt: skip
        if state != self._painted:
            self._painted = state
            self.refresh()

    def _last_top(self, total: int, height: int) -> int:
        """Return the first row that is seen when the last one is."""
        if not self.looks.wrap:
            return max(0, total - height)
        left, row = height, total
        while row > 0 and left > 0:
            left -= len(cuts(self.cell(row - 1).text, self._width()))
            row -= 1
        return row if left >= 0 else min(row + 1, total - 1)

    def cell(self, row: int) -> Cell:
        """Return a row, ready for the screen."""
        return self.painter.cell(self.rows, row, self.rows.row(row), self.looks)

    @property
    def room(self) -> int:
        """Cells beside the scroll bar."""
        return self.outer_size.width - self.scrollbar_size_vertical

    def _width(self) -> int:
        return max(self.room - self.painter.prefix_width(self.rows, self.looks), 1)

    @property
    def top(self) -> int:
        """The first row that is seen."""
        return round(self.scroll_y)

    def places(self) -> list[Place]:
        """Return what is on each line of the screen."""
        total, height = len(self.rows), self.size.height
        top = min(self.top, total)
        key = (
            self.rows, total, height, self.room, top, self.looks, self.follow,
            self.rows.store.unfinished if top + height >= self.rows.finished else None,
        )  # fmt: skip
        if self._plan[0] == key:
            return self._plan[1]
        places: list[Place] = []
        if not self.looks.wrap:
            places = [Place(row, 0, END) for row in range(top, min(top + height, total))]
        elif top >= self._last_top(total, height):
            for row in range(total - 1, -1, -1):  # the end of the last row is at the bottom
                places[:0] = self._wrapped(row)
                if len(places) >= height:
                    break
            places = places[-height:]
        else:
            for row in range(top, total):
                places += self._wrapped(row)
                if len(places) >= height:
                    break
            places = places[:height]
        self._plan = key, places
        return places

    def _wrapped(self, row: int) -> list[Place]:
        begins = cuts(self.cell(row).text, self._width())
        ends = [*begins[1:], END]
        return [Place(row, *part) for part in zip(begins, ends, strict=True)]

    def render_line(self, y: int) -> Strip:
        """Paint a line of the screen."""
        places, width = self.places(), self.room
        if y >= len(places):
            return Strip.blank(width, self.tone("plain"))
        place = places[y]
        cell = self.cell(place.row)
        on = "cursor" if place.row == self.cursor and self.selection is None else ""
        base = self.tone("plain", on)
        marks: list[tuple[int, int, Style]] = [
            (*span, self.tone("alarm", on)) if place.row == self.cursor else
            (*span, Style(reverse=True))
            for span in hits(cell.text.text, self.matcher)
        ]  # fmt: skip
        chosen = self.selection.columns(place.row) if self.selection else None
        if chosen is not None:
            marks.append((*chosen, Style(reverse=True)))
        if cell.fold:
            base = self.tone("dim", on) + Style(italic=True)
        prefix = self._prefix(cell, place, on)
        body = cell.text.segments(base, marks)
        room = width - sum([len(text) for text, _, _ in prefix])
        plain = self.tone("plain", on)
        if place.begin or place.end < END:
            body = _cut(body, place.begin, min(place.end, len(cell.text.text)))
        elif cell.text.width <= room and not (self.left and not self.looks.wrap):
            blank = Segment(" " * (room - cell.text.width), plain)
            return Strip([*prefix, *body, blank], width)  # most are short: a strip takes its time
        elif not self.looks.wrap:
            over = cell.text.width - self.left > room
            body = [*Strip(body).crop(self.left, self.left + (room - 1 if over else room))]
            if over:
                body.append(Segment("…", self.tone("dim", on)))
        return Strip([*prefix, *body]).adjust_cell_length(width, plain)

    def _prefix(self, cell: Cell, place: Place, on: str) -> list[Segment]:
        glyph, name = GLYPHS[cell.line.stream]
        if place.begin or cell.fold:
            glyph = "┊"
        tone = self.tone(name, on)
        stamp, label = cell.stamp, cell.label
        if place.begin:
            stamp, label = " " * len(stamp), " " * len(label)
        whose = self.tone("dim" if cell.fold else "plain", on)
        if not cell.fold:
            name = f"lines--rank{cell.line.rank % _COLORS}"
            whose += Style(color=self.get_component_rich_style(name).color)
        return [
            Segment(stamp, self.tone("dim", on)),
            Segment(f"{label} " if label else "", whose),
            Segment(f"{glyph} ", tone),
        ]


def _cut(whole: list[Segment], begin: int, end: int) -> list[Segment]:
    """Return the characters of segments from `begin` to `end`."""
    segments, at = [], 0
    for text, style, _ in whole:
        low, high = max(begin - at, 0), min(end - at, len(text))
        if low < high:
            segments.append(Segment(text[low:high], style))
        at += len(text)
    return segments
