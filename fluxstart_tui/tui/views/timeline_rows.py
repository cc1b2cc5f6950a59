"""What each rank did when, as bars on one axis, with a cursor for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fluxstart_tui.diagnose import happened
from fluxstart_tui.diagnose.lives import KINDS, Lives
from fluxstart_tui.diagnose.words import act, ids, span
from fluxstart_tui.tui import themes
from fluxstart_tui.tui.widgets.axis import TimeSource, roomy
from fluxstart_tui.tui.widgets.source import styled

if TYPE_CHECKING:
    from fluxstart_tui.diagnose.happened import Deed
    from fluxstart_tui.diagnose.lives import Life
    from fluxstart_tui.tui.model import Model

_MUCH = 4.0
"""If all of it takes so many times as long as the launch, the launch alone is shown at first."""
_SHORT = 5e-5
"""Seconds: shorter phases are not told in numbers."""
_TOLD = 3
"""Stops of a rank by a signal that are told in numbers, the last ones."""
_RANK = 8
"""Columns for the rank."""
_PLACE = 12
"""Columns for what it did at the cursor's time."""


class BarsSource(TimeSource):
    """Ranks as bars."""

    title = "Bars"
    ticks = True

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.lives = Lives()
        self.slowest_first = True
        self._time: float | None = None
        self._order: list[int] = []
        self._seen: tuple[object, ...] = ()
        self._sorted: object = None
        self._all = False  # whether all is wanted, however long it takes
        self._deeds: list[Deed] = []
        self._read = 0

    def __len__(self) -> int:
        return len(self._order)

    @property
    def time(self) -> float | None:
        """The time under the cursor: in a replay the present one, else None if there is none."""
        replay = self.model.replay
        if replay is None:
            return self._time
        return None if (now := replay.now()) >= replay.end else now

    @property
    def left(self) -> int:  # type: ignore[override] # it is not the same for ever
        """Columns that are not the axis."""
        return _RANK if self.time is None else _RANK + _PLACE

    @property
    def middle(self) -> float:
        """The time that stays where it is when it is zoomed: the cursor's if it is in sight."""
        begin, end = self.bounds()
        time = self.time
        return time if time is not None and begin <= time <= end else (begin + end) / 2

    def go_to(self, t: float | None) -> None:
        """Put the cursor on a time, in a replay by going there; None for the present."""
        replay = self.model.replay
        last = self.model.now if replay is None else replay.end
        if t is not None:
            t = max(0.0, t)
        if replay is not None:
            replay.seek(last if t is None else t)
        else:
            self._time = None if t is None or t > last else t
        begin, end = self.bounds()
        here = last if t is None else min(t, last)
        if not begin <= here <= end:  # the cursor takes what is shown along
            by = here - (begin if here < begin else end)
            self._show(begin + by, end + by)
        self.version += 1
        self.moved = True

    def step(self, columns: int, width: int) -> None:
        """Move the cursor by some columns of an axis that is so wide."""
        begin, end = self.bounds()
        replay = self.model.replay
        here = self.time
        if here is None:
            here = self.model.now if replay is None else replay.end
            here = min(max(here, begin), end)
        self.go_to(here + columns * (end - begin) / max(1, width))

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        super().look()
        model = self.model
        fresh = self.lives.take(model.events)
        self._deeds += happened.deeds(model.events[self._read :])
        self._read = len(model.events)
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
        if booted and end > booted * _MUCH and not self._all:
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
        whole = self.whole()[1]
        part = "" if end >= whole * 0.99 and begin == 0 else f" of {span(whole)}"
        order = "slowest first" if self.slowest_first else "by rank"
        return f"{order}, {'0' if begin <= 0 else span(begin)} to {span(end)}{part}"

    def show_all(self) -> None:
        """Show everything, however long it took."""
        super().zoom(0.0)
        self._all = True

    def zoom(self, factor: float) -> None:
        """Show so many times as much; 0 for the launch."""
        self._all = self._all and bool(factor)
        super().zoom(factor)

    def header(self, width: int) -> Text:
        """Return the axis."""
        head = Text(f" {'RANK':>{_RANK - 2}} ")
        time = self.time
        if time is not None:
            head.append(f"{'AT ' + span(time):<{_PLACE}}", "bold yellow")
        else:
            time = None if self.model.ended else self.model.now
        now = self.model.now
        done = [one.t for one in self._deeds if one.t <= now]
        return head + self.axis(width - self.left, time, done)

    def row(self, i: int, width: int) -> Text:
        """Return a rank's phases as a bar."""
        rank = self._order[i]
        text = styled(f" {rank:>{_RANK - 2}} ", "bold")
        columns = width - self.left
        life = self.lives.at(rank, self.model.now)
        time = self.time
        if time is not None:
            text.append(
                f"{self.lives.place(rank, time, self.model.state):<{_PLACE}.{_PLACE - 1}}",
                "bold yellow",
            )
        self._bars(text, life, columns)
        self._stops(text, rank, columns)
        if time is not None and 0 <= (x := self.column(time, columns)) < columns:
            at = self.left + x
            text.pad_right(max(0, at + 1 - text.cell_len))
            text.plain = f"{text.plain[:at]}┃{text.plain[at + 1 :]}"
            text.stylize("bold yellow", at, at + 1)
        return text

    def _bars(self, text: Text, life: Life | None, columns: int) -> None:
        """Draw the bars of a rank."""
        now = self.model.now
        if life is None or not life.bars or life.bars[0].begin > now:
            if self.time is None:  # else the column on the left says so
                text.append("not started", "bold yellow")
            return
        x = self._life(text, life, columns)
        self._close(text, life, x, columns, now)

    def _life(self, text: Text, life: Life, columns: int) -> int:
        """Draw a life of a rank behind those before; return up to which column."""
        now = self.model.now
        x = 0
        if life.former is not None:
            x = self._life(text, life.former, columns)
            if x < columns and x <= (at := self.column(life.former.end or now, columns)) < columns:
                text.append(" " * (at - x)).append("✗", "bold red")
                x = at + 1
        end = min(now, life.end) if life.end is not None else now
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
            name, fill = themes.bar(bar.kind)
            text.append(label, name)
            text.append(kind.fill * (size - len(label)), fill)
            x = last
        return x

    def _stops(self, text: Text, rank: int, columns: int) -> None:
        """Draw over the bars of a rank when its process was stopped."""
        now = self.model.now
        for begin, end in self.model.state.broker(rank).stops:
            first = max(0, self.column(begin, columns))
            last = min(columns, max(first + 1, self.column(now if end is None else end, columns)))
            if first < last:
                first, last = self.left + first, self.left + last
                text.pad_right(max(0, last - text.cell_len))
                text.plain = text.plain[:first] + "‖" * (last - first) + text.plain[last:]
                text.stylize("bold yellow", first, last)

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
        """Return what all did at the cursor's time, and the phases of a rank in numbers."""
        rank = self._order[i]
        life = self.lives.at(rank, self.model.now)
        text = Text()
        time = self.time
        if time is not None:
            places = self.lives.places(time, self.model.state)
            told = [f"{len(ranks)} {name} ({ids(ranks, 16)})" for name, ranks in places]
            text.append(f"at {span(time)}", "bold yellow").append(f"  {' · '.join(told)}\n")
            begin, end = self.bounds()
            if done := happened.near(self._deeds, time, (end - begin) / 100):
                text.append(f"◆ {done.kind} at {span(done.t)}: ", "bold magenta")
                text.append(f"{done.text}\n")
        text.append(f"rank {rank}  ", "bold")
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
        if life.ran is not None and life.ran <= now:
            text.append(f"in run {span(life.ran - life.bars[0].begin)} after its start: ", "dim")
        for begin, resumed in self.model.state.broker(rank).stops[-_TOLD:]:
            lasted = span((now if resumed is None else resumed) - begin)
            text.append(f"‖ stopped {lasted} at {span(begin)} · ", "bold yellow")
        longest = max((length for _, length in spans), default=0.0)
        for number, (kind, length) in enumerate(one for one in spans if one[1] >= _SHORT):
            text.append(" · " if number else "", "dim")
            text.append(f"{KINDS[kind].name} ", "")
            text.append(span(length), "bold yellow" if length == longest else "bold")
        if life.ending is not None and life.end is not None and life.end <= now:
            text.append(f"  {act(life.ending)} at {span(life.end)}", "dim")
        return text

    def rank(self, i: int) -> int | None:
        """Return the row's rank."""
        return self._order[i]

    def row_of(self, rank: int) -> int | None:
        """Return a rank's row."""
        return self._order.index(rank) if rank in self._order else None

    def plain(self, i: int) -> str:
        """Return what is searched in a row: rank and host."""
        return f"{self._order[i]} {self.model.host(self._order[i])}"
