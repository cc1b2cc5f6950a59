"""What one rank has come to; session/state.py says by which events."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.session import events

HALTED = ("T", "t")
"""Letters of proc(5) of a process that is kept from running by a signal, or by a debugger."""
_STOPS = 50
"""Stops by a signal of which the last are kept."""


class Transition(NamedTuple):
    """A broker's step into a state."""

    t: float
    event: str
    former: str
    state: str
    spent: float
    """Seconds in the former state."""


class Usage(NamedTuple):
    """What a process used when it was last looked at."""

    t: float
    cpu: float
    """Percent of one core."""
    rss: int
    """KiB."""
    threads: int
    fds: int
    state: str = "?"
    """Letter of proc(5): R, S, D, T (stopped), Z...; ? if it is not known."""


class BrokerState(NamedTuple):
    """One rank; times are seconds since the session's start."""

    rank: int
    pid: int = -1
    spawned: float | None = None
    spawns: int = 0
    """How often it was started."""
    pmi: str = ""
    """Phase of its PMI conversation (events.PMI_PHASES), "" before the first."""
    pmi_since: float = 0.0
    pmi_before: str = ""
    """The phase in which its conversation was closed."""
    pmi_times: tuple[tuple[str, float], ...] = ()
    """When it first entered each phase of PMI, in that order."""
    barrier: int = 0
    """How many PMI barriers it has entered."""
    before: int = 0
    """How many PMI barriers of the instance were over when it was started."""
    held: bool = False
    state: str = ""
    """flux-core's name of its state, "" if none was seen yet."""
    state_since: float = 0.0
    transitions: tuple[Transition, ...] = ()
    exit: events.Exit | None = None
    exit_t: float = 0.0
    usage: Usage | None = None
    probe: events.Probe | None = None
    """How it looked from outside when its launch last came no further."""
    probe_t: float = 0.0
    overlay: str = ""
    """Its subtree's status as its TBON parent sees it."""
    stops: tuple[tuple[float, float | None], ...] = ()
    """When its process was stopped by a signal and when it went on: None while it is stopped."""
    stopped: int = 0
    """Process group of a program that is stopped on its terminal for good (events.Stopped)."""
    stopped_since: float = 0.0
    errors: tuple[tuple[float, str], ...] = ()
    """Its last log records of severity err or worse, oldest first."""
    away: bool = False
    """Whether it is on a host of which an observer sees nothing."""

    @property
    def running(self) -> bool:
        """Whether its process was started, be it by a launcher, and has not ended."""
        return self.exit is None and bool(self.spawned is not None or self.pmi or self.state)

    @property
    def nth(self) -> int:
        """Which PMI barrier of the instance it has entered last, from 1; 0 if it has entered none.

        The server counts arrivals, whoever they are: one that is started again when the others
        have left begins with the next barrier, to which nobody else comes.
        """
        return self.before + self.barrier if self.barrier else 0

    @property
    def suspended(self) -> float | None:
        """Since when its process is stopped, be it by a debugger; None if it is not."""
        return self.stops[-1][0] if self.stops and self.stops[-1][1] is None else None

    @property
    def traced(self) -> bool:
        """Whether it is a debugger that keeps its process from running."""
        return self.usage is not None and self.usage.state == HALTED[1]

    def speaks(self, phase: str, t: float) -> BrokerState:
        """Return what it becomes when it enters a phase of PMI at `t`."""
        times = self.pmi_times
        if all(phase != name for name, _ in times):
            times = (*times, (phase, t))
        return self._replace(pmi=phase, pmi_since=t, pmi_times=times)

    def seen(self, t: float, *, halted: bool) -> BrokerState:
        """Return what it becomes when its process is seen to be stopped at `t`, or not to be."""
        if not self.running or halted == (self.suspended is not None):
            return self
        if halted:
            return self._replace(stops=(*self.stops[1 - _STOPS :], (t, None)))
        return self._replace(stops=(*self.stops[:-1], (self.stops[-1][0], t)))
