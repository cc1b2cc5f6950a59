"""Hear what brokers say of themselves: their states, their log, who is online.

Every broker's log is followed by `log.dmesg` from its first record on: it has each transition of
its state machine but the last, which is its exit, and brokers answer it before anything else
(flux-core: broker/modhash.c). Embedded brokers of ours hand it over unasked. Where a broker keeps
no records of that level, state-machine.monitor tells of states from `init` on. Rank 0 says who is
online, routers how their children are.
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
    from collections.abc import Callable, Iterable
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

_ERR = 3
_ONLINE = ("init", "quorum", "run")
"""States in which a broker answers everything."""
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
        ask: called when the initial program has begun, so that there may be little time, and with
            ranks of which it was found that there is something to ask them.
        logged: brokers are to be asked for their logs; else `take` is called with them.
    """

    def __init__(
        self,
        record: Record,
        size: int,
        later: Callable[[float, Callable[[], None]], Timer],
        ask: Callable[[Iterable[int]], None],
        *,
        logged: bool,
    ) -> None:
        self._record = record
        self._size = size
        self._ranks = {b"%d" % rank: rank for rank in range(size)}
        """Ranks by how log records name them."""
        self.taps: dict[int, Tap] = {}
        """Who is connected, by rank."""
        self._later = later
        self._ask = ask
        self._logged = logged
        self.orphans: set[int] = set()
        """Ranks that have said that they lost their TBON parent."""
        self._states: dict[int, str] = {}
        self._told: set[int] = set()
        """Ranks whose log has told of a state."""
        self._records: list[bytes] = []
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
        self._told.discard(rank)
        self.orphans.discard(rank)

    def concerns(self, rank: int) -> bool:
        """Tell whether there is something that a rank is to be asked beside its log."""
        return self._hidden or rank in (self._routers or ())

    def connect(self, rank: int, path: str) -> Tap | None:
        """Ask a broker for all that can be asked at once.

        Returns:
            The tap that `read` is to be called with, None if it can not be reached now.
        """
        tap = Tap.connect(rank, path)
        if tap is None:
            return None
        self.taps[rank] = tap
        if self._logged:
            tap.call("log.dmesg", {"follow": True}, self._said, stream=True)
        if self._hidden:
            self._ask_states(tap)
        if rank == 0:
            tap.call("attr.get", {"name": "log-level"}, self._level)
            tap.call("attr.get", {"name": "broker.quorum"}, self._quorum_size)
            tap.call("attr.get", {"name": "broker.quorum-warn"}, self._quorum_warn)
        if self._states.get(rank) in _ONLINE:
            self._ask_online(tap)
        return tap

    def drop(self, tap: Tap) -> None:
        """End a connection."""
        del self.taps[tap.rank]
        tap.close()

    def read(self, tap: Tap) -> bool:
        """Take what a broker has said; tell whether it may say more."""
        alive = tap.read()
        if self._records:
            self._keep(tap.rank, self._records)
            self._records = []
        return alive

    def take(self, records: Iterable[bytes]) -> None:
        """Take log records of any ranks."""
        by_rank: dict[int, list[bytes]] = {}
        for record in records:
            fields = log_record.split(record)
            if fields is None or (rank := self._ranks.get(fields[2])) is None:
                continue
            by_rank.setdefault(rank, []).append(record)
            if not log_record.idle(fields):
                self._learn(rank, fields)
        for rank, those in by_rank.items():
            self._keep(rank, those)

    def _said(self, tap: Tap, record: bytes, _errnum: int) -> None:
        fields = log_record.split(record)
        # What another rank has forwarded is in that one's log.
        if fields is not None and fields[2] == tap.name:
            self._records.append(record)
            if not log_record.idle(fields):
                self._learn(tap.rank, fields)

    def _keep(self, rank: int, records: list[bytes]) -> None:
        self._record.data(rank, LOG, log_record.lines(records))

    def _learn(self, rank: int, fields: list[bytes]) -> None:
        """Find out what a record of a rank's own tells."""
        if (state := log_record.transition(rank, fields)) is not None:
            self._told.add(rank)
            if state.event == "parent-fail":
                self.orphans.add(rank)
            self._entered(state, self._clock.at(fields[1]))
            return
        severity = log_record.severity(fields)
        if severity > log_record.INFO:
            return
        if severity <= _ERR:
            app, text = (fields[at].decode(errors="replace") for at in (3, 7))
            self._record.event(events.Log(rank, severity, app, text), self._clock.at(fields[1]))
        if not rank and (program := log_record.program_end(fields)) is not None:
            self._record.event(program, self._clock.at(fields[1]))

    def _entered(self, state: events.State, at: float | None) -> None:
        rank = state.rank
        self._states[rank] = state.state
        self._record.event(state, at)
        if state.state in _ONLINE and (tap := self.taps.get(rank)) is not None:
            self._ask_online(tap)
        if state.state == "run" and rank == 0:
            self._record.event(events.Program("started"), at)
            self._ask(())

    def _ask_online(self, tap: Tap) -> None:
        """Ask, once, what only brokers that are online answer."""
        if tap.online:
            return
        tap.online = True
        if tap.rank == 0 or tap.rank in (self._routers or ()):
            tap.call("overlay.monitor", None, self._overlay, stream=True)
        if tap.rank == 0:
            tap.call("groups.get", {"name": "broker.online"}, self._online, stream=True)
            for name in _ATTRIBUTES:
                self._ask_attribute(tap, name)

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
        if not self._logged:  # else all are asked something anyway
            self._ask(self._routers)

    def _level(self, _tap: Tap, payload: bytes, errnum: int) -> None:
        """Ask for states where the log does not tell them."""
        level = _number(payload, "value")
        if not errnum and level is not None and level < log_record.INFO:
            self._hidden = True
            for tap in self.taps.values():
                self._ask_states(tap)
            if not self._logged:
                self._ask(range(self._size))

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
        if tap.rank not in self._told and self._states.get(tap.rank) != state:
            self._entered(events.State(tap.rank, state), None)

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
