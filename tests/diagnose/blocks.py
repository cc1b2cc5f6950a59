"""Building blocks of the stories that instances live through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events as e
from fluxstart_tui.session.state import InstanceState, replay

if TYPE_CHECKING:
    from collections.abc import Iterable

Timed = list[tuple[float, e.Event]]

HEADER = {
    "format": 1,
    "program": "fluxstart-tui 0.1.0",
    "argv": ["fluxstart-tui", "--record", "-s4", "make", "check"],
    "broker": "/usr/libexec/flux/cmd/flux-broker",
    "broker_version": "0.88.0",
    "broker_kind": "flux-broker",
    "host": "ci-7",
    "start": "2026-11-22T06:51:02Z",
    "size": 4,
    "topology": None,
}

WALK = (
    ("builtins-success", "load-builtins", "join"),
    ("parent-ready", "join", "config-sync"),
    ("sync-success", "config-sync", "init"),
    ("rc1-success", "init", "quorum"),
    ("quorum-full", "quorum", "run"),
    ("rc2-success", "run", "cleanup"),
    ("cleanup-none", "cleanup", "shutdown"),
    ("children-none", "shutdown", "finalize"),
    ("rc3-success", "finalize", "goodbye"),
    ("goodbye", "goodbye", "unload-builtins"),
    ("builtins-done", "unload-builtins", "exit"),
)
STATES = ["load-builtins", *(state for _, _, state in WALK)]


def spawn(size: int, t: float = 0.0) -> Timed:
    """All ranks are started; rank R has the pid 100 + R."""
    return [(t, e.Spawn(rank, 100 + rank)) for rank in range(size)]


def barrier_in(ranks: Iterable[int], t: float = 0.05, number: int = 1) -> Timed:
    """Ranks say hello, publish their cards and enter a barrier."""
    told: Timed = []
    for rank in ranks:
        if number == 1:
            told += [(t - 0.02, e.Pmi(rank, "init")), (t - 0.01, e.Pmi(rank, "put"))]
        told.append((t, e.Pmi(rank, "barrier", number)))
    return told


def pmi(size: int, t: float = 0.05) -> Timed:
    """All ranks exchange their cards."""
    everyone = range(size)
    if size == 1:
        return [(t, e.Pmi(0, "init")), (t, e.Pmi(0, "finalize"))]
    return [
        *barrier_in(everyone, t),
        (t, e.Barrier(1)),
        *barrier_in(everyone, t + 0.01, 2),
        (t + 0.01, e.Barrier(2)),
        *((t + 0.02, e.Pmi(rank, "finalize", 2)) for rank in everyone),
    ]


def walk(ranks: Iterable[int], last: str, t: float = 0.1, first: str = "join") -> Timed:
    """Ranks step from one state to another, 10 ms each."""
    steps = WALK[STATES.index(first) - 1 : STATES.index(last)]
    return [
        (round(t + 0.01 * n, 3), e.State(rank, state, event, former, 0.01))
        for rank in ranks
        for n, (event, former, state) in enumerate(steps)
    ]


def up(size: int, t: float = 0.2) -> Timed:
    """An instance comes up and runs its program."""
    everyone = range(size)
    return [
        *spawn(size),
        *pmi(size),
        (0.1, e.Quorum(size)),
        *walk(everyone, "quorum"),
        (t, e.Online(idset.encode(everyone))),
        *walk(everyone, "run", t, "run"),
        (t, e.Program("started")),
    ]


def down(ranks: Iterable[int], t: float) -> Timed:
    """Ranks shut down in order and exit with code 0."""
    return [
        (at, event)
        for rank in ranks
        for at, event in (
            *walk([rank], "exit", t, "cleanup"),
            (t + 0.1, e.Exit(rank, 100 + rank, 0, 0, "exit")),
        )
    ]


def timer_kills(ranks: Iterable[int], t: float, cause: str) -> Timed:
    """The exit timer fires."""
    victims = list(ranks)
    text = idset.encode(victims)
    return [
        (t, e.Timer("fired", -1.0, cause, text)),
        (t, e.Signal(text, 9, "exit timer")),
        *((t + 0.01, e.Exit(r, 100 + r, 137, 9, "timer", "exit timer")) for r in victims),
    ]


def until(timed: Timed, t: float, size: int = 4) -> InstanceState:
    """Return the state at a time, that time's events included."""
    return replay((pair for pair in timed if pair[0] <= t), size)
