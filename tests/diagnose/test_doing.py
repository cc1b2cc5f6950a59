"""What an instance is said to do."""

from __future__ import annotations

import pytest

from fluxstart_tui.diagnose.doing import sentence
from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events as e
from fluxstart_tui.session import tree
from fluxstart_tui.session.state import replay
from tests.diagnose import blocks, ends

UP4 = blocks.up(4)
QUORUM: blocks.Timed = [
    *blocks.spawn(4),
    *blocks.pmi(4),
    (0.1, e.Quorum(4)),
    *blocks.walk([0], "quorum"),
    *blocks.walk([1], "init"),
    *blocks.walk([2, 3], "join"),
    (0.2, e.Online("0")),
]


@pytest.mark.parametrize(
    ("timed", "now", "text"),
    [
        ([], 0.0, "no broker has been started yet"),
        (
            blocks.spawn(2),
            1.0,
            ("starting, 0/4 brokers speak PMI: waiting for ranks 0-1 (not in PMI yet), ranks 2-3 "
            "(never started)"),
        ),
        (
            [*blocks.spawn(4), *blocks.barrier_in(range(3))],
            9.0,
            "waiting in PMI barrier 1 for rank 3 (not in PMI yet)",
        ),
        (
            [
                *blocks.spawn(4),
                *blocks.barrier_in(range(3)),
                (5.0, e.Sample("3", [0.0], [1000], [1], [5], "T")),
            ],
            9.0,
            (
                "waiting in PMI barrier 1 for rank 3 (not in PMI yet, suspended by a signal"
                " (SIGSTOP)); nothing goes on by itself"
            ),
        ),
        (
            [*blocks.spawn(4), *blocks.barrier_in(range(4)), (0.1, e.Hold("", barrier=True))],
            9.0,
            "all ranks are in PMI barrier 1, held on request",
        ),
        (
            [*blocks.spawn(4), *blocks.barrier_in(range(2)), (0.1, e.Hold("2-3"))],
            9.0,
            "waiting in PMI barrier 1 for ranks 2-3 (held in PMI on request)",
        ),
        (
            [*blocks.spawn(4), *blocks.pmi(4)],
            9.0,
            "brokers are past PMI, their states are not known",
        ),
        (
            [*blocks.spawn(4), *blocks.pmi(4), *blocks.walk([0], "init")],
            5.12,
            "rank 0 runs rc1 (5.0 s); the others wait for it",
        ),
        (QUORUM, 10.13, ("quorum 1/4 for 10.0 s: waiting for rank 1 (running rc1 for 10.0 s), "
                        "rank 2 (has not reached its parent rank 0); rank 3 below waits too")),
        (UP4, 12.2, "program runs (12.0 s)"),
        (
            [*UP4, (3.0, e.Exit(3, 103, 137, 9, "sender"))],
            12.2,
            ("program runs (12.0 s), the last 9.2 s without rank 3 (killed by SIGKILL, sender "
             "unknown)"),
        ),
        (
            [*UP4, (3.0, e.Exit(1, 101, 0)), (3.0, e.Timer("armed", 23.0, "rank 1 exited", "0"))],
            10.7,
            ("exit timer kills rank 0 in 12.3 s since rank 1 exited; program runs (10.5 s), the "
            "last 7.7 s without rank 1 (exited with code 0)"),
        ),
        (
            [*UP4, (3.0, e.State(0, "cleanup", "rc2-success", "run", 1.0))],
            5.0,
            "cleanup runs (2.0 s)",
        ),
        (
            [
                *UP4,
                (3.0, e.Program("ended")),
                *blocks.walk([0], "shutdown", 3.0, "cleanup"),
                *blocks.down([1, 2], 3.0),
                (3.1, e.Timer("armed", 23.1, "rank 1 exited", "0,3")),
            ],
            5.0,
            ("shutting down: waiting for rank 3 (run); exit timer kills ranks 0,3 in 18.1 s since "
            "rank 1 exited"),
        ),
        (
            [*UP4, (3.0, e.Exit(0, 100, 1))],
            5.0,
            "waiting for ranks 1-3 (run) to end: rank 0 exited with code 1",
        ),
        (
            [*UP4, (3.0, e.Abort(1, 1, "x"))],
            5.0,
            "PMI abort by rank 1: waiting for ranks 0-3 to end",
        ),
        (ends.program_fails(), 9.0, "ended: exit code 3"),
        (ends.two_signals(), 9.0, "ended by SIGINT: exit code 130"),
        (ends.shut_down(), 9.0, "the UI asked for an orderly end: exit code 143 = 128 + SIGTERM"),
        (ends.success()[:-1], 9.0, "all brokers have exited"),
    ],
)  # fmt: skip
def test_sentence(timed: blocks.Timed, now: float, text: str) -> None:
    """It says what is waited for and on whom, of ranks below others that are missing only that."""
    parents = tree.parents("custom", 4)
    assert sentence(replay(timed, 4), now, lambda r: 1 if r == 3 else parents(r)) == text


def test_parent_in_rc1() -> None:
    """A rank that its parent keeps waiting is not blamed."""
    timed: blocks.Timed = [*QUORUM, (0.3, e.Online("0-1"))]
    text = sentence(replay(timed, 4), 10.13, tree.parents("kary:1", 4))
    assert text == (
        "quorum 2/4 for 10.0 s: waiting for rank 2 (its parent rank 1 has not finished rc1);"
        " rank 3 below waits too"
    )


def test_a_thousand() -> None:
    """It stays a line, whoever is missing."""
    odd = range(1, 1024, 2)
    timed = [*blocks.spawn(1024), *blocks.barrier_in(odd)]
    text = sentence(replay(timed, 1024), 9.0)
    assert idset.encode([0, 2, 4]) in text
    assert len(text) < 120


@pytest.mark.parametrize(
    ("sent", "how"),
    [
        ([], "suspended by a signal (SIGSTOP)"),
        ([e.Signal("1", 19, "start.signal from the UI")], "stopped by the UI (SIGSTOP)"),
        (
            [e.Signal("1", 19, "start.signal from the UI"), e.Signal("1", 18, "x")],
            "suspended by a signal (SIGSTOP)",
        ),
    ],
)
def test_who_has_stopped_a_rank_is_named_if_it_was_through_us(
    sent: list[e.Signal], how: str
) -> None:
    """One that was continued since was stopped by somebody else."""
    seen = (12.0, e.Probe(1, 7, "T"))
    timed = [*UP4, *((11.0, one) for one in sent), seen]
    assert sentence(replay(timed, 4), 12.2) == f"program runs (12.0 s); rank 1 is {how}"
