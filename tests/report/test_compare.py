"""Two sessions side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.report import compare
from fluxstart_tui.report.divergence import Apart, divergence
from fluxstart_tui.session import events as e
from fluxstart_tui.session.events import encode
from tests.diagnose import blocks, ends

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_but_for_chance() -> None:
    """Times, pids, the order between ranks, numbers in logs and unseen states do not count."""
    one = [*ends.success(), (0.5, e.Log(1, 3, "broker", "pid 123 in /tmp/flux-aB3x9z"))]
    late = [
        (t + 1.0, event._replace(pid=9) if isinstance(event, e.Spawn) else event)
        for t, event in sorted(ends.success(), key=lambda timed: getattr(timed[1], "rank", 9))
        if not (isinstance(event, e.State) and event.rank == 2)
    ]
    asked = [(0.3, e.State(2, "run")), (0.6, e.State(2, "exit"))]
    other = [*late, *asked, (9.0, e.Log(1, 3, "broker", "pid 7 in /tmp/flux-Q11111"))]
    assert divergence(one, other) == (None, None)


def test_a_hang() -> None:
    """The rank that did not come is named, not those that waited for it in vain."""
    hang = [*blocks.spawn(4), *blocks.barrier_in([0, 1, 3])]
    first, second = divergence(ends.success(), hang)
    assert second is None
    assert first is not None
    assert first.t == pytest.approx(0.03)
    assert first.sentence == "rank 2 came to PMI init"
    assert first.instead == "nothing of that kind"


def test_who_did_what_instead() -> None:
    """Those that did the same come together, with what they did in the other instance."""
    bad = [*blocks.spawn(4), *blocks.pmi(4), *((0.2, e.Exit(r, 1, 1)) for r in (1, 2))]
    first, second = divergence(bad, ends.success())
    assert first == Apart(
        frozenset({1, 2}), 0.2, "exited with code 1", "exited with code 0 at 0.6 s"
    )
    assert second is not None
    assert second.sentence == "the instance waited for 4 brokers"


def write(path: Path, timed: blocks.Timed, **header: object) -> str:
    """Make a session."""
    path.mkdir()
    (path / "session.json").write_text(json.dumps({**blocks.HEADER, **header}))
    (path / "events.jsonl").write_text("".join(encode(t, event) for t, event in timed))
    return str(path)


def test_two_sessions(tmp_path: Path) -> None:
    """Phases stand side by side, then what is other: events, exits, findings."""
    a = write(tmp_path / "a", ends.success())
    b = write(tmp_path / "b", ends.leaf_killed(), argv=["fluxstart-tui", "-s4"])
    found = compare.compare(a, b)
    text = compare.as_text(found)
    assert f"  A: {a}: 4 brokers, exit code 0\n" in text
    assert "  B ran: fluxstart-tui -s4\n" in text
    assert "  run            0.200     0.200    +0.000    1.00\n" in text
    assert "  cleanup        0.500         -\n" in text
    assert "B at 2.1 s: rank 3 was killed by SIGKILL; in A: exited with code 0 at 0.6 s" in text
    assert "rank 3: in A exited with code 0, in B killed by SIGKILL, sender unknown\n" in text
    data = json.loads(compare.as_json(found))
    row = next(one for one in data["phases"] if one["phase"] == "run")
    assert (row["difference"], row["ratio"]) == (0.0, 1.0)
    assert {one["ranks"] for one in data["exits"]} == {"0-2", "3"}
    same = compare.as_text(compare.compare(a, a))
    assert "events: the same in both, but for times\n" in same
    assert "found in" not in same
