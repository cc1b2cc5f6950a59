"""What views look at: a session up to now, and what follows from that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.diagnose import doing, progress, words
from fluxstart_tui.rfc import hostlist, idset
from fluxstart_tui.session import state as states
from fluxstart_tui.session import tree
from fluxstart_tui.tui.clock import ReplayClock
from fluxstart_tui.tui.lines import LineStore

if TYPE_CHECKING:
    from typing import Any

    from fluxstart_tui.diagnose.progress import Phase
    from fluxstart_tui.session.events import Event
    from fluxstart_tui.session.reader import Session
    from fluxstart_tui.session.state import InstanceState
    from fluxstart_tui.session.tree import Parent
    from fluxstart_tui.tui.clock import Clock

_STEP = 4 << 20
"""Bytes of output that are indexed at once: a frame's worth."""


class Before(NamedTuple):
    """What became of an earlier launch."""

    phases: list[Phase]
    findings: list[str]
    """Ids of what hindered it."""


class Model:
    """A session up to now. Reads files, knows nothing of screens.

    Args:
        session: the session.
        clock: what time it is in it.
    """

    def __init__(self, session: Session, clock: Clock) -> None:
        self.session = session
        self.clock = clock
        self.header: dict[str, Any] = session.header
        self.events: list[tuple[float, Event]] = []
        """All events that have been read, samples too, in the order of the journal."""
        self.state: InstanceState = states.initial(self.header)
        self.version = 0
        """A number that changes with whatever can be seen."""
        self.before: Before | None = None
        """An earlier launch that this one is compared with."""
        self.cut = False
        """Whether the record has no end, since who wrote it is gone."""
        self.spool = session.output
        self.lines = LineStore(self.spool)
        self._applied = 0
        self._reached = -1.0
        self._phases: tuple[int, list[Phase]] = (-1, [])
        self._parent: tuple[str | None, int, Parent] | None = None
        self._hosts: tuple[str | None, list[str]] = (None, [])

    @property
    def terminals(self) -> tuple[int, ...]:
        """The ranks that run on terminals of the engine's."""
        text = self.header.get("terminals", "0")  # before there were several, rank 0 had the one
        try:
            runs = idset.decode_ranges(text) if isinstance(text, str) else []
        except ValueError:
            runs = []
        return tuple(rank for low, high in runs for rank in range(low, min(high + 1, self.size)))

    @property
    def replay(self) -> ReplayClock | None:
        """The clock that can be moved, if this is a replay."""
        return self.clock if isinstance(self.clock, ReplayClock) else None

    @property
    def now(self) -> float:
        """Seconds since the session's start; an instance that has ended stays at its end."""
        now = self.clock.now()
        return self.state.t if self.ended and self.replay is None else now

    @property
    def ended(self) -> bool:
        """Whether the instance is over, as far as one will ever know."""
        return self.state.end is not None or self.cut

    @property
    def begun(self) -> bool:
        """Whether rank 0 has come as far as the initial program, or will not any more."""
        leader = self.state.broker(0)
        gone = self.ended or leader.exit is not None
        return gone or words.ordinal(leader.state) >= words.ordinal("run")

    @property
    def size(self) -> int:
        """Number of ranks."""
        return self.state.size

    def poll(self) -> bool:
        """Read what is new; tell whether anything that can be seen has changed."""
        if self.replay is None:
            self.events.extend(self.session.poll())
        elif not self.events:  # a record is all there, and its sum is not what is shown
            self.events.extend(self.session.events())
        changed = self._catch_up()
        if self.lines.poll(_STEP):
            changed = True
        if changed:
            self.version += 1
        return changed

    def last_poll(self) -> None:
        """Read what is left now that who wrote it is gone."""
        self.poll()
        self.cut = self.state.end is None
        self.version += 1

    def _catch_up(self) -> bool:
        """Apply events up to now: all of them if this is live, those until then in a replay."""
        if self.replay is None:
            former, self.state = self.state, self.session.state
            return self.state is not former
        now = self.clock.now()
        if now == self._reached:
            return False
        if now < self._reached:
            self.state, self._applied = states.initial(self.header), 0
        at = self._applied
        # Times of different ranks are not in order; being some milliseconds late is harmless.
        while at < len(self.events) and self.events[at][0] <= now:
            at += 1
        changed = at != self._applied or now < self._reached
        self.state = states.advance(self.state, self.events[self._applied : at])
        self._applied, self._reached = at, now
        self.lines.limit = None if now >= self.replay.end else now
        return changed

    @property
    def phases(self) -> list[Phase]:
        """How far the ranks have come."""
        if self._phases[0] != self.version:
            self._phases = (self.version, progress.phases(self.state))
        return self._phases[1]

    @property
    def sentence(self) -> str:
        """What the instance does or waits for, in words; the exit timer is told beside it."""
        if self.cut:
            return "its engine is gone: the record stops here, before the end"
        return doing.sentence(self.state, self.now, self.parent, timed=False)

    @property
    def topology(self) -> str | None:
        """The value of tbon.topo, None if it is not known."""
        found = self.state.attributes.get("tbon.topo") or self.header.get("topology")
        return found if isinstance(found, str) else None

    @property
    def parent(self) -> Parent:
        """The function that names a rank's TBON parent."""
        key = (self.topology, self.size)
        if self._parent is None or self._parent[:2] != key:
            self._parent = (*key, tree.parents(*key))
        return self._parent[2]

    def host(self, rank: int) -> str:
        """Return the host of a rank, "" if it is not known."""
        text = self.state.attributes.get("hostlist")
        if self._hosts[0] != text:
            try:
                self._hosts = (text, hostlist.decode(text) if text else [])
            except ValueError:
                self._hosts = (text, [])
        hosts = self._hosts[1]
        return hosts[rank] if rank < len(hosts) else str(self.header.get("host") or "")
