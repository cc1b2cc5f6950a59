"""A grid of panes, one for each rank in view: what it does, its CPU, the last lines it printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fluxstart_tui.diagnose.launch.text import LOG
from fluxstart_tui.diagnose.words import printable
from fluxstart_tui.tui.ansi import Painted
from fluxstart_tui.tui.widgets import looks
from fluxstart_tui.tui.widgets.lines_paint import GLYPHS
from fluxstart_tui.tui.widgets.messages import Moved, Opened
from fluxstart_tui.tui.widgets.paint import Painter, clock, fit, memory, span
from fluxstart_tui.tui.widgets.sparkline import History, bars
from fluxstart_tui.tui.widgets.tails import Tails, segments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from fluxstart_tui.tui.model import Model

_NARROWEST = 38
_LOWEST, _HIGHEST = 5, 14
_BRIEF = 3
"""Rows of panes that have no others below them."""
_SPARK = 10
_LOADING = "load-builtins"
"""The state in which a broker loads its built-in modules and boots by PMI."""


def _brief(line: Painted) -> Painted:
    """Return a broker's record without its date, which would fill a narrow pane alone."""
    found = LOG.match(line.text)
    if found is None or line.runs:
        return line
    head = found.start("module")
    return Painted(line.text[head:], (), line.width - head)


class PaneGrid(Painter, ScrollView, can_focus=True):
    """Panes of ranks, as many beside each other as there is room for.

    Args:
        model: the session.
    """

    DEFAULT_CSS = "PaneGrid { height: 1fr; overflow: hidden auto; scrollbar-size-vertical: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1, 0)", "Left", show=False, id="panes.left"),
        Binding("right,l", "move(1, 0)", "Right", show=False, id="panes.right"),
        Binding("up,k", "move(0, -1)", "Up", show=False, id="panes.up"),
        Binding("down,j", "move(0, 1)", "Down", show=False, id="panes.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="panes.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="panes.page-down"),
        Binding("home", "move(-1000000, 0)", "First", show=False, id="panes.first"),
        Binding("end", "move(1000000, 0)", "Last", show=False, id="panes.last"),
        Binding("enter", "open", "Open", show=False, id="panes.open"),
    ]

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.cursor = 0
        self.ranks: list[int] = []
        self._tails = Tails(model)
        self._history = History(model)
        self._columns, self._height = 1, _LOWEST
        self._lines: list[list[Segment]] = []

    def show(self, ranks: Sequence[int]) -> None:
        """Show these ranks."""
        if list(ranks) != self.ranks:
            self.ranks = list(ranks)
            self._lay_out()
        self.look()

    def _lay_out(self) -> None:
        width, height = self.size
        self._columns = max(1, min(width // _NARROWEST, max(1, len(self.ranks))))
        rows = -(-max(1, len(self.ranks)) // self._columns)
        self._height = min(max(height // rows, _LOWEST), max(_LOWEST, min(_HIGHEST, height)))
        if rows == 1:
            self._height = max(height, _BRIEF)
        self.virtual_size = Size(width, rows * self._height)
        self._follow()

    def look(self) -> None:
        """Take what is new in the model and repaint what has changed."""
        if not self.size.width or not self.display:
            return
        top = self.scroll_offset.y
        first = top // self._height * self._columns
        last = -(-(top + self.size.height) // self._height) * self._columns
        self._tails.update(self.ranks[first:last], self._height - 1)
        self._history.update()
        lines = [self._line(y) for y in range(self.size.height)]
        former, self._lines = self._lines, lines
        self.refresh_changed(former, lines)

    def _line(self, y: int) -> list[Segment]:
        row, inner = divmod(y + self.scroll_offset.y, self._height)
        parts: list[Segment] = []
        each, spare = divmod(self.size.width, self._columns)
        for column in range(self._columns):
            at = row * self._columns + column
            width = each + (column < spare)
            if at >= len(self.ranks):
                parts.append(Segment(" " * width, self.tone("plain")))
                continue
            rank = self.ranks[at]
            headed = inner == 0 or y == 0  # one that is cut at the top has its title, too
            parts += self._title(rank, width - 1) if headed else self._text(rank, inner, width - 1)
            parts.append(Segment(" ", self.tone("plain")))
        return parts

    def _title(self, rank: int, width: int) -> list[Segment]:
        model = self.model
        broker = model.state.broker(rank)
        kind = looks.look(broker)
        since = looks.since(broker)
        on = "cursor" if rank == self.cursor else "head"
        text = looks.word(broker) if broker.exit is None else looks.brief_end(broker)
        ago = "" if since is None else f" {span(model.now - since)}"
        if broker.exit is not None:
            ago = f" at {clock(broker.exit_t)}"
        head = f" {rank} "
        usage = ""
        if broker.usage is not None and broker.exit is None:
            usage = f" {broker.usage.cpu:3.0f}% {memory(broker.usage.rss):>5} "
        spare = width - len(head) - 2 - len(text) - len(ago) - len(usage)
        spark = ""
        if usage and spare > 3:
            spark = bars(self._history.cpu(rank), min(_SPARK, spare - 1))
        rest = fit(ago, len(ago) + spare - len(spark)) if spare >= 0 else ""
        return [
            Segment(head, self.tone("strong", on)),
            Segment(f"{kind.glyph} {text}", self.tone(kind.tone, on)),
            Segment(rest, self.tone("plain", on)),
            Segment(spark, self.tone("info", on)),
            Segment(
                usage if spare >= 0 else " " * max(0, spare + len(usage) + len(ago)),
                self.tone("plain", on),
            ),
        ]

    def _text(self, rank: int, inner: int, width: int) -> list[Segment]:
        tail = self._tails.get(rank).lines
        edge = Segment("│", self.tone("info" if rank == self.cursor else "faint"))
        # The newest line is at the bottom only once a pane is full: text grows downwards.
        shown = tail[-(self._height - 1) :]
        if not shown:
            return [
                edge,
                Segment(fit(f" {self._step(rank, inner)}", width - 1), self.tone("dim")),
            ]
        if inner - 1 >= len(shown):
            return [edge, Segment(" " * (width - 1), self.tone("plain"))]
        stream, line = shown[inner - 1]
        if stream in GLYPHS and stream:  # as in Output
            glyph, tone = GLYPHS[stream]
            edge = Segment(glyph, self.tone(tone))
        blank = Segment(" ", self.tone("plain"))
        return [edge, blank, *segments(_brief(line), width - 2, self.tone("plain"))]

    def _step(self, rank: int, inner: int) -> str:
        """Return one of its last steps, for a rank that printed nothing: few but rank 0 do."""
        broker = self.model.state.broker(rank)
        notes = [f"{t:.3f} s {text.partition(chr(10))[0]}" for t, text in broker.errors]
        if not notes:
            notes = [
                f"{step.t:.3f} s {looks.called(step.state)}, "
                f"after {span(step.spent)} of {looks.called(step.former)}"
                f"{' and PMI' * (step.former == _LOADING and bool(broker.pmi))}"
                for step in broker.transitions
            ]
        shown = notes[-(self._height - 1) :]
        if not shown:
            return "no output" if inner == 1 else ""
        return printable(shown[inner - 1], 200) if inner <= len(shown) else ""

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        if y >= len(self._lines):
            return self.row([], self.size.width)
        return Strip(self._lines[y]).adjust_cell_length(self.size.width, self.tone("plain"))

    def on_resize(self) -> None:
        """Lay out anew, as far up as the cursor's pane allows."""
        self.scroll_to(y=0, animate=False, immediate=True)
        self._lay_out()
        self.look()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Paint what has come into view."""
        super().watch_scroll_y(old_value, new_value)
        self.look()

    def notify_style_update(self) -> None:
        """Paint anew: a theme has changed."""
        super().notify_style_update()
        self._lines = []

    def _follow(self) -> None:
        """Scroll to the cursor's pane."""
        if self.cursor not in self.ranks or not self.size.height:
            return
        begin = self.ranks.index(self.cursor) // self._columns * self._height
        top = self.scroll_offset.y
        wanted = min(max(top, begin + self._height - self.size.height), begin)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)

    def go(self, rank: int) -> None:
        """Put the cursor on a rank, if it is shown."""
        if rank != self.cursor:
            self.cursor = rank
            self._follow()
            self.look()

    def _to(self, at: int) -> None:
        if self.ranks:
            rank = self.ranks[min(max(at, 0), len(self.ranks) - 1)]
            if rank != self.cursor:
                self.go(rank)
                self.post_message(Moved(rank))

    def action_move(self, x: int, y: int) -> None:
        """Move the cursor."""
        at = self.ranks.index(self.cursor) if self.cursor in self.ranks else 0
        self._to(at + x + y * self._columns)

    def action_page(self, step: int) -> None:
        """Move the cursor by a screenful."""
        self.action_move(0, step * max(1, self.size.height // self._height))

    def action_open(self) -> None:
        """Open the cursor's rank."""
        self.post_message(Opened(self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Go to a pane; open what was clicked twice."""
        row = (event.y + self.scroll_offset.y) // self._height
        column = min(event.x * self._columns // max(1, self.size.width), self._columns - 1)
        at = row * self._columns + column
        if at < len(self.ranks):
            self._to(at)
            if event.chain == 2:
                self.post_message(Opened(self.ranks[at]))
