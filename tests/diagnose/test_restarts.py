"""A rank that is started again: it begins anew, and may wait where nobody else comes."""

from __future__ import annotations

from fluxstart_tui.diagnose import progress
from fluxstart_tui.diagnose.doing import sentence
from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.diagnose.lives import Lives
from fluxstart_tui.diagnose.words import where
from fluxstart_tui.report.launch_instance import made
from fluxstart_tui.session import events as e
from fluxstart_tui.session.state import InstanceState, replay
from tests.diagnose.blocks import Timed, pmi, spawn, walk

LOST = "rank 1 waits in PMI barrier 1, which the others have left"


def again() -> Timed:
    """Rank 1 is killed while the program runs, and is started again."""
    return [
        *spawn(4), *pmi(4), *walk(range(4), "run"), (0.3, e.Program("started")),
        (5.0, e.Exit(1, 101, 137, 9, "user")),
        (9.0, e.Spawn(1, 201)),
        *((9.0 + n / 10, e.Pmi(1, name, int(name == "barrier")))
          for n, name in enumerate(("init", "put", "barrier"), 1)),
    ]  # fmt: skip


def phase(state: InstanceState, name: str) -> progress.Phase:
    return next(one for one in progress.phases(state) if one.name == name)


def test_its_phases_begin_anew() -> None:
    """It is in the barrier, and through none of what comes behind it."""
    state = replay(again(), 4)
    assert phase(state, "put").complete
    for name in ("barrier", "get", "finalize", "join", "run"):
        assert phase(state, name).missing >= {1}, name
    assert phase(state, "barrier").reached == frozenset(range(4))
    assert where(state, state.broker(1)) == "PMI barrier 1 again"


def test_that_it_can_not_get_back_in_is_said() -> None:
    """The sentence and a finding name it, with the time from which on it waits."""
    state = replay(again(), 4)
    assert sentence(state, 20.0) == f"program runs (20 s); {LOST}".replace("20 s", "19.7 s")
    launch = made(state, [])
    launch.engine = "77"
    (one,) = (one for one in diagnose(launch, 20.0) if one.id == "S5")
    assert one.ranks == {1}
    assert one.since == 9.3
    assert "rank 1 can not get back in" in one.sentence
    assert one.remedies[0].startswith("fluxstart-tui --ctl=77 signal 1 KILL")


def test_so_it_is_known_before_it_is_done() -> None:
    """A rank would be shut out if others have left PMI, and only then."""
    state = replay(again(), 4)
    assert progress.would_be_deserted(state, 2)
    assert not progress.would_be_deserted(replay([*spawn(4), *pmi(4)][:-5], 4), 2)
    assert not progress.would_be_deserted(replay([*spawn(1), *pmi(1)], 1), 0)


def test_if_all_are_started_again_all_get_in() -> None:
    """Barriers are then new to all, and nobody is shut out."""
    timed = again()
    for rank in (0, 2, 3):
        timed += [(10.0, e.Exit(rank, 100 + rank, 137, 9, "user")),
                  (10.1, e.Spawn(rank, 200 + rank)),
                  (10.2, e.Pmi(rank, "barrier", 1))]  # fmt: skip
    waiting = replay(timed, 4)
    assert progress.deserted(waiting) == frozenset()
    assert progress.in_barrier(waiting) == frozenset(range(4))
    state = replay([*timed, (10.3, e.Barrier(waiting.barriers + 1))], 4)
    assert phase(state, "get").complete
    assert where(state, state.broker(1)) == "PMI get"


def test_its_first_life_stays_as_past() -> None:
    """What it did then is still known."""
    lives = Lives()
    timed = again()
    lives.take(timed)
    state = replay(timed, 4)
    assert [lives.place(1, t, state) for t in (1.0, 6.0, 9.35)] == ["run", "SIGKILL", "barrier"]
