"""Hear what brokers say of themselves: their states, their log, who is online.

Every broker's log is followed by `log.dmesg` from its first record on: it has each transition of
its state machine but the last, which is its exit, and brokers answer it before anything else
(flux-core: broker/modhash.c). Where a broker keeps no records of that level, state-machine.monitor
tells of states from `init` on. Rank 0 says who is online, routers how their children are.
"""

from __future__ import annotations

import json
import math

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
    from fluxstart_tui.reactor import Timer

_AGAIN = 0.02
"""Seconds after which a broker that is not online yet is asked for its states again."""

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


class Hearing:
    """Asks brokers, and records what they answer.

    Args:
        record: takes states, membership, overlay status and log.
        size: number of brokers.
        later: calls back after so many seconds.
        running: called when the initial program has begun.
    """

    def __init__(
        self,
        record: Record,
        size: int,
        later: Callable[[float, Callable[[], None]], Timer],
        running: Callable[[], None],
    ) -> None:
        self._record = record
        self._size = size
        self.taps: dict[int, Tap] = {}
        """Who is connected, by rank."""
        self._later = later
        self._running = running
        self.orphans: set[int] = set()
        """Ranks that have said that they lost their TBON parent."""
        self._states: dict[int, str] = {}
        self._lines: list[bytes] = []
        """Log records of the broker that is being read."""
        self._quorum = 0
        self._hidden = False
        """Whether brokers keep no records of their transitions."""
        self._routers: frozenset[int] | None = None
        """Who may have children; None until that is known."""
        self._clock = log_record.Clock(record)

    def started(self, rank: int) -> None:
        """Take that a rank was started anew."""
        self._states.pop(rank, None)
        self.orphans.discard(rank)

    def connect(self, rank: int, path: str) -> Tap | None:
        """Ask a broker for all that can be asked at once.

        Returns:
            The tap that `read` is to be called with, None if it can not be reached now.
        """
        tap = Tap.connect(rank, path)
        if tap is None:
            return None
        self.taps[rank] = tap
        tap.call("log.dmesg", {"follow": True}, self._logged, stream=True)
        if self._hidden:
            self._ask_states(tap)
        if rank == 0:
            tap.call("attr.get", {"name": "log-level"}, self._level)
            tap.call("attr.get", {"name": "broker.quorum"}, self._quorum_size)
            tap.call("attr.get", {"name": "broker.quorum-warn"}, self._quorum_warn)
        return tap

    def drop(self, tap: Tap) -> None:
        """End a connection."""
        del self.taps[tap.rank]
        tap.close()

    def read(self, tap: Tap) -> bool:
        """Take what a broker has said; tell whether it may say more."""
        self._lines.clear()
        alive = tap.read()
        if self._lines:
            self._record.data(tap.rank, LOG, b"".join(self._lines))
        return alive

    def _logged(self, tap: Tap, payload: bytes, _errnum: int) -> None:
        if log_record.idle(payload, tap.name):
            self._keep(payload)
            return
        said = log_record.parse(payload, tap.rank)
        if said is None:
            return
        self._keep(payload)
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

    def _keep(self, record: bytes) -> None:
        self._lines.append(record.replace(b"\n", b" ") + b"\n")

    def _enter(self, tap: Tap, state: events.State, stamp: bytes) -> None:
        at = self._clock.at(stamp)
        tap.told = True
        self._states[tap.rank] = state.state
        if state.event == "parent-fail":
            self.orphans.add(tap.rank)
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
            self._running()

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
            tap = self.taps.get(rank)
            if tap is not None and rank and tap.online:
                tap.call("overlay.monitor", None, self._overlay, stream=True)

    def _level(self, _tap: Tap, payload: bytes, errnum: int) -> None:
        """Ask for states where the log does not tell them."""
        level = _number(payload, "value")
        if not errnum and level is not None and level < _INFO:
            self._hidden = True
            for tap in self.taps.values():
                self._ask_states(tap)

    def _ask_states(self, tap: Tap) -> None:
        tap.call("state-machine.monitor", None, self._monitored, stream=True)

    def _monitored(self, tap: Tap, payload: bytes, errnum: int) -> None:
        if errnum == 11:  # EAGAIN: not yet online
            self._later(_AGAIN, lambda: self._ask_states(tap))
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
