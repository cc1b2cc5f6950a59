"""The rank map: a glyph and a colour for each rank, a thousand of them on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.strip import Strip

from fluxstart_tui.tui import keymap
from fluxstart_tui.tui.widgets import looks
from fluxstart_tui.tui.widgets.messages import Chose, Moved, Opened
from fluxstart_tui.tui.widgets.paint import Painter, clock, fit, span
from fluxstart_tui.tui.widgets.rank_grid import BLOCK, Grid, layout
from fluxstart_tui.tui.widgets.waited import progress

if TYPE_CHECKING:
    from textual import events

    from fluxstart_tui.session.state import InstanceState
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.widgets.looks import Look

    Piece = tuple[str, str] | tuple[str, str, str]
    """Text, tone, and a tone for its background."""


class RankMap(Painter, can_focus=True):
    """A legend with counts, a cell for each rank, a line on the rank under cursor or mouse.

    Args:
        model: the session.
    """

    DEFAULT_CSS = "RankMap { height: 5; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1, 0)", "Left", show=False, id="map.left"),
        Binding("right,l", "move(1, 0)", "Right", show=False, id="map.right"),
        Binding("up,k", "move(0, -1)", "Up", show=False, id="map.up"),
        Binding("down,j", "move(0, 1)", "Down", show=False, id="map.down"),
        Binding("shift+left", "move(-1, 0, True)", "Choose", show=False, id="map.choose-left"),
        Binding("shift+right", "move(1, 0, True)", "Choose", show=False, id="map.choose-right"),
        Binding("shift+up", "move(0, -1, True)", "Choose", show=False, id="map.choose-up"),
        Binding("shift+down", "move(0, 1, True)", "Choose", show=False, id="map.choose-down"),
        Binding("home", "go(0)", "First", show=False, id="map.first"),
        Binding("end", "go(-1)", "Last", show=False, id="map.last"),
        Binding("n", "next_trouble(1)", "Next in trouble", show=False, id="map.next-trouble"),
        Binding("N", "next_trouble(-1)", "Previous in trouble", id="map.previous-trouble"),
        Binding("x", "choose", "Choose", show=False, id="map.choose"),
        Binding("space", "choose_unless_replay", "Choose", show=False, id="map.choose-or-play"),
        Binding("enter", "open", "Open", show=False, id="map.open"),
    ]

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.cursor = 0
        self.chosen: frozenset[int] = frozenset()
        self._missing: frozenset[int] = frozenset()
        self._hover: int | None = None
        self._anchor: int | None = None
        self._state: InstanceState | None = None
        self._looks: list[Look] = []
        self._of: dict[int, tuple[object, Look]] = {}
        """Brokers that have been looked at, and how they look: the same object looks the same."""
        self._grid = Grid(1, 1, 0, 1, 1)
        self._lines: list[list[Piece]] = []

    def wanted(self, width: int, height: int) -> int:
        """Return how many rows it needs, its legend and its last line included, up to `height`."""
        return layout(self.model.size, width, max(1, height - 2)).rows + 2

    def look(self) -> None:
        """Take what is new in the model and repaint what has changed."""
        state = self.model.state
        if state is not self._state:
            self._state = state
            self._looks = [self._look(state, rank) for rank in range(state.size)]
            self._missing = progress(self.model).missing
            self._draw()
        elif self._lines:  # only time has passed
            former, self._lines = self._lines, [*self._lines[:-1], self._line(self.size.width)]
            self.refresh_changed(former, self._lines)

    def _look(self, state: InstanceState, rank: int) -> Look:
        broker = state.brokers.get(rank)
        if broker is None:
            return looks.KINDS["elsewhere" if rank in state.away else "not started"]
        known = self._of.get(rank)
        if known is None or known[0] is not broker:
            known = self._of[rank] = (broker, looks.look(broker))
        return known[1]

    def _draw(self) -> None:
        width, height = self.size
        if not width:
            return
        self._grid = layout(len(self._looks), width, max(1, height - 2))
        rows = [self._row(y) for y in range(self._grid.rows)][: max(1, height - 2)]
        lines = [self._legend(width), *rows]
        lines += [[] for _ in range(height - 1 - len(lines))]
        lines.append(self._line(width))
        former, self._lines = self._lines, lines
        self.refresh_changed(former, lines)

    def _row(self, y: int) -> list[Piece]:
        grid = self._grid
        first = y * grid.columns * grid.each
        label = f"{first:>{grid.label - 1}} " if grid.label else ""
        parts: list[Piece] = [(" " + label, "faint")]
        for column in range(grid.columns):
            rank = first + column * grid.each
            if rank >= len(self._looks):
                break
            some = self._looks[rank : rank + grid.each]
            one = some[0] if len(some) == 1 else max(some, key=lambda look: look.weight)
            here = rank <= self.cursor < rank + grid.each
            on = "cursor" if here else "chosen" if self._has_any(rank, self.chosen) else ""
            wanted = self._has_any(rank, self._missing)
            tone = one.tone if one.tone == "bad" or not wanted else "warn"
            if not grid.label:
                number = f"{rank:>{grid.width - 3}}"
                named = "warn" if wanted else "strong" if here else "dim"
                parts += [(number, named, on), (one.glyph, tone, on)]
                parts.append(("  ", "plain", ""))
            else:
                if grid.width == 1 and column and column % BLOCK == 0:
                    parts.append((" ", "plain", ""))
                parts.append((one.glyph, tone, on))
                if grid.width == 2:
                    parts.append((" ", "plain", ""))
        return parts

    def _has_any(self, rank: int, ranks: frozenset[int]) -> bool:
        """Tell whether a cell has any of some ranks."""
        each = self._grid.each
        return rank in ranks if each == 1 else not ranks.isdisjoint(range(rank, rank + each))

    def _legend(self, width: int) -> list[Piece]:
        known = [self.model.state.broker(rank) for rank in range(len(self._looks))]
        counts = looks.counts(known, exact=True)
        if sum(len(text) + 3 for text, _ in counts) > width:
            counts = looks.counts(known, exact=False)
        parts: list[Piece] = [(" ", "plain")]
        for text, tone in counts:
            parts += [(text, tone), ("   ", "plain")]
        if self._grid.each > 1:
            parts.append((f"{self._grid.each} ranks a cell, m: one", "dim"))
        used = sum(len(part[0]) for part in parts)
        if self.chosen and used + 14 < width:
            text = f"{len(self.chosen)} chosen "
            parts += [(" " * (width - used - len(text)), "plain"), (text, "title")]
        return parts

    def _line(self, width: int) -> list[Piece]:
        """Return what is known of the rank under the mouse or else the cursor."""
        rank = self.cursor if self._hover is None else self._hover
        if rank >= len(self._looks):
            return []
        state, kind = self.model.state, self._looks[rank]
        broker = state.broker(rank)
        since = looks.since(broker)
        text = looks.end(broker) if broker.exit is not None else looks.word(broker)
        if broker.exit is not None:
            text = f"{looks.word(broker)}: {text}" if text != "0" else "exited with code 0"
        ago = "" if since is None else f" for {span(self.model.now - since)}"
        if broker.exit is not None:
            ago = f" at {clock(broker.exit_t)}"
        facts = [f"pid {broker.pid}"] if broker.pid > 0 else []
        host = self.model.host(rank)
        facts += [host] if host else []
        if broker.usage is not None and broker.exit is None:
            facts.append(f"{broker.usage.cpu:.0f}% CPU")
        if broker.errors and broker.state != "run":
            facts.append(broker.errors[-1][1].split("\n")[0])
        head = f" rank {rank} "
        hint = keymap.of(self.app).text(" {app.detail}: more ")
        room = width - len(head) - len(text) - len(ago) - 2 - len(hint)
        rest = fit(" · ".join(["", *facts]), max(0, room))
        told: list[Piece] = [(head, "strong"), (f"{kind.glyph} {text}", kind.tone)]
        return [*told, (ago + rest, "dim"), (hint, "info")]

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        if y >= len(self._lines):
            return self.row([], self.size.width)
        segments = [
            Segment(part[0], self.tone(part[1], part[2] if len(part) > 2 else ""))
            for part in self._lines[y]
        ]
        return Strip(segments).adjust_cell_length(self.size.width, self.tone("plain"))

    def on_resize(self) -> None:
        """Lay out anew."""
        self._draw()

    def go(self, rank: int) -> None:
        """Put the cursor on a rank."""
        if rank != self.cursor and 0 <= rank < max(1, self.model.size):
            self.cursor = rank
            self._draw()

    def _to(self, rank: int) -> None:
        rank = min(max(rank, 0), self.model.size - 1)
        self._hover = None
        if rank != self.cursor:
            self.go(rank)
            self.post_message(Moved(rank))

    def mark(self, ranks: frozenset[int]) -> None:
        """Show ranks as chosen."""
        if ranks != self.chosen:
            self.chosen = ranks
            self._draw()

    def choose(self, ranks: frozenset[int]) -> None:
        """Choose ranks and say so."""
        self.mark(ranks)
        self.post_message(Chose(ranks))

    def _range(self) -> None:
        if self._anchor is not None:
            first, last = sorted((self._anchor, self.cursor))
            self.choose(frozenset(range(first, last + 1)))

    def action_move(self, x: int, y: int, choose: bool = False) -> None:
        """Move the cursor, and choose all from where that began if `choose`."""
        if choose and self._anchor is None:
            self._anchor = self.cursor
        if not choose:
            self._anchor = None
        self._to(self.cursor + (x + y * self._grid.columns) * self._grid.each)
        self._range()

    def action_go(self, rank: int) -> None:
        """Go to a rank; -1 is the last."""
        self._to(rank if rank >= 0 else self.model.size - 1)

    def action_next_trouble(self, step: int) -> None:
        """Go to the next rank that needs attention."""
        size = len(self._looks)
        for far in range(1, size + 1):
            rank = (self.cursor + step * far) % size
            if self._looks[rank].tone in ("warn", "bad") or rank in self._missing:
                self._to(rank)
                return

    def action_choose(self) -> None:
        """Choose the cursor's rank, or no longer."""
        first = self.cursor - self.cursor % self._grid.each
        self.choose(self.chosen ^ frozenset(range(first, first + self._grid.each)))

    def action_open(self) -> None:
        """Open the cursor's rank."""
        self.post_message(Opened(self.cursor))

    def _under(self, event: events.MouseEvent) -> int | None:
        y = event.y - 1
        if not 0 <= y < self._grid.rows or event.y >= self.size.height - 1:
            return None
        rank = (y * self._grid.columns + self._grid.column(event.x)) * self._grid.each
        return rank if rank < len(self._looks) else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell about the rank under the mouse; choose while a button is held."""
        rank = self._under(event)
        if event.button and rank is not None and self._anchor is not None:
            self._to(rank)
            self._range()
        elif rank != self._hover:
            self._hover = rank
            self._draw()

    def on_leave(self) -> None:
        """Tell about the cursor's rank again."""
        self._hover = None
        self._draw()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go to the rank; a drag chooses from here."""
        rank = self._under(event)
        if rank is None:
            return
        if event.shift:
            self._anchor = self.cursor if self._anchor is None else self._anchor
        else:
            self._anchor = rank
        self._to(rank)
        if event.shift:
            self._range()
        elif event.ctrl:
            self.action_choose()

    def on_mouse_up(self) -> None:
        """End a drag."""
        self._anchor = None

    def on_click(self, event: events.Click) -> None:
        """Open what was clicked twice."""
        rank = self._under(event)
        if rank is not None and event.chain == 2:
            self.post_message(Opened(rank))
