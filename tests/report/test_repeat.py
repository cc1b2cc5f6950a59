"""What many runs have in common."""

from __future__ import annotations

import json

from fluxstart_tui.report import repeat
from fluxstart_tui.session import events as e
from fluxstart_tui.session.state import replay
from tests.diagnose import ends


def runs() -> list[repeat.Run]:
    """Ten runs in which rank 1 is started last, and one that fails."""
    found = []
    for number in range(1, 11):
        spawned = [(0.0, e.Spawn(0, 1)), (number / 10, e.Spawn(1, 2))]
        found.append(repeat.run(number, 0, replay(spawned, 2)))
    failed = replay(ends.leaf_killed(), 4)
    return [*found, repeat.run(11, 137, failed, "/sessions/11")]


def test_distribution() -> None:
    """Figures are those of runs that succeeded, by the nearest rank; a phase lacks who lacks it."""
    (row,) = repeat.distribution(runs())
    assert row == repeat.Row("spawned", 10, 0.1, 0.5, 0.9, 1.0, {1: 10})
    assert repeat.distribution(runs()[10:]) == []


def test_as_text_and_data() -> None:
    """Failures are counted by exit code and named with their cause and session."""
    told = repeat.as_text(runs())
    assert told.startswith(
        "fluxstart-tui: 11 runs: 10 succeeded, 1 failed (exit code 137 (128 + SIGKILL) in 1 run)\n"
    )
    assert "  spawned        0.100     0.500     0.900     1.000   1 in 10\n" in told
    assert "run 11: exit code 137 (128 + SIGKILL): rank 3 (pid 103) was killed" in told
    assert told.endswith("--show=/sessions/11\n")
    data = json.loads(repeat.as_json(runs()))
    assert data["failed"][0]["session"] == "/sessions/11"
    assert data["phases"][0]["last"] == [{"rank": 1, "runs": 10}]
