"""Who waits for whom: the culprit is named, wherever the others are."""

from __future__ import annotations

import pytest

from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.diagnose.launch.state import Probe
from tests.diagnose.launch.logs import boot, findings, join, labelled, launch, put, quorum, steps

STOPPED = Probe(9.0, "node1", 77, "T", "do_signal_stop")


def test_the_dead_are_named_with_what_they_died_of() -> None:
    died = [*boot(1, 4), "<2>broker.crit[1]: rundir cannot create directory in /x: No such file"]
    found = findings(
        labelled(0, put(0, 4)),
        labelled(1, died),
        labelled(2, put(2, 4)),
        labelled(3, put(3, 4)),
        ["srun: error: n1: task 1: Exited with exit code 1"],
    )
    assert set(found) == {"F5", "S1"}
    assert found["S1"].sentence == (
        "rank 1 (node1) is gone, it exited with code 1: rundir cannot create directory in /x: No"
        " such file; ranks 0,2-3 wait in vain for it in PMI barrier 1"
    )
    assert found["S1"].ranks == {1}
    assert [line.number for line in found["S1"].evidence] == [5, 10, 15, 21]


def test_a_rank_that_never_spoke_is_known_from_the_size() -> None:
    found = findings(labelled(0, put(0, 3)), labelled(2, put(2, 3)))
    assert set(found) == {"S2"}
    assert found["S2"].ranks == {1}
    assert "ranks 0,2 wait for it in PMI barrier 1" in found["S2"].sentence


def test_a_rank_that_is_late_is_blamed() -> None:
    found = findings(labelled(0, put(0, 3)), labelled(1, boot(1, 3)), labelled(2, put(2, 3)))
    assert set(found) == {"S3"}
    assert found["S3"].ranks == {1}


def test_one_that_is_stuck_in_the_first_barrier_holds_up_the_second() -> None:
    through = [*put(0, 2), "bootstrap: simple: barrier: success"]
    found = findings(labelled(0, through), labelled(1, put(1, 2)))
    assert set(found) == {"S3"}
    assert found["S3"].ranks == {1}
    assert "PMI barrier 2" in found["S3"].sentence


def test_a_probe_decides_what_the_trace_can_not() -> None:
    stalled = launch(labelled(0, put(0, 2)), labelled(1, put(1, 2)))
    (before,) = diagnose(stalled)
    stalled.probe(1, STOPPED)
    (after,) = diagnose(stalled)
    both, first = frozenset({0, 1}), frozenset({1})
    assert (before.id, before.ranks, before.confidence) == ("S4", both, "possible")
    assert (after.id, after.ranks, after.confidence) == ("S4", first, "certain")
    assert "rank 1 (node1) is stopped" in after.sentence


def test_a_servers_trace_shows_who_has_not_entered_the_barrier() -> None:
    lines = [
        f"{rank}: {side}: cmd={cmd}"
        for rank in (0, 1, 2)
        for side, cmd in (("C", f"put kvsname=- key={rank} value=x"), ("S", "put_result rc=0"))
    ]
    entered = ["0: C: cmd=barrier_in", "2: C: cmd=barrier_in"]
    stalled = launch(lines, entered)
    stalled.size = 3
    (found,) = diagnose(stalled)
    assert (found.id, found.ranks) == ("S4", frozenset({1}))


def test_followers_are_mute_in_leader_mode() -> None:
    head = "Nov 22 06:37:11.702552 UTC 2026 broker.info[0]: "
    assert not findings(labelled(0, [f"{head}boot: rank=0 size=2"]))
    assert set(findings(labelled(0, ["<6>broker.info[x]: boot: rank=0 size=2"]))) == {"S2"}


def test_a_rank_that_does_not_say_why_it_died() -> None:
    crit = "Nov 22 07:31:29.724075 UTC 2026 overlay.crit[1]: module exiting abnormally"
    exited = "srun: error: n2: task 1: Exited with exit code 1"
    found = findings([f"1: {crit}", exited])
    assert set(found) == {"S1"}
    assert found["S1"].ranks == {1}
    assert not findings([f"1: {crit}"])


def test_a_library_that_does_not_answer_is_blamed() -> None:
    stuck = ["bootstrap: flux-pmi-client: trying 'libpmi2'"]
    found = findings(labelled(0, put(0, 2)), labelled(1, stuck))
    assert set(found) == {"S0"}
    assert found["S0"].ranks == {1}


def test_nobody_waits_once_the_launcher_has_ended_it_all() -> None:
    banner = ["=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES"]
    assert set(findings(labelled(0, put(0, 2)), banner)) == {"H1"}


def test_what_comes_after_a_stop_is_no_evidence() -> None:
    stop = ["srun: forcing job termination", "srun: error: n1: task 1: Killed"]
    found = findings(labelled(0, put(0, 2)), labelled(1, put(1, 2)), stop)
    assert set(found) == {"S4"}


@pytest.mark.parametrize("prefix", ["boot_pmi", "bootstrap"])
def test_old_traces_are_read_too(prefix: str) -> None:
    assert set(findings(labelled(0, put(0, 2, prefix=prefix)))) == {"S2"}


def test_only_the_topmost_rank_that_is_not_reached_is_blamed() -> None:
    # In kary:32 ranks 33-64 are below rank 1.
    up = [line for rank in range(2, 33) for line in labelled(rank, quorum(rank, 40))]
    below = [line for rank in range(33, 40) for line in labelled(rank, join(rank, 40, parent=1))]
    found = findings(labelled(0, quorum(0, 40)), labelled(1, join(1, 40)), up, below)
    assert set(found) == {"N0"}
    assert found["N0"].ranks == {1}
    assert "ranks 33-39 wait below it" in found["N0"].sentence


def test_the_tree_is_read_from_the_trace() -> None:
    # A chain: each reads the card of the one before.
    chain = [line for rank in (1, 2, 3) for line in labelled(rank, join(rank, 4, parent=rank - 1))]
    found = findings(labelled(0, quorum(0, 4)), chain)
    assert found["N0"].ranks == {1}


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        (["connect delayed", "closed", "connect retried"], "N2"),
        (["connect delayed", "closed", "connect retried"] * 30, "N3"),
        (["closed", "connect retried"] * 3, "N4"),
    ],
)
def test_why_a_parent_is_not_reached(events: list[str], cause: str) -> None:
    uri = "tcp://[::ffff:10.0.0.1]:4711"
    seen = [f"<7>overlay.debug[1]: parent sockevent {uri} {event}" for event in events]
    found = findings(labelled(0, quorum(0, 2, uri)), labelled(1, [*join(1, 2), *seen]))
    assert f"({cause}:" in found["N0"].sentence
    assert cause not in ("N2", "N3") or found["N0"].remedies[0].startswith("nc -vz 10.0.0.1 4711")


@pytest.mark.parametrize("side", [0, 1])
def test_keys_that_do_not_fit(side: int) -> None:
    event = "handshake failed protocol: ZMTP cryptographic error"
    whose = "child" if side == 0 else "parent"
    line = f"<3>overlay.err[{side}]: {whose} sockevent tcp://10.0.0.1:1 {event}"
    found = findings(labelled(0, quorum(0, 2)), labelled(1, join(1, 2)), labelled(side, [line]))
    assert set(found) == {"N0", "N5"}
    assert found["N5"].ranks == {1}


def test_a_loopback_endpoint_is_told_when_nobody_reaches_it() -> None:
    lines = labelled(0, quorum(0, 2, "tcp://[::ffff:127.0.1.1]:4711"))
    assert set(findings(lines, labelled(1, join(1, 2)))) == {"N0", "N7"}
    assert set(findings(lines, labelled(1, quorum(1, 2)))) == set()


def test_rc1_that_hangs() -> None:
    leader = steps(0, "parent-none: join->config-sync", "sync-none: config-sync->init")
    assert set(findings(labelled(0, [*join(0, 2), *leader]), labelled(1, join(1, 2)))) == {"R2"}
    leaf = steps(1, "parent-ready: join->config-sync", "sync-success: config-sync->init")
    found = findings(labelled(0, quorum(0, 2)), labelled(1, [*join(1, 2), *leaf]))
    assert set(found) == {"R3"}
    assert found["R3"].ranks == {1}
