"""What an instance has come to: the sum of its events.

`apply` is pure: the same events give the same state, live or from a journal. Whatever a journal
says, nothing here raises; what makes no sense is passed over.
"""

from __future__ import annotations

import signal
from typing import NamedTuple

from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events
from fluxstart_tui.session.broker_state import HALTED, BrokerState, Transition, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from fluxstart_tui.session.events import Event

RANK_MAX = 1 << 16
"""Ranks beyond are no ranks: a hostile journal could otherwise take all memory and time."""


class InstanceState(NamedTuple):
    """All ranks, and what is common to them."""

    size: int = 0
    """Ranks there are to be, started or not."""
    t: float = 0.0
    """Time of the last event."""
    brokers: dict[int, BrokerState] = {}
    barriers: int = 0
    """PMI barriers completed."""
    barrier_held: bool = False
    online: frozenset[int] = frozenset()
    quorum: int = 0
    """Brokers waited for; 0 while that is unknown."""
    quorum_warn: float = 60.0
    timer: events.Timer | None = None
    """The exit timer as it is now; None if it never ran."""
    timer_t: float = 0.0
    program: events.Program | None = None
    program_t: float = 0.0
    aborts: tuple[tuple[float, events.Abort], ...] = ()
    violations: tuple[tuple[float, events.Violation], ...] = ()
    signals: tuple[tuple[float, events.Signal], ...] = ()
    messages: tuple[tuple[float, str], ...] = ()
    """The engine's last lines, oldest first."""
    lost: tuple[events.Lost, ...] = ()
    attributes: dict[str, str] = {}
    """Attributes of rank 0, by name."""
    backtraces: dict[int, str] = {}
    """What a debugger said of core files and hung processes, by rank."""
    timeout: tuple[float, events.Timeout] | None = None
    """When the time of the whole instance was over, if it was."""
    end: events.End | None = None
    findings: dict[tuple[str, str], tuple[float, events.Finding]] = {}
    """What hinders the launch, since when, by rule and ranks."""
    by_pmi: bool = True
    """Whether brokers boot by PMI; if not, this is a singleton."""
    away: frozenset[int] = frozenset()
    """Ranks on hosts of which an observer sees nothing."""

    def ranks(self, test: Callable[[BrokerState], bool]) -> frozenset[int]:
        """Return the ranks of which `test` holds; one never heard of is a BrokerState(rank)."""
        return frozenset(r for r in range(self.size) if test(self.broker(r)))

    def broker(self, rank: int) -> BrokerState:
        """Return what is known of a rank."""
        return self.brokers.get(rank) or BrokerState(rank, away=rank in self.away)


_ATTRIBUTES = 1000
"""Names that are kept at the most: a broker has about a hundred."""

_KEPT = 50
"""Messages, signals, errors... of which the newest are kept."""


def _kept(former: tuple[Any, ...], new: Any) -> tuple[Any, ...]:
    return (*former[1 - _KEPT :], new)


def _ranges(text: str) -> list[tuple[int, int]]:
    """Return the inclusive ranges of an idset, none if it is none or names what is no rank."""
    try:
        runs = idset.decode_ranges(text)
    except ValueError:
        return []
    return [] if runs and runs[-1][1] >= RANK_MAX else runs


def ranks_of(text: str) -> frozenset[int]:
    """Decode an idset of an event; empty if it is none or names what can be no rank."""
    return frozenset().union(*(range(first, last + 1) for first, last in _ranges(text)))


def initial(header: Mapping[str, Any]) -> InstanceState:
    """Return the state before the first event, given what session.json holds."""
    size = header.get("size")
    if type(size) is not int or not 0 <= size <= RANK_MAX:
        size = 0
    away = ranks_of(str(header.get("away", "")))
    return InstanceState(size, by_pmi=header.get("mode") != "normal", away=away)


def apply(state: InstanceState, t: float, event: Event) -> InstanceState:
    """Return what a state becomes by an event at time `t`."""
    step = _STEPS.get(type(event))
    return (step(state, t, event) if step else state)._replace(t=max(state.t, t))


def replay(timed: Iterable[tuple[float, Event]], size: int = 0) -> InstanceState:
    """Return the state after all these events of an instance of `size` brokers."""
    return advance(InstanceState(size), timed)


def advance(state: InstanceState, timed: Iterable[tuple[float, Event]]) -> InstanceState:
    """Return what a state becomes by events in their order."""
    for t, event in timed:
        state = apply(state, t, event)
    return state


def _change(state: InstanceState, rank: int, /, **changes: Any) -> InstanceState:
    if not 0 <= rank < RANK_MAX:
        return state
    broker = state.broker(rank)._replace(**changes)
    return state._replace(brokers={**state.brokers, rank: broker}, size=max(state.size, rank + 1))


def _spawn(state: InstanceState, t: float, event: events.Spawn) -> InstanceState:
    former = state.broker(event.rank)
    fresh = BrokerState(
        event.rank, event.pid, t, former.spawns + 1, held=former.held, before=state.barriers
    )
    if event.rank == 0 and former.spawns:
        state = state._replace(program=None, program_t=0.0)  # it went with its broker
    return _change(state, event.rank, **fresh._asdict())


def _exit(state: InstanceState, t: float, event: events.Exit) -> InstanceState:
    online = state.online - {event.rank}
    broker = state.broker(event.rank).seen(t, halted=False)
    changes = {"exit": event, "exit_t": t, "stopped": 0, "stops": broker.stops}
    return _change(state, event.rank, **changes)._replace(online=online)


def _signal(state: InstanceState, t: float, event: events.Signal) -> InstanceState:
    """Note who is stopped by it, or goes on, earlier than the next sample tells."""
    state = state._replace(signals=_kept(state.signals, (t, event)))
    if event.signum not in (signal.SIGSTOP, signal.SIGCONT):
        return state
    brokers = dict(state.brokers)
    for rank in ranks_of(event.ranks) & brokers.keys():
        brokers[rank] = brokers[rank].seen(t, halted=event.signum == signal.SIGSTOP)
    return state._replace(brokers=brokers)


def _pmi(state: InstanceState, t: float, event: events.Pmi) -> InstanceState:
    former = state.broker(event.rank)
    before = former.pmi if event.phase == "closed" else ""
    broker = former.speaks(event.phase, t)._replace(pmi_before=before, barrier=event.barrier)
    return _change(state, event.rank, **broker._asdict())


def _barrier(state: InstanceState, t: float, event: events.Barrier) -> InstanceState:
    """Who was in the barrier reads the others' cards from now on."""
    brokers = {
        rank: broker.speaks("get", t) if broker.pmi == "barrier" else broker
        for rank, broker in state.brokers.items()
    }
    return state._replace(brokers=brokers, barriers=max(state.barriers, event.number))


def _hold(state: InstanceState, _t: float, event: events.Hold) -> InstanceState:
    held = ranks_of(event.ranks)
    brokers = dict(state.brokers)
    for rank in held.union(rank for rank, broker in brokers.items() if broker.held):
        brokers[rank] = state.broker(rank)._replace(held=rank in held)
    size = max(state.size, max(held, default=-1) + 1)
    return state._replace(brokers=brokers, size=size, barrier_held=event.barrier)


def _state(state: InstanceState, t: float, event: events.State) -> InstanceState:
    transitions = state.broker(event.rank).transitions
    if event.event:
        step = Transition(t, event.event, event.former, event.state, event.spent)
        transitions = (*transitions[1 - _KEPT :], step)
    return _change(state, event.rank, state=event.state, state_since=t, transitions=transitions)


def _log(state: InstanceState, t: float, event: events.Log) -> InstanceState:
    errors = _kept(state.broker(event.rank).errors, (t, f"{event.app}: {event.text}"))
    return _change(state, event.rank, errors=errors)


def _sample(state: InstanceState, t: float, event: events.Sample) -> InstanceState:
    brokers = dict(state.brokers)
    size = state.size
    letters = event.states.ljust(len(event.cpu), "?")
    used = zip(event.cpu, event.rss, event.threads, event.fds, letters, strict=False)
    ranks = (rank for first, last in _ranges(event.ranks) for rank in range(first, last + 1))
    for one, rank in zip(used, ranks, strict=False):
        usage = Usage(t, *one)
        broker = state.broker(rank).seen(t, halted=usage.state in HALTED)
        brokers[rank] = broker._replace(usage=usage)
        size = max(size, rank + 1)
    return state._replace(brokers=brokers, size=size)


def _probe(state: InstanceState, t: float, event: events.Probe) -> InstanceState:
    stops = state.broker(event.rank).seen(t, halted=event.state in HALTED).stops
    return _change(state, event.rank, probe=event, probe_t=t, stops=stops)


def _attr(state: InstanceState, _t: float, event: events.Attr) -> InstanceState:
    if event.rank or (len(state.attributes) >= _ATTRIBUTES and event.name not in state.attributes):
        return state
    return state._replace(attributes={**state.attributes, event.name: event.value})


def _backtrace(state: InstanceState, _t: float, event: events.Backtrace) -> InstanceState:
    if len(state.backtraces) >= _KEPT:
        return state
    return state._replace(backtraces={**state.backtraces, event.rank: event.text})


def _size(state: InstanceState, _t: float, event: events.Size) -> InstanceState:
    """Take a size, but none by which there could not be the ranks there are."""
    if not 0 < event.size <= RANK_MAX:
        return state
    return state._replace(size=max(event.size, max(state.brokers, default=0) + 1))


def _finding(state: InstanceState, t: float, event: events.Finding) -> InstanceState:
    key = (event.id, event.ranks)
    others = {one: found for one, found in state.findings.items() if one != key}
    if event.over or len(others) >= _KEPT:
        return state._replace(findings=others)
    since = state.findings[key][0] if key in state.findings else t
    return state._replace(findings={**others, key: (since, event)})


_STEPS: dict[type[Event], Callable[[InstanceState, float, Any], InstanceState]] = {
    events.Spawn: _spawn,
    events.Exit: _exit,
    events.Pmi: _pmi,
    events.Hold: _hold,
    events.State: _state,
    events.Overlay: lambda s, _, e: _change(s, e.child, overlay=e.status),
    events.Log: _log,
    events.Sample: _sample,
    events.Stopped: lambda s, t, e: _change(s, e.rank, stopped=e.group, stopped_since=t),
    events.Attr: _attr,
    events.Backtrace: _backtrace,
    events.Barrier: _barrier,
    events.Violation: lambda s, t, e: s._replace(violations=_kept(s.violations, (t, e))),
    events.Abort: lambda s, t, e: s._replace(aborts=_kept(s.aborts, (t, e))),
    events.Signal: _signal,
    events.Online: lambda s, _, e: s._replace(online=ranks_of(e.ranks)),
    events.Quorum: lambda s, _, e: s._replace(quorum=e.size, quorum_warn=e.warn),
    events.Timer: lambda s, t, e: s._replace(timer=e, timer_t=t),
    events.Program: lambda s, t, e: s._replace(program=e, program_t=t),
    events.Size: _size,
    events.Probe: _probe,
    events.Finding: _finding,
    events.Timeout: lambda s, t, e: s._replace(timeout=(t, e)),
    events.Message: lambda s, t, e: s._replace(messages=_kept(s.messages, (t, e.text))),
    events.Lost: lambda s, _, e: s._replace(lost=_kept(s.lost, e)),
    events.End: lambda s, _, e: s._replace(end=e),
}
