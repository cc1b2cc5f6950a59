"""Watch brokers from inside: whom to connect to over RUNDIR/local-R, and when.

Brokers are asked for their logs (hearing.py), which have everything from the first moment on, so
that there is no hurry while a boot needs all the CPU there is. Embedded brokers write theirs where
it is read without asking (shared_log.py).

The sockets are looked at on a tick rather than when they have something: records carry their own
times, and thousands of wake-ups during a boot would be taken from the brokers.
"""

from __future__ import annotations

import math
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fluxstart_tui.engine.hearing import Hearing
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.engine.shared_log import SharedLog
    from fluxstart_tui.engine.tap import Tap
    from fluxstart_tui.reactor import Reactor

_BUSY, _CALM = 0.05, 0.2
"""Seconds between two looks while something happens, and while nothing has for a second."""

_EAGER = 0.002
"""The same while one of few brokers may listen at any moment: a singleton's whole life is short."""

_OTHERS = 20
"""Brokers that are not done with PMI are looked for every so many ticks only: who has no time to
lose is not asked questions meanwhile."""

_FEW = 16
"""In an instance of no more brokers they are looked for at every tick."""


class Monitor:
    """Connects to each broker as soon as it can be, and has what it tells recorded.

    Args:
        reactor: the engine's loop.
        record: takes states, membership, overlay status and log.
        connector: tells where a rank's socket is, or will be.
        size: number of brokers.
        quiet: seconds since the last rank was done with PMI after which those that are done are
            asked, and since rank 0 was after which it is. Until then a boot takes all the CPU.
        log: has what all brokers log, if they are embedded ones. Such an instance may be over
            sooner than that: rank 0 is asked as soon as it is done with PMI.
    """

    def __init__(
        self,
        reactor: Reactor,
        record: Record,
        connector: Callable[[int], str],
        size: int,
        quiet: float,
        log: SharedLog | None = None,
    ) -> None:
        self._reactor = reactor
        self._record = record
        self._connector = connector
        self._size = size
        self._quiet = quiet
        self._log = log
        self._epoll = select.epoll()
        self._by_fd: dict[int, Tap] = {}
        self._running: set[int] = set()
        self._ready: set[int] = set()
        self._wanted: set[int] = set()  # who is to be connected to and is not yet
        self._heard: Hearing | None = None
        self._tick = 0
        self._last = reactor.now()
        self._leader = -math.inf  # when rank 0 was
        self._settled = -math.inf  # when the last rank that is done with PMI was
        self._timer = reactor.call_later(_BUSY, self._look)

    def _hear(self) -> Hearing:
        if self._heard is None:
            from fluxstart_tui.engine.hearing import Hearing  # not before there is anything

            self._heard = Hearing(
                self._record,
                self._size,
                self._reactor.call_later,
                self._ask,
                logged=self._log is None,
            )
        return self._heard

    @property
    def log_fd(self) -> int | None:
        """What brokers are to write their log to as well."""
        return self._log.fd if self._log is not None else None

    @property
    def booting(self) -> bool:
        """Whether somebody is not done with PMI, or has just been and takes all the CPU."""
        # Embedded brokers have no calm afterwards that would be worth waiting for.
        calm = self._log is not None or self._reactor.now() - self._settled >= self._quiet
        return not (calm and self._running <= self._ready)

    def started(self, rank: int) -> None:
        """Take that a broker was started: it is to be watched."""
        self._running.add(rank)
        self._last = self._reactor.now()
        if self._heard is not None:
            self._heard.started(rank)
        elif self._size <= _FEW:
            self._hear()  # there may be no time to load it later
        known = self._heard is not None and self._heard.concerns(rank)
        if self._log is None or rank == 0 or known:
            self._wanted.add(rank)

    def settled(self, rank: int) -> None:
        """Take that a rank has no PMI, or is done with it but for a reply: then it waits for us."""
        self._ready.add(rank)
        self._settled = self._last = self._reactor.now()
        if rank == 0:
            self._leader = self._settled
        if self._size <= _FEW or self._log is not None:
            self._connect(rank)  # its life may be over before the next look
        self._look_within(_EAGER if self._size <= _FEW else _BUSY)

    def _look_within(self, delay: float) -> None:
        if self._reactor.now() + delay < self._timer.when:
            self._timer.cancel()
            self._timer = self._reactor.call_later(delay, self._look)

    def ended(self, rank: int) -> None:
        """Take that a broker has ended: what it has said is read to its end."""
        self._running.discard(rank)
        self._ready.discard(rank)
        self._wanted.discard(rank)
        self._read_log()
        tap = self._heard.taps.get(rank) if self._heard is not None else None
        if tap is not None:
            self._hear().read(tap)
            self._drop(tap)

    def lost_parent(self, rank: int) -> bool:
        """Tell whether a rank has said that it lost its TBON parent."""
        return self._heard is not None and rank in self._heard.orphans

    def close(self) -> None:
        """Watch no more."""
        self._timer.cancel()
        for tap in list(self._by_fd.values()):
            self._drop(tap)
        self._epoll.close()
        if self._log is not None:
            self._log.close()

    def _look(self) -> None:
        self._tick += 1
        now = self._reactor.now()
        news = self._read_log()
        for rank in self._due(now):
            news |= self._connect(rank)
        for fd, _ in self._epoll.poll(0):
            news = True
            tap = self._by_fd.get(fd)
            if tap is not None and not self._hear().read(tap):
                self._drop(tap)
        if news:
            self._last = now
        eager = self._size <= _FEW and self._wanted & self._ready
        busy, calm = (_EAGER, _BUSY) if eager else (_BUSY, _CALM)
        pause = busy if now - self._last < 1.0 else calm
        self._timer = self._reactor.call_later(pause, self._look)

    def _read_log(self) -> bool:
        """Take what brokers have written to the log; tell whether that was anything."""
        lines = self._log.read() if self._log is not None else []
        if lines:
            self._hear().take(lines)
        return bool(lines)

    def _due(self, now: float) -> list[int]:
        """Return the brokers that are to be connected to now, if they can be."""
        if self._size <= _FEW or not self._tick % _OTHERS:
            return list(self._wanted)
        ready = self._wanted & self._ready
        if now - self._settled >= self._quiet:
            return list(ready)
        # Rank 0 may not wait for the others: it is asked when a program of its may have begun.
        return [0] if 0 in ready and now - self._leader >= self._quiet else []

    def _connect(self, rank: int) -> bool:
        """Connect to a broker that is to be asked and is not yet; tell whether that was done."""
        if rank not in self._wanted:
            return False
        tap = self._hear().connect(rank, self._connector(rank))
        if tap is None:
            return False
        self._wanted.discard(rank)
        self._by_fd[tap.fd] = tap
        self._epoll.register(tap.fd, select.EPOLLIN)
        return True

    def _ask(self, others: Iterable[int]) -> None:
        """Ask all that are done with PMI: a short program leaves no other time than this.

        Args:
            others: whom there is something to ask as well, as has just been found out.
        """
        heard = self._hear()
        self._wanted.update(rank for rank in others if rank not in heard.taps)
        self._wanted &= self._running
        for rank in self._wanted & self._ready:
            self._connect(rank)

    def _drop(self, tap: Tap) -> None:
        del self._by_fd[tap.fd]
        self._epoll.unregister(tap.fd)
        self._hear().drop(tap)
