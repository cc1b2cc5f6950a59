"""The exit timer's policy, by itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.engine.exit_timer import ExitTimer


def test_any_starts_at_the_first_exit_and_stops_at_the_last() -> None:
    """Mode any: the deadline is set once, by the first exit, and lifted when nobody runs."""
    timer = ExitTimer("any", 20, 3)
    timer.exited(2, 0, {0, 1}, now=100.0)
    assert timer.deadline == 120.0
    timer.exited(1, 0, {0}, now=110.0)
    assert timer.deadline == 120.0
    timer.exited(0, 0, set(), now=111.0)
    assert timer.deadline is None


def test_leader_waits_for_rank_0() -> None:
    """Mode leader: exits of others start nothing, rank 0's does."""
    timer = ExitTimer("leader", 1, 3)
    timer.exited(2, 9, {0, 1}, now=0.0)
    assert not timer.deadline
    timer.exited(0, 3, {1}, now=5.0)
    assert timer.deadline == 6.0
    assert timer.exit_code == 3


def test_never_started_ranks_count_as_not_running() -> None:
    """In leader start mode an exit leaves nobody, so there is nobody to kill."""
    timer = ExitTimer("any", 20, 4)
    timer.exited(0, 0, set(), now=0.0)
    assert timer.deadline is None
    timer.exited(0, 0, {1}, now=1.0)
    assert timer.deadline == 21.0


def test_a_rank_that_runs_again_stops_the_timer() -> None:
    """The condition is looked at anew at each exit: a full house has no deadline."""
    timer = ExitTimer("leader", 20, 2)
    timer.exited(0, 0, {1}, now=0.0)
    timer.exited(1, 0, {0}, now=1.0)  # rank 0 was started again meanwhile
    assert timer.deadline is None


def test_an_ordered_end_starts_it_without_any_exit() -> None:
    """A signal to the engine starts the timer, and exits do not put it off or stop it."""
    timer = ExitTimer("leader", 20, 3)
    timer.end_ordered(now=50.0)
    timer.exited(2, 1, {0, 1}, now=60.0)
    assert timer.deadline == 70.0
    timer.exited(0, 1, set(), now=61.0)
    assert timer.deadline is None


@pytest.mark.parametrize(("mode", "code"), [("any", 9), ("leader", 1)])
def test_exit_code(mode: str, code: int) -> None:
    """Mode any takes the highest code, mode leader rank 0's."""
    timer = ExitTimer(mode, math.inf, 3)
    for rank, given_code in ((1, 9), (0, 1), (2, 4)):
        timer.exited(rank, given_code, {0}, now=0.0)
    assert timer.exit_code == code


@given(st.permutations(range(6)), st.sampled_from(["any", "leader"]), st.booleans())
def test_all_exits_leave_no_deadline(order: list[int], mode: str, ordered: bool) -> None:
    """Whatever the order of exits, the last one lifts the deadline, and it never moves."""
    timer = ExitTimer(mode, 5, 6)
    if ordered:
        timer.end_ordered(now=0.0)
    running = set(range(6))
    seen = set()
    for now, rank in enumerate(order, start=1):
        running.discard(rank)
        timer.exited(rank, 0, running, now=float(now))
        if timer.deadline is not None:
            seen.add(timer.deadline)
    assert timer.deadline is None
    assert len(seen) <= 1
