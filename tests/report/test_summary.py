"""Summaries of instances: parts of the text, and the JSON form."""

from __future__ import annotations

import json

import pytest

from fluxstart_tui.report import summary
from fluxstart_tui.report.text import text
from fluxstart_tui.session import events as e
from fluxstart_tui.session.state import replay
from tests.diagnose import blocks, ends, launches
from tests.diagnose.blocks import HEADER
from tests.report.printing import printed


def test_signal_without_event() -> None:
    """When a signal came is inferred from what it did, if nothing else tells."""
    assert printed(launches.stuck_before_barrier(told=False)) == printed(
        launches.stuck_before_barrier()
    )


def test_no_end() -> None:
    """A record without an end says what was last known; of one that is live, what it does."""
    state = blocks.until(launches.rc1_fails(), 5.0)
    dead = text(summary.summarize(HEADER, state)).splitlines()
    assert dead[0] == (
        "fluxstart-tui: instance of 4 brokers: its record stops after 2.3 s, before its end"
    )
    assert dead[2:4] == [
        (
            "  last known     exit timer kills ranks 0-2 in 18.1 s since rank 3 exited with rc=1;"
            " quorum 3/4 for"
        ),
        "                 2.2 s: waiting for rank 3 (exited with code 1)",
    ]
    live = text(summary.summarize(HEADER, state, live=True)).splitlines()
    assert live[0] == "fluxstart-tui: instance of 4 brokers runs for 2.3 s"
    assert live[2].startswith("  now            exit timer kills ranks 0-2 in 18.1 s")


@pytest.mark.parametrize(
    ("directory", "shown"),
    [("/a/b-c", "/a/b-c"), ("/a b", "'/a b'"), ("/it's", "'/it'\"'\"'s'"), ("/a\nb", "'/a\\nb'")],
)
def test_command_can_be_pasted(directory: str, shown: str) -> None:
    """What a shell would take apart is quoted."""
    assert printed(ends.success(), directory=directory).endswith(f" --replay={shown}\n")


def test_a_failed_program_is_not_simple_if_more_went_wrong() -> None:
    """The short form is for what has no other side."""
    timed = [*ends.program_fails()[:-1], (0.7, e.Violation(1, "x")), (0.7, e.End(3))]
    assert "violation by rank 1: x" in printed(timed)


@pytest.mark.parametrize(
    ("code", "words"),
    [(127, "exited with code 127 (command not found)"), (137, "was killed by SIGKILL (code 137)")],
)
def test_codes_of_programs(code: int, words: str) -> None:
    """What a code usually means is said."""
    timed: blocks.Timed = [
        *blocks.up(1),
        (1.0, e.Program("ended", code, "nope")),
        (1.1, e.Exit(0, 100, code, 0, "exit")),
        (1.2, e.End(code)),
    ]
    head = f"fluxstart-tui: initial program {words} at 1.0 s: nope\n"
    assert printed(timed, 1, directory="") == head


def test_json() -> None:
    """The JSON form has all of it under the same names."""
    state = replay(ends.leaf_killed(), 4)
    found = json.loads(summary.as_json(summary.summarize(HEADER, state, directory="/s/1")))
    assert found["outcome"] == "failed"
    assert found["first"]["kind"] == "broker"
    assert found["first"]["ranks"] == [3]
    assert found["groups"][1] == {
        "ranks": "3",
        "number": 1,
        "where": "run",
        "end": "killed by SIGKILL, sender unknown",
        "first": 2.1,
        "last": 2.1,
        "detail": "not sent through this program",
    }


def test_topology_decides_on_whom_to_blame() -> None:
    """In a chain, the topmost missing rank is named."""
    timed = [
        *blocks.spawn(4),
        *blocks.pmi(4),
        *blocks.walk([0], "quorum"),
        *blocks.walk([1, 2, 3], "join"),
        (5.0, e.Online("0")),
    ]
    assert "waiting for rank 1 (has not reached its parent rank 0); ranks 2-3" in " ".join(
        printed(timed, topology="kary:1").split()
    )
