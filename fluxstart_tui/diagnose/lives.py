"""What each rank did for how long: its life as a list of phases."""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.diagnose.words import ordinal
from fluxstart_tui.session import events
from fluxstart_tui.session.signals import signame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fluxstart_tui.session.events import Event
    from fluxstart_tui.session.state import InstanceState


class Kind(NamedTuple):
    """How a phase is shown."""

    name: str
    """What one reads."""
    fill: str
    """What a bar is filled with: colours alone would not do."""


KINDS = {
    "spawn": Kind("start", "·"),
    "init": Kind("PMI init", ":"),
    "put": Kind("put", "p"),
    "barrier": Kind("barrier", "░"),
    "get": Kind("get", "-"),
    "finalize": Kind("PMI done", "·"),
    "closed": Kind("PMI closed", "x"),
    "load-builtins": Kind("load", "·"),
    "join": Kind("join", "╌"),
    "config-sync": Kind("config", "-"),
    "rc1": Kind("rc1", "▒"),
    "quorum": Kind("quorum", "┄"),
    "run": Kind("run", "━"),
    "cleanup": Kind("cleanup", "c"),
    "shutdown": Kind("shutdown", "▫"),
    "rc3": Kind("rc3", "▒"),
    "goodbye": Kind("goodbye", "-"),
    "unload-builtins": Kind("unload", "·"),
}
"""Phases in their order."""
_RENAMED = {"init": "rc1", "finalize": "rc3"}
"""Broker states that are known better by what runs in them."""
_ORDER = {name: number for number, name in enumerate(KINDS)}


class Bar(NamedTuple):
    """A phase of a rank."""

    kind: str
    begin: float


class Life:
    """One rank's phases in their order."""

    __slots__ = ("bars", "end", "ending", "former", "ran", "ready")

    def __init__(self, former: Life | None = None) -> None:
        self.former = former
        """The one before it was started again."""
        self.bars: list[Bar] = []
        self.end: float | None = None
        """When it ended."""
        self.ending: events.Exit | None = None
        self.ran: float | None = None
        """When it came to run."""
        self.ready: float | None = None
        """When it had nothing left to do but to wait for the others: when it came to quorum."""

    def add(self, kind: str, t: float) -> None:
        """Begin a phase."""
        if self.bars and self.bars[-1].kind == kind:
            return
        if self.bars and t < self.bars[-1].begin:  # times of different sources
            t = self.bars[-1].begin
        self.bars.append(Bar(kind, t))
        if kind == "run":
            self.ran = t
        elif kind == "quorum":
            self.ready = t


class Lives:
    """All ranks' phases, from events."""

    def __init__(self) -> None:
        self.of: dict[int, Life] = {}
        self.begin = 0.0
        self.booted = 0.0
        """When the last rank that came to run did."""
        self.last = 0.0
        """When the last phase began."""
        self._read = 0

    def take(self, timed: list[tuple[float, Event]]) -> bool:
        """Take what is new in a growing list of events; tell whether any matters."""
        fresh = timed[self._read :] if self._read else timed
        self._read = len(timed)
        changed = False
        for t, event in fresh:
            step = _STEPS.get(type(event))
            if step is not None:
                step(self, t, event)
                self.last = max(self.last, t)
                changed = True
        return changed

    def life(self, rank: int) -> Life:
        """Return the life of a rank, an empty one if it has none."""
        found = self.of.get(rank)
        if found is None:
            found = self.of[rank] = Life()
        return found

    def at(self, rank: int, t: float) -> Life | None:
        """Return which of a rank's lives had begun last at a time; the first if none had."""
        life = self.of.get(rank)
        while life is not None and life.former is not None and life.bars[0].begin > t:
            life = life.former
        return life

    def _spawn(self, t: float, event: events.Spawn) -> None:
        life = self.of[event.rank] = Life(self.of.get(event.rank))
        life.add("spawn", t)

    def _pmi(self, t: float, event: events.Pmi) -> None:
        life = self.life(event.rank)
        before = life.bars[-1].kind if life.bars else ""
        if _ORDER.get(before, 0) >= _ORDER["load-builtins"]:
            return  # its state says more by now
        if event.phase in KINDS and not (event.phase == "closed" and before == "finalize"):
            life.add(event.phase, t)

    def _barrier(self, t: float, _event: events.Barrier) -> None:
        for life in self.of.values():
            if life.bars and life.bars[-1].kind == "barrier":
                life.add("get", t)

    def _state(self, t: float, event: events.State) -> None:
        if ordinal(event.state) < 0 or event.state == "exit":
            return
        life = self.life(event.rank)
        kind = _RENAMED.get(event.state, event.state)
        life.add(kind, t)
        if kind == "run":
            self.booted = max(self.booted, t)

    def _exit(self, t: float, event: events.Exit) -> None:
        life = self.life(event.rank)
        life.end, life.ending = t, event

    def place(self, rank: int, t: float, state: InstanceState) -> str:
        """Return in a word or two what a rank did at a time; the state tells of its stops."""
        stops = state.broker(rank).stops
        if any(begin <= t and (end is None or t < end) for begin, end in stops):
            return "stopped"
        life = self.at(rank, t)
        if life is None or not life.bars or life.bars[0].begin > t:
            return "not started"
        if life.ending is not None and life.end is not None and life.end <= t:
            end = life.ending
            return signame(end.signum) if end.signum else f"exit {end.code}"
        return KINDS[next(bar for bar in reversed(life.bars) if bar.begin <= t).kind].name

    def places(self, t: float, state: InstanceState) -> list[tuple[str, frozenset[int]]]:
        """Return what ranks did at a time and which, what most of them did first."""
        found: dict[str, set[int]] = {}
        for rank in range(state.size):
            found.setdefault(self.place(rank, t, state), set()).add(rank)
        ordered = sorted(found.items(), key=lambda pair: -len(pair[1]))
        return [(name, frozenset(ranks)) for name, ranks in ordered]

    def slowest(self, size: int, now: float) -> list[int]:
        """Return ranks: those that have come least far first, of equals the latest."""

        def key(rank: int) -> tuple[float, float, int]:
            life = self.at(rank, now)
            if life is None or not life.bars:
                return (-1, 0.0, rank)
            if life.ran is not None and life.ran <= now:
                # All come to run at once: who was ready last is who they waited for.
                return (_ORDER["run"], -(life.ready or life.ran), rank)
            bars = [bar for bar in life.bars if bar.begin <= now]
            if not bars:
                return (-1, 0.0, rank)
            return (min(_ORDER[bars[-1].kind], _ORDER["run"] - 1), -bars[-1].begin, rank)

        return sorted(range(size), key=key)


_STEPS: dict[type[Event], Callable[[Lives, float, Any], None]] = {
    events.Spawn: Lives._spawn,
    events.Pmi: Lives._pmi,
    events.Barrier: Lives._barrier,
    events.State: Lives._state,
    events.Exit: Lives._exit,
}
