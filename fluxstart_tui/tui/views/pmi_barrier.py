"""Who is in the PMI barrier and who is not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.text import Text

from fluxstart_tui.diagnose.progress import passed
from fluxstart_tui.diagnose.words import act, ids, span, where, who
from fluxstart_tui.tui.widgets.source import Source, styled

if TYPE_CHECKING:
    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.pmi_tables import Lanes


class BarrierSource(Source):
    """Ranks, those that are missing first, then in the order of their arrival.

    Args:
        model: the session.
        lanes: what each rank did on the wire, whose times these are if there is a wire.
    """

    title = "Barrier"
    ticks = True

    def __init__(self, model: Model, lanes: Lanes) -> None:
        super().__init__()
        self.model = model
        self.lanes = lanes
        self.number = 1
        """The barrier that it is about: the one that is waited in, or the last one, or chosen."""
        self.last = 1
        """The newest barrier."""
        self.over = False
        """Whether all are past PMI."""
        self._chosen: int | None = None
        self._order: list[int] = []
        self._arrived: dict[int, float] = {}
        """When those came that are in."""
        self._entered: dict[tuple[int, int], list[float]] = {}  # barrier, rank -> when
        self._released: dict[int, float] = {}
        self._read = 0
        self._seen: tuple[object, ...] = ()

    def __len__(self) -> int:
        return len(self._order)

    def step(self, by: int) -> None:
        """Go to an earlier or a later barrier; the newest one is followed."""
        number = max(1, self.number + by)
        self._chosen = number if number < self.last else None
        self._seen = ()

    def work(self, until: float) -> bool:
        """Read the wire until a time; tell whether there is more to do."""
        self.more = self.lanes.work(until)
        return self.more

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        model = self.model
        self.work(time.monotonic() + 0.008)
        tenth = 0 if self.over or model.ended else int(model.now * 4)
        seen = (model.version, tenth, self.lanes.done)
        if seen == self._seen:
            return False
        self._seen = seen
        self._take_events()
        state = model.state
        self.over = state.barriers > 0 and all(
            "finalize" in passed(state, one) or one.exit is not None
            for one in state.brokers.values()
        )
        # Of several lives of a rank its present one counts.
        inside = {one.barrier for one in state.brokers.values() if one.nth > state.barriers}
        self.last = max(1, *(one.barrier for one in state.brokers.values()), *inside)
        self.number = min(self._chosen or min(inside, default=self.last), self.last)
        self._arrived = {}
        for rank, broker in state.brokers.items():
            begin = broker.spawned or 0.0
            came = self._entered.get((self.number, rank), ())
            if times := [t for t in came if begin <= t <= model.now]:
                mark = self.lanes.barrier(rank, self.number, begin)
                self._arrived[rank] = times[-1] if mark is None else mark.first
        missing = [rank for rank in range(model.size) if rank not in self._arrived]
        here = self._order[self.cursor] if self.cursor < len(self._order) else None
        self._order = missing + sorted(self._arrived, key=lambda rank: (-self._arrived[rank], rank))
        if here is not None and self.cursor:  # the cursor stays with its rank once it was moved
            self.cursor = self._order.index(here)
        self.version += 1
        return True

    def _take_events(self) -> None:
        events = self.model.events
        for t, event in events[self._read :]:
            name = type(event).__name__
            if name == "Pmi" and event.phase == "barrier":  # type: ignore[union-attr] # seen by its name
                self._entered.setdefault((event.barrier, event.rank), []).append(t)  # type: ignore[union-attr] # same
            elif name == "Barrier":
                self._released[event.number] = t  # type: ignore[union-attr] # same
        self._read = len(events)

    @property
    def missing(self) -> list[int]:
        """Ranks that are not in."""
        return self._order[: len(self._order) - len(self._arrived)]

    @property
    def released(self) -> float | None:
        """When the barrier was let go the last time, None if it was not."""
        brokers = self.model.state.brokers
        times = (self._out(brokers[rank]) for rank in self._arrived)
        return max((t for t in times if t is not None), default=None)

    def _out(self, broker: BrokerState) -> float | None:
        """Return when the barrier was let go that is this one for a rank."""
        number = broker.before + self.number
        return self._released.get(number) if self.model.state.barriers >= number else None

    def status(self) -> str:
        """Return how many are in, and who is not."""
        held = ", HELD" if self.model.state.barrier_held else ""
        held = held if self.number == self.last else ""
        of = f" of {self.last}" if self.last > 1 else ""
        head = f"barrier {self.number}{of}: {len(self._arrived)}/{self.model.size} in{held}"
        missing = self.missing
        if self.released is not None:
            brokers = self.model.state.brokers
            kept = [rank for rank in self._arrived if self._out(brokers[rank]) is None]
            head += f", out at {self.released:.3f} s"
            return f"{head}, not {who(kept, 24)}" if kept else head
        return f"{head}, missing {ids(missing, 24)}" if missing else head

    def header(self, width: int) -> Text:
        """Return the names of the columns."""
        bar = max(0, width - 62)
        return Text(f"   {'RANK':>5}  {'ARRIVED':>10} {'AFTER 1st':>9} {'WAITS':>8}  "
                    f"{'ARRIVAL':<{bar}} DOES")  # fmt: skip

    def row(self, i: int, width: int) -> Text:
        """Return a rank."""
        rank = self._order[i]
        state = self.model.state
        broker = state.broker(rank)
        inside = rank in self._arrived
        text = styled(" ● " if inside else " ○ ", "green" if inside else "bold yellow")
        if broker.exit is not None and not inside:
            text = styled(" ✗ ", "bold red")
        text.append(f"{rank:>5}  ", "bold")
        times = self._arrived.values()
        first, last = min(times, default=0.0), max(times, default=0.0)
        bar = max(0, width - 62)
        if inside:
            t, end = self._arrived[rank], self._let_out(broker)
            text.append(f"{t:10.4f} {'+' + span(t - first):>9} {span(max(0.0, end - t)):>8}  ")
            here = round((t - first) / max(last - first, 1e-9) * (bar - 1)) if bar else 0
            text.append(("─" * here + "◆").ljust(bar)[:bar] + " ", "green")
        else:
            text.append(f"{'not in':>10} {'':>9} {'':>8}  ", "bold yellow")
            text.append(" " * bar + " ")
        text.append(self._does(broker), "" if inside else "bold")
        return text

    def _let_out(self, broker: BrokerState) -> float:
        """Return until when a rank waits."""
        out = self._out(broker)
        if out is not None:
            mark = self.lanes.barrier(broker.rank, self.number, broker.spawned or 0.0)
            return mark.last if mark is not None and mark.last is not None else out
        return broker.exit_t if broker.exit is not None else self.model.now

    def _does(self, broker: BrokerState) -> str:
        if broker.exit is not None:
            return act(broker.exit)
        text = where(self.model.state, broker)
        if broker.suspended is not None:
            text = f"stopped {span(max(0.0, self.model.now - broker.suspended))}, {text}"
        elif broker.rank not in self._arrived and broker.pmi:
            text += f" for {span(max(0.0, self.model.now - broker.pmi_since))}"
        return text

    def detail(self, i: int) -> Text:
        """Return what is known of a rank."""
        rank = self._order[i]
        broker = self.model.state.broker(rank)
        text = styled(f"rank {rank} ", "bold")
        host = self.model.host(rank)
        text.append(f"on {host}, pid {broker.pid}: " if broker.pid > 0 else f"on {host}: ")
        text.append(self._does(broker))
        missing = self.missing
        if missing and self.released is None:
            text.append(f"   all wait for {len(missing)}: {ids(missing)}", "yellow")
        return text

    def rank(self, i: int) -> int | None:
        """Return the row's rank."""
        return self._order[i]

    def row_of(self, rank: int) -> int | None:
        """Return a rank's row."""
        return self._order.index(rank) if rank in self._order else None
