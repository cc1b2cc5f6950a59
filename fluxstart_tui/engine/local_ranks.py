"""The brokers of a launch that run on this host, though they are the launcher's children."""

from __future__ import annotations

import os
import signal
from typing import NamedTuple

from fluxstart_tui.engine import exit_status, processes
from fluxstart_tui.engine.causes import Causes
from fluxstart_tui.session.events import Exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.session.said import Reader


_MOMENT = 0.05
"""Seconds for which a broker's end by a launcher's usual signals is held back."""
_ENDS_REST = (signal.SIGKILL, signal.SIGTERM)
"""How launchers end the other tasks when one has ended badly."""


class _Broker(NamedTuple):
    rank: int
    pid: int
    pidfd: int


class LocalRanks:
    """Follows brokers by pidfds: a death is known at once, and no signal goes to a stranger.

    Args:
        reactor: the engine's loop.
        record: takes their ends.
        reader: told of their ends.
        ending: tells by what the launch was told to end, "" if it was not.
    """

    def __init__(
        self, reactor: Reactor, record: Record, reader: Reader, ending: Callable[[], str]
    ) -> None:
        self._reactor = reactor
        self._record = record
        self._reader = reader
        self._ending = ending
        self._causes = Causes(record, lambda _rank: False, lambda _signum: False)
        self._brokers: dict[int, _Broker] = {}
        self._since = processes.now()
        self._failed: int | None = None
        """The rank that was the first to end badly."""
        self._held: list[Exit] = []
        """Ends that may be the launcher's answer to one that is seen only now."""
        self.pids: dict[int, int] = {}
        """Pids of those that run, by rank."""

    def follow(self, pids: Mapping[int, int]) -> None:
        """Follow brokers from now on, by rank; those that are followed already stay so."""
        for rank, pid in pids.items():
            if rank in self._brokers or not self._is_ours(pid):
                continue
            try:
                broker = _Broker(rank, pid, os.pidfd_open(pid))
            except OSError:  # it is gone, or descriptors are
                continue
            self._brokers[rank] = broker
            self.pids[rank] = pid
            self._causes.settled(broker)
            self._reactor.add_reader(broker.pidfd, self._ended_by(broker))

    def _is_ours(self, pid: int) -> bool:
        """Tell whether a pid can be meant: what runs in a container has others than we see."""
        process = processes.read(pid)
        return process is not None and process.start >= self._since

    def _ended_by(self, broker: _Broker) -> Callable[[], None]:
        return lambda: self._ended(broker)

    def _ended(self, broker: _Broker) -> None:
        status = exit_status.of(broker.pid, broker.pidfd)
        self._forget(broker)
        if status is None:
            self._tell(Exit(broker.rank, broker.pid, 0, 0, "unknown", "its launcher knows how"))
            return
        end = self._causes.explain(broker, status)
        if end.cause == "sender" and end.signum in _ENDS_REST and self._failed is None:
            self._held.append(end)
            self._reactor.call_later(_MOMENT, self._release)
        else:
            self._tell(self._explained(end))

    def _release(self) -> None:
        held, self._held = self._held, []
        for end in held:
            self._tell(self._explained(end))

    def _tell(self, end: Exit) -> None:
        self._record.event(end)
        self._reader.died(self._record.now(), end)

    def _explained(self, end: Exit) -> Exit:
        """Say of a signal of unknown origin what it goes together with."""
        if end.cause == "sender" and (by := self._ending()):
            return end._replace(cause="shutdown", detail=by)
        if end.cause == "sender" and self._failed is not None:
            detail = f"likely sent by the launcher, since rank {self._failed} had ended"
            return end._replace(detail=detail)
        if end.code and self._failed is None:
            self._failed = end.rank
        return end

    def _forget(self, broker: _Broker) -> None:
        self._reactor.remove_reader(broker.pidfd)
        os.close(broker.pidfd)
        del self._brokers[broker.rank], self.pids[broker.rank]

    def end_leader(self, by: str) -> bool:
        """Ask rank 0, which ends the others in order; False if it is not here."""
        leader = self._brokers.get(0)
        if leader is None:
            return False
        self._causes.signalled({0}, signal.SIGTERM, "shutdown", by)
        return self._send(leader, signal.SIGTERM)

    def signal(self, ranks: Iterable[int], signum: int, by: str) -> frozenset[int]:
        """Signal those of some ranks that run here, for somebody; return them."""
        running = frozenset(ranks) & self._brokers.keys()
        if running:
            self._causes.signalled(running, signum, "user", by)
        for rank in running:
            self._send(self._brokers[rank], signum)
        return running

    def _send(self, broker: _Broker, signum: int) -> bool:
        try:
            signal.pidfd_send_signal(broker.pidfd, signum)
        except OSError:  # it has just ended
            return False
        return True

    def close(self) -> None:
        """Follow nobody any more."""
        self._release()
        for broker in list(self._brokers.values()):
            self._forget(broker)
