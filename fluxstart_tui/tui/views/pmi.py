"""The PMI view: the trace, a lane a rank, who is in the barrier, the key-value space."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from fluxstart_tui.rfc import idset
from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.tui import filters, keymap
from fluxstart_tui.tui.pmi_trace import Trace
from fluxstart_tui.tui.views.pmi_barrier import BarrierSource
from fluxstart_tui.tui.views.pmi_kvs import KvsSource
from fluxstart_tui.tui.views.pmi_lanes import LanesSource
from fluxstart_tui.tui.views.pmi_trace_rows import TraceSource
from fluxstart_tui.tui.widgets.page import RowsPage

if TYPE_CHECKING:
    from fluxstart_tui.tui.widgets.source import Source

TRACE, LANES, BARRIER, KVS = range(4)
_SEARCH = ("{rows.search}", "search")
_MODE = ("{rows.next-mode}", "mode")
_RANK = ("{pmi.hold}", "hold rank")
_BARRIER = ("{pmi.hold-barrier}", "hold barrier")


class PmiView(RowsPage):
    """What brokers and their PMI server say to each other."""

    TITLE: ClassVar[str] = "PMI"
    ticks = True
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("{rows.next-mode+}", "next: trace, lanes, barrier, key-value space"),
        ("{rows.previous-mode+}", "the one before"),
        (
            "{pmi.filter}",
            "filter: rank:0-3 cmd:get,put key:REGEX slow:10ms rc:fail; the rest is a REGEX",
        ),
        ("{pmi.own-ranks}", "filter the trace by the chosen ranks, or the row's; again: all"),
        (
            "{pmi.hold}",
            "hold the chosen ranks (or the row's) in PMI, or release them if they are held",
        ),
        ("{pmi.hold-barrier}", "hold the PMI barrier, or release it if it is held"),
        ("{pmi.sort}", "key-value space: sort by key, time, gets"),
        (
            "{rows.zoom-in} {rows.zoom-out} {rows.pan-back} {rows.pan-on} {rows.fit}",
            "lanes: zoom, move in time, all",
        ),
        ("{rows.pan-back} {rows.pan-on}", "barrier: the one before, the next one"),
        *RowsPage.KEYS,
    ]  # fmt: skip
    hints = (_MODE, _SEARCH, ("{pmi.filter}", "filter"), _RANK, _BARRIER)
    filter_help = "rank:0-3 cmd:get,put key:uri slow:10ms rc:fail"
    BINDINGS: ClassVar = [
        Binding("f", "ask('filter')", "Filter", show=False, id="pmi.filter"),
        Binding("r", "own_ranks", "Filter by rank", show=False, id="pmi.own-ranks"),
        Binding("h", "hold", "Hold or release ranks", show=False, id="pmi.hold"),
        Binding("H", "hold_barrier", "Hold or release the barrier", id="pmi.hold-barrier"),
        Binding("o", "sort", "Sort", show=False, id="pmi.sort"),
    ]

    def make_sources(self) -> list[Source]:
        """Return the four modes; they share one trace, which is read when it is looked at."""
        self.trace = Trace(self.model.spool)
        self._trace_rows = TraceSource(self.model, self.trace)
        lanes = LanesSource(self.model, self.trace)
        self._barrier = BarrierSource(self.model, lanes.lanes)
        return [self._trace_rows, lanes, self._barrier, KvsSource(self.model, self.trace)]

    def current_hints(self) -> tuple[tuple[str, str], ...]:
        """Return the hints of the present mode."""
        if self.mode == LANES:
            return (_MODE, ("{rows.zoom-in}", "zoom in"), ("{rows.zoom-out}", "out"),
                    ("{rows.fit}", "all"), _SEARCH)  # fmt: skip
        if self.mode == KVS:
            return (_MODE, _SEARCH, ("{pmi.sort}", "sort"))
        if self.mode == BARRIER:
            at, last = self._barrier.number, self._barrier.last
            before = [("{rows.pan-back}", f"to {at - 1}")] if at > 1 else []
            after = [("{rows.pan-on}", f"to {at + 1}")] if at < last else []
            return (*before, *after, _MODE, _RANK, _BARRIER, _SEARCH)
        return self.hints

    def apply_filter(self, text: str) -> str:
        """Filter the trace; return what is wrong with it, "" if nothing."""
        try:
            self._trace_rows.apply(text)
        except filters.FilterError as error:
            return str(error)
        if self.mode != TRACE:
            self.go(TRACE)
        return ""

    def empty(self) -> str:
        """Return what is said if there are no rows."""
        if self.filter_text:
            return super().empty()
        if not self.model.state.by_pmi:
            return "normal mode: the broker is a singleton and speaks no PMI"
        return "no rank has spoken PMI: brokers that are not started by us speak to another server"

    def action_pan(self, step: float) -> None:
        """Show earlier or later times, or another barrier."""
        if self.mode == BARRIER:
            self._barrier.step(-1 if step < 0 else 1)
            self.look()
        else:
            super().action_pan(step)

    def action_own_ranks(self) -> None:
        """Show only the chosen ranks' lines, or all again."""
        values = self.filter_text.split()
        others = [word for word in values if not word.startswith("rank:")]
        if len(others) == len(values):
            others.insert(0, f"rank:{idset.encode(self.targets)}")
        self.set_filter(" ".join(others))

    def action_sort(self) -> None:
        """Sort the key-value space by something else."""
        if isinstance(self.source, KvsSource):
            self.source.next_sort()
            self.look()

    def action_hold(self) -> None:
        """Hold ranks, or release them if all of them are held."""
        ranks = self.targets
        held = all(self.model.state.broker(rank).held for rank in ranks)
        self._call("release" if held else "hold", idset.encode(ranks))

    def action_hold_barrier(self) -> None:
        """Hold the barrier, or release it."""
        self._call("release" if self.model.state.barrier_held else "hold", "barrier")

    def _call(self, verb: str, what: str) -> None:
        if self.commands is None:
            self.notify("this is a recording: nothing can be held", severity="warning")
            return
        self.run_worker(self._ask_for(verb, what), exclusive=False)

    async def _ask_for(self, verb: str, what: str) -> None:
        assert self.commands is not None
        name = "the barrier" if what == "barrier" else f"rank {what}"
        try:
            await self.commands.call("start.pmi", {verb: what})
        except (RpcError, OSError) as error:
            self.notify(f"can not {verb} {name}: {error}", severity="error")
            return
        done = "held" if verb == "hold" else "released"
        key = "{pmi.hold-barrier}" if what == "barrier" else "{pmi.hold}"
        again = "" if verb == "release" else keymap.of(self.app).text(f" ({key} releases)")
        self.notify(f"{name} {done} in PMI{again}")
