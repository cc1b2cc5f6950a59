"""Look at the brokers on this host when their launch comes no further; nothing waits for them."""

from __future__ import annotations

from fluxstart_tui.engine import processes
from fluxstart_tui.probe import ask, broker, family
from fluxstart_tui.session.events import Exit, Probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.engine.local_ranks import LocalRanks
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.session.said import Reader

_PERIOD = 3.0
"""Seconds between two looks at the same brokers."""

_MOST = 16
"""Brokers that are looked at in one go, some milliseconds each; first those that do not sleep."""

_HALTED = {"T", "t"}
"""States of proc(5) of who is stopped by a signal or a debugger."""


class Probes:
    """Records how brokers look from outside, and what they say when they are asked.

    Args:
        reactor: the engine's loop.
        record: takes what is found.
        reader: tells whether there is a stall, and is told what is found.
        local: the brokers.
    """

    def __init__(self, reactor: Reactor, record: Record, reader: Reader, local: LocalRanks) -> None:
        self._reactor = reactor
        self._record = record
        self._reader = reader
        self._local = local
        self._due = 0.0
        self._looked = False
        """Whether this is a stall that has been looked at before."""
        self._asked: set[int] = set()
        self._known: dict[int, Probe] = {}
        self._talks: dict[int, ask.Talk] = {}

    def look(self, launcher: int) -> None:
        """Look at them if there is a stall, or one of them is stopped.

        Args:
            launcher: pid of what has launched them.
        """
        now = self._record.now()
        states = {
            rank: process.state
            for rank, pid in self._local.pids.items()
            if (process := processes.read(pid)) is not None
        }
        if not (self._reader.stalled(now) or _HALTED & set(states.values())):
            self._looked = False
            return
        if now < self._due:
            return
        self._due = now + _PERIOD
        if not self._looked:
            self._looked = True
            self._asked.clear()
            self._search(launcher)
        ranks = sorted(self._local.pids, key=lambda one: (states.get(one) == "S", one))
        for rank in ranks[:_MOST]:
            self._look_at(rank)

    def _search(self, launcher: int) -> None:
        """Find brokers that have not told their pid, or not the one that they have out here."""
        told = self._reader.pids
        if len(self._local.pids) >= (self._reader.size or 1):
            return
        try:
            task = next(iter(self._local.pids.values()), None)
            found = family.of_process(launcher) if task is None else family.of_task(task)
        except family.FamilyError:
            return
        self._local.follow({task.rank: task.pid for task in found.tasks})
        for rank, pid in told.items():
            if rank not in self._local.pids:
                end = Exit(rank, pid, 0, 0, "unknown", "there is no such process any more")
                self._record.event(end)
                self._reader.died(self._record.now(), end)

    def _look_at(self, rank: int) -> None:
        look = broker.look(self._local.pids[rank])
        former = self._known.get(rank)
        says = former.says if former is not None and rank in self._asked else ""
        self._tell(Probe(rank, *look, says))
        if look.local and look.state in "RSD" and rank not in self._asked:
            self._asked.add(rank)
            self._ask(rank, look.local)

    def _tell(self, probe: Probe) -> None:
        if self._known.get(probe.rank) != probe:
            self._known[probe.rank] = probe
            self._record.event(probe)
        self._reader.probed(self._record.now(), probe)

    def _ask(self, rank: int, path: str) -> None:
        talk = self._talks[rank] = ask.Talk()
        if talk.connect(path):
            self._reactor.add_reader(talk.socket.fileno(), self._answering(rank, talk))
            self._reactor.call_later(ask.PATIENCE, lambda: self._answered(rank, talk))
        else:
            self._answered(rank, talk)

    def _answering(self, rank: int, talk: ask.Talk) -> Callable[[], None]:
        return lambda: None if talk.read() else self._answered(rank, talk)

    def _answered(self, rank: int, talk: ask.Talk) -> None:
        if self._talks.get(rank) is not talk:
            return
        self._hang_up(rank)
        if rank in self._local.pids:
            self._tell(self._known[rank]._replace(says=talk.answers().words))

    def _hang_up(self, rank: int) -> None:
        talk = self._talks.pop(rank)
        self._reactor.remove_reader(talk.socket.fileno())
        talk.socket.close()

    def close(self) -> None:
        """Ask nobody any more."""
        for rank in list(self._talks):
            self._hang_up(rank)
