"""Phases of an instance."""

from __future__ import annotations

import pytest

from fluxstart_tui.diagnose import failure, progress
from fluxstart_tui.diagnose.doing import sentence
from fluxstart_tui.session import events as e
from fluxstart_tui.session.state import advance, initial, replay
from tests.diagnose import blocks, ends, launches


def reached(timed: blocks.Timed, size: int = 4) -> dict[str, int]:
    """Return how many ranks are through each phase."""
    return {phase.name: phase.k for phase in progress.phases(replay(timed, size))}


def test_nothing_has_happened() -> None:
    """Before anything is known, all phases are ahead of all ranks."""
    assert reached([]) == dict.fromkeys(progress.NAMES, 0)


def test_success() -> None:
    """In the end all ranks have come to all phases, and it is known when the last one did."""
    phases = progress.phases(replay(ends.success(), 4))
    assert [phase.name for phase in phases] == list(progress.NAMES)
    assert all(phase.complete for phase in phases)
    times = {phase.name: phase.last for phase in phases}
    assert (times["spawned"], times["run"], times["exit"]) == (0.0, 0.2, 0.6)


def test_barriers() -> None:
    """Who waits in the first barrier has put its card; who is let out reads those of others."""
    waiting = [*blocks.spawn(4), *blocks.barrier_in(range(3))]
    assert reached(waiting)["put"] == reached(waiting)["barrier"] == 3
    assert reached(waiting)["get"] == 0
    assert reached([*waiting, (0.1, e.Pmi(3, "barrier", 1)), (0.1, e.Barrier(1))])["get"] == 4
    assert reached([*waiting, (0.1, e.Pmi(0, "closed", 1))])["barrier"] == 3


def test_missing() -> None:
    """Those that have not come to a phase are named."""
    phases = progress.phases(blocks.until(launches.never_spawned(), 1.0))
    spawned = next(phase for phase in phases if phase.name == "spawned")
    assert (spawned.k, spawned.total, spawned.missing) == (1, 4, frozenset({1, 2, 3}))


def test_size_one_exchanges_no_cards() -> None:
    """A size-1 instance has no put, barrier and get."""
    names = list(reached([*blocks.spawn(1), *blocks.pmi(1)], 1))
    assert names[:4] == ["spawned", "PMI init", "finalize", "join"]


def test_boot_by_config_speaks_no_pmi() -> None:
    """Without PMI its phases are left out, once brokers are seen without it."""
    timed = [*blocks.spawn(2), (0.1, e.State(0, "join", "builtins-success", "load-builtins"))]
    assert list(reached(timed, 2))[:2] == ["spawned", "join"]


def test_a_singleton_speaks_no_pmi_from_the_start() -> None:
    """In normal mode nobody waits for PMI, and a failure before any state is told without it."""
    alone = initial({"size": 1, "mode": "normal"})
    begun = advance(alone, blocks.spawn(1))
    assert [phase.name for phase in progress.phases(begun)][:2] == ["spawned", "join"]
    assert sentence(begun, 1.0) == "starting: waiting for rank 0 (no state known yet)"
    over = [*blocks.spawn(1), (1.0, e.Exit(0, 1, 3)), (1.0, e.End(3))]
    first = failure.first(advance(alone, over))
    assert first is not None
    assert first.kind == "program"


def test_states_seen_by_asking() -> None:
    """A rank that was only ever seen in `run` has been in all states before."""
    timed: blocks.Timed = [*blocks.spawn(1), (1.0, e.State(0, "run"))]
    counts = reached(timed, 1)
    assert (counts["join"], counts["quorum"], counts["run"], counts["cleanup"]) == (1, 1, 0, 0)
    # One that then exits of itself with 0 has shut down in order.
    assert reached([*timed, (2.0, e.Exit(0, 100, 0, 0, "exit"))], 1)["shutdown"] == 1
    assert reached([*timed, (2.0, e.Exit(0, 100, 137, 9, "sender"))], 1)["shutdown"] == 0


def test_failed_rc1_never_ran() -> None:
    """A rank whose rc1 failed is not through rc1, though it has come to shutdown."""
    counts = reached(launches.rc1_fails())
    assert (counts["join"], counts["rc1"], counts["quorum"], counts["shutdown"]) == (4, 3, 0, 1)


def test_a_phase_that_lasts_is_over_when_all_are_through() -> None:
    """All have come to rc1, one still runs it: it is rc1 that holds them up, not quorum."""
    states = [*blocks.spawn(4), *((0.1, e.State(rank, "init")) for rank in range(4))]
    states += [(1.0, e.State(rank, "quorum")) for rank in (0, 1, 3)]
    phases = progress.phases(replay(states, 4))
    at = progress.current(phases, ended=False)
    rc1 = phases[at]
    assert (rc1.name, rc1.entered, rc1.complete, rc1.missing) == (
        "rc1",
        True,
        False,
        frozenset({2}),
    )
    assert phases[at + 1].reached == {0, 1, 3}
    assert not phases[at + 1].through
    assert progress.current(phases, ended=True) == -1


def test_the_run_is_over_when_rank_0_cleans_up() -> None:
    """Others run until it has, and one that does not leave `run` then is who holds them up."""

    def current(*states: str) -> str:
        timed = [(1.0, e.State(rank, state)) for rank, state in enumerate(states)]
        phases = progress.phases(replay([*blocks.spawn(len(states)), *timed], len(states)))
        return phases[progress.current(phases, ended=False)].name

    assert current("run", "run", "run") == "run"
    assert current("cleanup", "run", "run") == "cleanup"
    assert current("shutdown", "run", "shutdown") == "run"
    assert current("shutdown", "shutdown", "shutdown") == "shutdown"


def test_who_is_killed_is_not_through() -> None:
    """An orderly exit ends shutdown, a signal does not."""
    timed: blocks.Timed = [*blocks.spawn(1), (1.0, e.State(0, "shutdown"))]
    assert reached([*timed, (2.0, e.Exit(0, 100, 3, 0, "exit"))], 1)["shutdown"] == 1
    assert reached([*timed, (2.0, e.Exit(0, 100, 137, 9, "timer"))], 1)["shutdown"] == 0


@pytest.mark.parametrize("name", ["none", "bogus", ""])
def test_unknown_states(name: str) -> None:
    """States of other versions are no states here."""
    assert reached([(0.0, e.State(0, name))], 1)["join"] == 0


def test_restarted_rank_starts_again() -> None:
    """A rank that is started again has come nowhere yet."""
    assert reached([*ends.success(1), (1.0, e.Spawn(0, 200))], 1)["exit"] == 0


def test_a_barrier_that_lets_nobody_out_is_not_over_and_who_is_stopped_is_not_in_it() -> None:
    """Without a tap a rank is taken to be in the barrier once its card is put."""
    entered = [*blocks.spawn(4), *blocks.barrier_in(range(4))]
    found = progress.phases(replay(entered, 4))
    at = progress.current(found, ended=False)
    assert (found[at].name, found[at].k, found[at].entered) == ("barrier", 0, True)
    state = replay([*entered, (3.0, e.Probe(2, 102, "T"))], 4)
    found = progress.phases(state)
    assert found[progress.current(found, ended=False)].missing == {2}
    assert progress.in_barrier(state) == {0, 1, 3}


def test_who_has_not_joined_waits_for_an_ancestor_in_rc1() -> None:
    timed = [
        *blocks.spawn(3),
        *blocks.pmi(3),
        *blocks.walk([0], "quorum"),
        *blocks.walk([1], "init"),
    ]
    timed += blocks.walk([2], "join")
    found = progress.phases(replay(timed, 3))
    at = progress.current(found, ended=False)
    assert found[at].name == "rc1"
    assert found[at].missing == {1, 2}


def test_a_phase_took_from_the_first_rank_in_to_the_last_one_out() -> None:
    """Who waits for the last one waits in the phase; one that somebody is in has no end yet."""
    late = [*blocks.spawn(3), *blocks.barrier_in([0, 2]), *blocks.barrier_in([1], 3.0)]
    phases = progress.phases(replay([*late, (3.5, e.Barrier(1))], 3))
    took = {phase.name: progress.took(phases, at) for at, phase in enumerate(phases)}
    assert took["barrier"] == pytest.approx(3.45)
    assert took["get"] is None
