"""Watch brokers from inside, by their own word, over RUNDIR/local-R.

Every broker's log is followed by `log.dmesg` from its first record on: it has each transition of
its state machine but the last, which is its exit, and brokers answer it before anything else
(flux-core: broker/modhash.c). Where a broker keeps no records of that level, state-machine.monitor
tells of states from `init` on. Rank 0 says who is online, routers how their children are.

The sockets are looked at on a tick rather than when they have something: records carry their own
times, and thousands of wake-ups during a boot would be taken from the brokers.
"""

from __future__ import annotations

import json
import math
import select

from fluxstart_tui.engine import log_record
from fluxstart_tui.engine.record import LOG
from fluxstart_tui.engine.tap import Tap
from fluxstart_tui.rfc import fsd
from fluxstart_tui.session import events, tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.reactor import Reactor

_BUSY, _CALM = 0.02, 0.2
"""Seconds between two looks while something happens, and while nothing has for a second."""

_EAGER = 0.002
"""The same while one of few brokers may listen at any moment: a singleton's whole life is short."""

_OTHERS = 50
"""Brokers that are not done with PMI are looked for every so many ticks only: who has no time to
lose is not asked questions meanwhile."""

_FEW = 16
"""In an instance of no more brokers they are looked for at every tick."""

_ATTRIBUTES = (
    "version", "size", "hostlist", "instance-level", "broker.mapping", "broker.boot-method",
    "broker.quorum", "broker.starttime", "local-uri", "tbon.topo", "tbon.maxlevel",
)  # fmt: skip
"""What is asked of rank 0 once it is online."""

_QUORUM_WARN = 60.0
"""Seconds (flux-broker-attributes(7), broker.quorum-warn), where it is not set."""

_ERR, _INFO = 3, 6
_STATES = (
    "load-builtins", "join", "config-sync", "init", "quorum", "run", "cleanup", "shutdown",
    "finalize", "goodbye", "unload-builtins", "exit",
)  # fmt: skip
"""States by the number that state-machine.monitor gives (flux-core: broker/state_machine.c)."""


class Monitor:
    """Connects to each broker as soon as it can be, and records what it tells.

    Args:
        reactor: the engine's loop.
        record: takes states, membership, overlay status and log.
        connector: tells where a rank's socket is, or will be.
        size: number of brokers.
        quiet: seconds since the last rank was done with PMI after which those that are done are
            asked. Until then a boot takes all the CPU there is.
    """

    def __init__(
        self,
        reactor: Reactor,
        record: Record,
        connector: Callable[[int], str],
        size: int,
        quiet: float,
    ) -> None:
        self._reactor = reactor
        self._record = record
        self._connector = connector
        self._size = size
        self._quiet = quiet
        self._epoll = select.epoll()
        self._taps: dict[int, Tap] = {}
        self._by_fd: dict[int, Tap] = {}
        self._wanted: set[int] = set()
        self._ready: set[int] = set()
        self._states: dict[int, str] = {}
        self._orphans: set[int] = set()
        self._lines: list[bytes] = []
        """Log records of the broker that is being read."""
        self._quorum = 0
        self._hidden = False
        """Whether brokers keep no records of their transitions."""
        self._routers: frozenset[int] | None = None
        """Who may have children; None until that is known."""
        self._tick = 0
        self._last = reactor.now()
        self._settled = -math.inf
        self._clock = log_record.Clock(record)
        self._timer = reactor.call_later(_BUSY, self._look)

    def started(self, rank: int) -> None:
        """Take that a broker was started: it is to be watched."""
        self._wanted.add(rank)
        self._states.pop(rank, None)
        self._orphans.discard(rank)
        self._last = self._reactor.now()

    def settled(self, rank: int) -> None:
        """Take that a rank is done with PMI: then it listens."""
        self._ready.add(rank)
        self._settled = self._reactor.now()
        at_once = rank == 0 or self._size <= _FEW or not self._quiet
        reached = at_once and rank in self._wanted and self._connect(rank)
        if at_once and not reached and self._size <= _FEW:
            # The instance may be over before the next look, if that is not soon.
            self._timer.cancel()
            self._timer = self._reactor.call_later(_EAGER, self._look)

    def ended(self, rank: int) -> None:
        """Take that a broker has ended: what it has said is read to its end."""
        self._wanted.discard(rank)
        self._ready.discard(rank)
        tap = self._taps.get(rank)
        if tap is not None:
            self._read(tap)
            self._drop(tap)

    def lost_parent(self, rank: int) -> bool:
        """Tell whether a rank has said that it lost its TBON parent."""
        return rank in self._orphans

    def close(self) -> None:
        """Watch no more."""
        self._timer.cancel()
        for tap in list(self._taps.values()):
            self._drop(tap)
        self._epoll.close()

    def _look(self) -> None:
        self._tick += 1
        now = self._reactor.now()
        connected = False
        for rank in self._due(now):
            connected |= self._connect(rank)
        ready = self._epoll.poll(0)
        for fd, _ in ready:
            tap = self._by_fd.get(fd)
            if tap is not None and not self._read(tap):
                self._drop(tap)
        if ready or connected:
            self._last = now
        pause = _CALM
        if now - self._last < 1.0:
            eager = self._size <= _FEW and self._wanted & self._ready
            pause = _EAGER if eager else _BUSY
        self._timer = self._reactor.call_later(pause, self._look)

    def _due(self, now: float) -> list[int]:
        """Return the brokers that are to be connected to now, if they can be."""
        if self._size <= _FEW or not self._tick % _OTHERS:
            return list(self._wanted)
        return list(self._wanted & self._ready) if now - self._settled >= self._quiet else []

    def _connect(self, rank: int) -> bool:
        tap = Tap.connect(rank, self._connector(rank))
        if tap is None:
            return False
        self._wanted.discard(rank)
        self._taps[rank] = self._by_fd[tap.fd] = tap
        self._epoll.register(tap.fd, select.EPOLLIN)
        tap.call("log.dmesg", {"follow": True}, self._logged, stream=True)
        if self._hidden:
            self._ask_states(tap)
        if rank == 0:
            tap.call("attr.get", {"name": "log-level"}, self._level)
            tap.call("attr.get", {"name": "broker.quorum"}, self._quorum_size)
            tap.call("attr.get", {"name": "broker.quorum-warn"}, self._quorum_warn)
        return True

    def _drop(self, tap: Tap) -> None:
        del self._taps[tap.rank], self._by_fd[tap.fd]
        self._epoll.unregister(tap.fd)
        tap.close()

    def _read(self, tap: Tap) -> bool:
        """Take what a broker has said; tell whether it may say more."""
        self._lines.clear()
        alive = tap.read()
        if self._lines:
            self._record.data(tap.rank, LOG, b"".join(self._lines))
        return alive

    def _logged(self, tap: Tap, payload: bytes, _errnum: int) -> None:
        said = log_record.parse(payload, tap.rank)
        if said is None:
            return
        self._lines.append(payload.replace(b"\n", b" ") + b"\n")
        if said.severity > _INFO or (said.severity == _INFO and said.app != b"broker"):
            return
        text = said.text.decode(errors="replace")
        if said.severity == _INFO and (state := log_record.transition(tap.rank, text)) is not None:
            self._enter(tap, state, said.stamp)
            return
        at = self._clock.at(said.stamp)
        if said.severity <= _ERR:
            app = said.app.decode(errors="replace")
            self._record.event(events.Log(tap.rank, said.severity, app, text), at)
        if tap.rank == 0 and (program := log_record.program_end(text)) is not None:
            self._record.event(program, at)

    def _enter(self, tap: Tap, state: events.State, stamp: bytes) -> None:
        at = self._clock.at(stamp)
        tap.told = True
        self._states[tap.rank] = state.state
        if state.event == "parent-fail":
            self._orphans.add(tap.rank)
        self._record.event(state, at)
        self._entered(tap, state.state, at)

    def _entered(self, tap: Tap, state: str, at: float | None) -> None:
        if state in ("init", "quorum", "run") and not tap.online:
            tap.online = True
            if tap.rank == 0 or (self._routers is not None and tap.rank in self._routers):
                tap.call("overlay.monitor", None, self._overlay, stream=True)
            if tap.rank == 0:
                tap.call("groups.get", {"name": "broker.online"}, self._online, stream=True)
                for name in _ATTRIBUTES:
                    self._ask_attribute(tap, name)
        if state == "run" and tap.rank == 0:
            self._record.event(events.Program("started"), at)
            for rank in self._wanted & self._ready:  # a short program leaves no other time
                self._connect(rank)

    def _ask_attribute(self, tap: Tap, name: str) -> None:
        def answered(_tap: Tap, payload: bytes, errnum: int) -> None:
            value = _text(payload, "value")
            if not errnum and value is not None:
                self._record.event(events.Attr(tap.rank, name, value))
                if name == "tbon.topo":
                    self._find_routers(value)

        tap.call("attr.get", {"name": name}, answered)

    def _find_routers(self, topology: str) -> None:
        """Ask for children's status whoever may have any, now that this is known."""
        if topology == "custom":
            self._routers = frozenset(range(self._size))
        else:
            parent = tree.parents(topology, self._size)
            above = (parent(rank) for rank in range(self._size))
            self._routers = frozenset(rank for rank in above if rank is not None)
        for rank in self._routers:
            tap = self._taps.get(rank)
            if tap is not None and rank and tap.online:
                tap.call("overlay.monitor", None, self._overlay, stream=True)

    def _level(self, _tap: Tap, payload: bytes, errnum: int) -> None:
        """Ask for states where the log does not tell them."""
        level = _number(payload, "value")
        if not errnum and level is not None and level < _INFO:
            self._hidden = True
            for tap in self._taps.values():
                self._ask_states(tap)

    def _ask_states(self, tap: Tap) -> None:
        tap.call("state-machine.monitor", None, self._monitored, stream=True)

    def _monitored(self, tap: Tap, payload: bytes, errnum: int) -> None:
        if errnum == 11:  # EAGAIN: not yet online
            self._reactor.call_later(_BUSY, lambda: self._ask_states(tap))
            return
        number = _object(payload).get("state")
        if errnum or not isinstance(number, int) or not 0 <= number < len(_STATES):
            return
        state = _STATES[number]
        if not tap.told and self._states.get(tap.rank) != state:
            self._states[tap.rank] = state
            self._record.event(events.State(tap.rank, state))
            self._entered(tap, state, None)

    def _quorum_size(self, _tap: Tap, payload: bytes, errnum: int) -> None:
        self._quorum = (not errnum and _number(payload, "value")) or 0

    def _quorum_warn(self, _tap: Tap, payload: bytes, errnum: int) -> None:
        """Take the second answer; they come in the order of the questions."""
        given = _text(payload, "value")
        try:
            warn = _QUORUM_WARN if errnum or given is None else fsd.parse(given)
        except ValueError:
            warn = math.inf  # "none"
        if self._quorum:
            self._record.event(events.Quorum(self._quorum, warn if warn < math.inf else -1.0))

    def _online(self, _tap: Tap, payload: bytes, errnum: int) -> None:
        members = _text(payload, "members")
        if not errnum and members is not None:
            self._record.event(events.Online(members))

    def _overlay(self, tap: Tap, payload: bytes, errnum: int) -> None:
        fields = _object(payload)
        child, status = fields.get("rank"), fields.get("status")
        if not errnum and isinstance(child, int) and isinstance(status, str):
            self._record.event(events.Overlay(tap.rank, child, status))


def _object(payload: bytes) -> dict[str, Any]:
    try:
        found = json.loads(payload.rstrip(b"\0"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(payload: bytes, name: str) -> str | None:
    value = _object(payload).get(name)
    return value if isinstance(value, str) else None


def _number(payload: bytes, name: str) -> int | None:
    try:
        return int(_text(payload, name) or "")
    except ValueError:
        return None
