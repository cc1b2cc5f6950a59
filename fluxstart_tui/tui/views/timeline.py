"""The Timeline view: what each rank did when, on one axis, the slowest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding

from fluxstart_tui.diagnose.words import act
from fluxstart_tui.tui.phase_bars import KINDS, Lives
from fluxstart_tui.tui.widgets.axis import TimeSource, roomy, span
from fluxstart_tui.tui.widgets.page import RowsPage
from fluxstart_tui.tui.widgets.source import styled

if TYPE_CHECKING:
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.phase_bars import Life
    from fluxstart_tui.tui.widgets.rows import RowsView
    from fluxstart_tui.tui.widgets.source import Source

_MUCH = 4.0
"""If all of it takes so many times as long as the launch, the launch alone is shown at first."""


class BarsSource(TimeSource):
    """Ranks as bars."""

    title = "Timeline"
    ticks = True

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.lives = Lives()
        self.slowest_first = True
        self.left = 8
        self._order: list[int] = []
        self._seen: tuple[object, ...] = ()
        self._sorted: object = None

    def __len__(self) -> int:
        return len(self._order)

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        super().look()
        model = self.model
        fresh = self.lives.take(model.events)
        begin, end = self.bounds()
        now = model.now
        # A bar that grows grows by columns; one that is out of sight does not matter.
        column = 0 if model.ended and not model.replay else int(now / ((end - begin) / 200))
        seen = (column if now <= end else -1, begin, end, model.replay and now)
        if not fresh and seen == self._seen and not self.moved:
            return False
        self._seen, self.moved = seen, False
        key = (fresh, self.slowest_first, model.size, model.replay and model.version)
        if fresh or key != self._sorted:
            self._sorted = (False, *key[1:])
            here = self._order[self.cursor] if self.cursor < len(self._order) else None
            self._order = (
                self.lives.slowest(model.size, now)
                if self.slowest_first
                else list(range(model.size))
            )
            if here is not None and self.cursor:
                self.cursor = self._order.index(here)
        self.version += 1
        return True

    def extent(self) -> tuple[float, float]:
        """Return the times of the launch, or of everything if that is not much longer."""
        end = self.whole()[1]
        booted = self.lives.booted
        if booted and end > booted * _MUCH:
            return 0.0, booted * 1.25
        return 0.0, end

    def whole(self) -> tuple[float, float]:
        """Return the times between which anything is."""
        replay = self.model.replay
        now = replay.end if replay is not None else self.model.now
        end = max(self.lives.last, 1e-3)
        if replay is None and self.model.ended:
            return 0.0, end * 1.02
        return 0.0, roomy(max(end, now)) if replay is None else max(end, now) * 1.02

    def status(self) -> str:
        """Return how rows are sorted and what is shown."""
        begin, end = self.bounds()
        part = "" if end >= self.whole()[1] * 0.99 and begin == 0 else "  (a: all)"
        order = "slowest first" if self.slowest_first else "by rank"
        since = "start" if begin <= 0 else span(begin)
        return f"{order}, {since} to {span(end)}{part}"

    def show_all(self) -> None:
        """Show everything, however long it took."""
        self._show(*self.whole())
        self.version += 1
        self.moved = True

    def header(self, width: int) -> Text:
        """Return the axis."""
        replay = self.model.replay
        now = self.model.now
        mark = now if not self.model.ended or (replay and now < replay.end) else None
        return Text(f" {'RANK':>{self.left - 2}} ") + self.axis(width - self.left, mark)

    def row(self, i: int, width: int) -> Text:
        """Return a rank's phases as a bar."""
        rank = self._order[i]
        text = styled(f" {rank:>{self.left - 2}} ", "bold")
        columns = width - self.left
        life = self.lives.of.get(rank)
        now = self.model.now
        if life is None or not life.bars or life.bars[0].begin > now:
            text.append("not started", "bold yellow")
            return text
        end = min(now, life.end) if life.end is not None else now
        x = 0
        for number, bar in enumerate(life.bars):
            if bar.begin > end:
                break
            more = number + 1 < len(life.bars)
            until = min(life.bars[number + 1].begin if more else end, end)
            first, last = self.column(bar.begin, columns), self.column(until, columns)
            first, last = max(0, first), min(last, columns)
            if not more and last == first and x <= first < columns:
                last += 1  # what is done at present must be seen
            if last <= first or (first < x and last <= x):
                continue
            first = max(first, x)
            text.append(" " * (first - x))
            kind = KINDS[bar.kind]
            size = last - first
            label = kind.name[:size] if size > len(kind.name) else ""
            text.append(label, f"bold #ffffff on {kind.color}")
            text.append(kind.fill * (size - len(label)), f"#a8b0c0 on {kind.color}")
            x = last
        self._close(text, life, x, columns, now)
        return text

    def _close(self, text: Text, life: Life, x: int, columns: int, now: float) -> None:
        """Say behind a bar how it ended."""
        ended = life.end is not None and life.end <= now
        if ended and life.ending is not None and life.end is not None:
            bad = life.ending.code != 0 or life.ending.signum
            if self.column(life.end, columns) < columns:
                text.append(f"{'✗' if bad else '◌'} {act(life.ending)}",
                            "bold red" if bad else "dim")  # fmt: skip
            elif x < columns:
                text.append(" " * (columns - x))

    def detail(self, i: int) -> Text:
        """Return the phases of a rank in numbers."""
        rank = self._order[i]
        life = self.lives.of.get(rank)
        text = styled(f"rank {rank} ", "bold")
        now = self.model.now
        if life is None or not life.bars:
            text.append("has not been started")
            return text
        end = min(now, life.end) if life.end is not None else now
        bars = [bar for bar in life.bars if bar.begin <= end]
        spans = [
            (bar.kind, (bars[n + 1].begin if n + 1 < len(bars) else end) - bar.begin)
            for n, bar in enumerate(bars)
        ]
        longest = max((length for _, length in spans), default=0.0)
        for kind, length in spans:
            if length < 5e-5:
                continue
            text.append(f"{KINDS[kind].name} ", "")
            text.append(span(length), "bold yellow" if length == longest else "bold")
            text.append(" · ", "dim")
        text.right_crop(3)
        if life.ran is not None and life.ran <= now:
            text.append(f"  run after {span(life.ran - life.bars[0].begin)}", "dim")
        if life.ending is not None and life.end is not None and life.end <= now:
            text.append(f"  {act(life.ending)} at {span(life.end)}", "dim")
        return text

    def rank(self, i: int) -> int | None:
        """Return the row's rank."""
        return self._order[i]

    def plain(self, i: int) -> str:
        """Return what is searched in a row: rank and host."""
        return f"{self._order[i]} {self.model.host(self._order[i])}"


class TimelineView(RowsPage):
    """Phases of all ranks on one axis."""

    TITLE: ClassVar[str] = "Timeline"
    ticks = True
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("+ -", "zoom"),
        ("← →", "move in time"),
        ("0, a", "show the launch, show all"),
        ("o", "sort: slowest first, by rank"),
        ("click on the axis", "in a replay: go there"),
        *RowsPage.KEYS,
    ]
    hints = (("+", "zoom in"), ("-", "out"), ("0", "launch"), ("a", "all"), ("o", "sort"),
             ("/", "search"))  # fmt: skip
    BINDINGS: ClassVar = [
        Binding("o", "sort", "Sort", show=False),
        Binding("a", "all", "Show all", show=False),
    ]

    def make_sources(self) -> list[Source]:
        """Return the bars."""
        self.bars = BarsSource(self.model)
        return [self.bars]

    def empty(self) -> str:
        """Return what is said if there are no rows."""
        return "how many brokers there are to be is not known yet"

    def action_sort(self) -> None:
        """Sort by something else."""
        self.bars.slowest_first = not self.bars.slowest_first
        self.bars.moved = True
        self.look()

    def action_all(self) -> None:
        """Show everything."""
        self.bars.show_all()
        self.look()

    def on_rows_view_header_clicked(self, message: RowsView.HeaderClicked) -> None:
        """Go to a time, in a replay."""
        replay = self.model.replay
        x = message.x - self.bars.left
        if replay is not None and x >= 0:
            begin, end = self.bars.bounds()
            replay.seek(begin + (end - begin) * (x + 0.5) / (self._rows.columns - self.bars.left))
