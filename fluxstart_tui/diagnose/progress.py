"""How far the brokers of an instance have come: its launch and its end as phases."""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.diagnose.words import ordinal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.session.state import InstanceState

PMI = ("PMI init", "put", "barrier", "get", "finalize")
"""The phases in which a broker speaks PMI."""

_STATES = {
    "join": "join",
    "rc1": "init",
    "quorum": "quorum",
    "run": "run",
    "cleanup": "cleanup",
    "shutdown": "shutdown",
}
_LAST = ordinal("exit")
_NEXT = dict(zip(_STATES, [*list(_STATES)[1:], "exit"], strict=True))
"""The phases that last, each with the one that follows it."""

NAMES = ("spawned", *PMI, *_STATES, "exit")
"""All phases in their order."""

_SPOKEN = {"init": 1, "closed": 1, "put": 2, "barrier": 3, "get": 4, "finalize": 5}
"""How many phases a PMI conversation has come to; one that was closed had begun at least."""


class Phase(NamedTuple):
    """A phase, who has come to it and who is through.

    The missing are worked out only when they are asked for: a size may be a million.
    """

    name: str
    """One of NAMES."""
    reached: frozenset[int]
    """Ranks that have come at least that far."""
    through: frozenset[int]
    """Ranks that are done with it: of a phase that lasts, those that have come to the next."""
    total: int
    """All ranks."""
    last: float | None = None
    """When the last of them came there; None if that is not known."""
    first: float | None = None
    """When the first of them did; None if that is not known."""

    @property
    def k(self) -> int:
        """How many ranks are through."""
        return len(self.through)

    @property
    def complete(self) -> bool:
        """Whether all ranks are."""
        return len(self.through) >= self.total

    @property
    def missing(self) -> frozenset[int]:
        """Ranks that are not."""
        return frozenset(range(self.total)) - self.through

    @property
    def absent(self) -> frozenset[int]:
        """Ranks that have not come to it."""
        return frozenset(range(self.total)) - self.reached

    @property
    def entered(self) -> bool:
        """Whether all ranks have come to it, be they through or not."""
        return len(self.reached) >= self.total

    @property
    def lasts(self) -> bool:
        """Whether ranks stay in it, so that coming to it is not yet being through."""
        return self.name in _NEXT


def phases(state: InstanceState) -> list[Phase]:
    """Return the phases of an instance in order.

    A size-1 instance exchanges no cards, so it has no put, barrier and get. One that boots by
    configuration, or as normal mode's singleton, speaks no PMI and has none of its phases.
    """
    reached: dict[str, set[int]] = {name: set() for name in NAMES}
    times: dict[str, float] = {}
    firsts: dict[str, float] = {}
    for rank, broker in state.brokers.items():
        for name in passed(state, broker):
            reached[name].add(rank)
        for name, t in came(broker):
            times[name] = max(times.get(name, t), t)
            firsts[name] = min(firsts.get(name, t), t)
    without: tuple[str, ...] = ()
    silent = not any(broker.pmi for broker in state.brokers.values())
    if not state.by_pmi or (reached["join"] and silent):
        without = PMI
    elif state.size == 1:
        without = PMI[1:4]
    killed = {
        rank
        for rank, broker in state.brokers.items()
        if broker.exit is not None and broker.exit.signum
    }
    names = [name for name in NAMES if name not in without]
    found = made(names, reached, state.size, times, killed, _kept(state, reached))
    return [phase._replace(first=firsts.get(phase.name)) for phase in found]


def took(found: list[Phase], index: int) -> float | None:
    """Return how long a phase lasted, in seconds; None while somebody is in it, or if unknown.

    That is from the first rank's coming to it until the last one's leaving it for the next phase:
    phases overlap, since ranks are in several at once.
    """
    following = found[min(index + 1, len(found) - 1)]
    first, last = found[index].first, following.last
    if first is None or last is None or not following.entered:
        return None
    return max(0.0, last - first)


def made(
    names: Iterable[str],
    reached: Mapping[str, AbstractSet[int]],
    total: int,
    times: Mapping[str, float],
    killed: AbstractSet[int] = frozenset(),
    kept: AbstractSet[int] = frozenset(),
) -> list[Phase]:
    """Return phases, given who has come to them.

    Args:
        names: the phases wanted, in order.
        reached: ranks that have come to each phase of NAMES.
        total: number of all ranks.
        times: when the last rank came to a phase, where that is known.
        killed: ranks that a signal has ended: they are not through what they were in.
        kept: ranks that the first barrier has not let out, though all have come to it.
    """
    found = []
    for name in names:
        there = frozenset(reached[name])
        through = there & reached[_NEXT[name]] if name in _NEXT else there
        if _NEXT.get(name) == "exit":
            through -= killed
        if name == "barrier":
            through -= kept
        found.append(Phase(name, there, through, total, times.get(name)))
    return found


def current(found: list[Phase], *, ended: bool) -> int:
    """Return the index of the phase that all are in, or that holds them up; -1 if all is over.

    That is the first which somebody is not through. But who has not joined waits for an ancestor
    that runs rc1, if one does; and `run` is over when rank 0 cleans up: the others run until it
    has.
    """
    if ended or not found:
        return -1
    at = next((i for i, phase in enumerate(found) if not phase.complete), len(found) - 1)
    if found[at].name == "join":
        rc1 = found[at + 1]
        return at + bool(rc1.reached - rc1.through)
    if found[at].name == "run" and found[at].entered:
        cleanup = found[at + 1]
        return at + (0 in cleanup.reached and 0 not in cleanup.through)
    return at


def in_barrier(state: InstanceState) -> frozenset[int]:
    """Return the ranks that wait in the PMI barrier which is not over yet.

    Where PMI is not seen on the wire a rank is taken to be in it once its card is put. If all are,
    and it is not over, whoever is stopped was stopped before it.
    """
    number = state.barriers + 1
    entered = state.ranks(lambda broker: broker.running and broker.nth >= number)
    if len(entered) < state.size or state.barrier_held:
        return entered
    return entered - state.ranks(lambda broker: broker.suspended is not None)


def deserted(state: InstanceState) -> frozenset[int]:
    """Return who waits in a PMI barrier that others have left, since it was started again."""
    if not _left_pmi(state):
        return frozenset()
    return frozenset(
        rank
        for rank, one in state.brokers.items()
        if one.before and one.running and one.pmi == "barrier" and one.nth > state.barriers
    )


def would_be_deserted(state: InstanceState, rank: int) -> bool:
    """Tell whether a rank that is started again would wait for ever in a PMI barrier."""
    return bool(state.barriers and state.broker(rank).pmi and _left_pmi(state) - {rank})


def _left_pmi(state: InstanceState) -> frozenset[int]:
    return frozenset(
        rank for rank, one in state.brokers.items() if one.running and one.pmi == "finalize"
    )


def _kept(state: InstanceState, reached: Mapping[str, AbstractSet[int]]) -> AbstractSet[int]:
    """Return who is not through the first barrier though all have come to it: until it is over."""
    if state.barriers:
        return {rank for rank in deserted(state) if state.broker(rank).barrier == 1}
    entered = reached["barrier"]
    if reached["get"] or len(entered) < state.size:
        return frozenset()
    return entered - in_barrier(state) or entered


def passed(state: InstanceState, broker: BrokerState) -> set[str]:
    """Return the phases that a broker has come to, whether it still runs or not."""
    names = {name for name, one in _STATES.items() if ordinal(one) in _states(broker)}
    spoken = len(PMI) if "join" in names else _SPOKEN.get(broker.pmi_before or broker.pmi, 0)
    if broker.barrier:  # one that is let out of a barrier reads cards, without an event of its own
        spoken = max(spoken, 3 if broker.barrier == 1 and broker.nth > state.barriers else 4)
    names.update(PMI[:spoken])
    if broker.exit is not None or broker.state == "exit":
        names.add("exit")
    if names or broker.spawned is not None or broker.pmi or broker.state:
        names.add("spawned")
    return names


def _states(broker: BrokerState) -> set[int]:
    """Return the ordinals of the states that a broker has been in, seen or not.

    One that is in `run` has been in all states before; but one whose rc1 failed has stepped from
    `init` over `run` to `shutdown`, if we saw it.
    """
    top = max(ordinal(broker.state), *(ordinal(step.state) for step in broker.transitions), -1)
    clean = broker.exit is not None and broker.exit.code == 0 and broker.exit.cause == "exit"
    if clean and ordinal("quorum") <= top < _LAST:
        top = _LAST
    been = set(range(top + 1))
    for step in broker.transitions:
        been.difference_update(range(ordinal(step.former) + 1, ordinal(step.state)))
    return been


def came(broker: BrokerState) -> Iterator[tuple[str, float]]:
    """Yield the phases to which a broker is known to have come when, in seconds."""
    if broker.spawned is not None:
        yield "spawned", broker.spawned
    for phase, t in broker.pmi_times:
        if phase in _SPOKEN and phase != "closed":
            yield PMI[_SPOKEN[phase] - 1], t
    since = {step.state: step.t for step in broker.transitions} | {broker.state: broker.state_since}
    for name, state in _STATES.items():
        if state in since:
            yield name, since[state]
    if broker.exit is not None:
        yield "exit", broker.exit_t
