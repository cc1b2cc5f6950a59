"""When each rank came to each phase."""

from __future__ import annotations

import pytest

from fluxstart_tui.diagnose import progress
from fluxstart_tui.diagnose.phase_times import Phase, times
from fluxstart_tui.session import events as e
from fluxstart_tui.session.state import advance, initial, replay
from tests.diagnose import blocks, ends


def test_success() -> None:
    """All phases have a time for all ranks, in order, and those of PMI are not forgotten."""
    found = times(replay(ends.success(), 4))
    assert list(found) == list(progress.NAMES)
    assert all(set(phase.ranks) == set(range(4)) for phase in found.values())
    assert found["spawned"] == Phase(0.0, 0.0, dict.fromkeys(range(4), 0.0))
    assert found["barrier"].first == pytest.approx(0.05)
    assert found["finalize"].last == pytest.approx(0.07)
    lasts = [phase.last or 0.0 for phase in found.values()]
    assert lasts == sorted(lasts)


def test_first_last_and_who_was_last() -> None:
    """A rank that comes later than others is named; a second barrier changes nothing."""
    late = [*blocks.spawn(3), *blocks.barrier_in([0, 2]), *blocks.barrier_in([1], 3.0)]
    found = times(replay([*late, (3.0, e.Barrier(1)), (4.0, e.Pmi(0, "barrier", 2))], 3))
    assert (found["barrier"].first, found["barrier"].last) == (0.05, 3.0)
    assert found["barrier"].last_rank == 1
    assert found["get"].ranks == {0: 3.0, 1: 3.0, 2: 3.0}
    assert found["run"] == Phase()
    assert found["run"].last_rank is None


def test_restarted_rank() -> None:
    """A rank that is started anew comes anew to all phases."""
    found = times(replay([*blocks.spawn(2), *blocks.barrier_in([1]), (5.0, e.Spawn(1, 7))], 2))
    assert found["spawned"].ranks == {0: 0.0, 1: 5.0}
    assert found["barrier"].ranks == {}


def test_singleton_has_no_pmi() -> None:
    """Normal mode's single broker speaks none."""
    alone = advance(initial({"size": 1, "mode": "normal"}), blocks.spawn(1))
    assert list(times(alone))[:2] == ["spawned", "join"]
