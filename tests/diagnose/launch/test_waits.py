"""Who waits for whom: the culprit is named, wherever the others are."""

from __future__ import annotations

import pytest

from fluxstart_tui.diagnose.launch.launch import Launch
from fluxstart_tui.diagnose.launch.live import Watch
from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.diagnose.launch.state import Probe
from fluxstart_tui.session import events
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
    assert "rank 1 (node1) is suspended by a signal" in after.sentence


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


def in_rc1(t: float) -> Launch:
    """Return a launch whose rank 0 has been in rc1 since then; its process can be seen."""
    leader = steps(0, "parent-none: join->config-sync", "sync-none: config-sync->init")
    made = Launch()
    for line in [*labelled(0, [*join(0, 2), *leader]), *labelled(1, join(1, 2))]:
        made.feed(line, t)
    return made


def test_an_rc1_that_gets_on_is_no_hang_however_long_it_takes() -> None:
    busy, asleep, unseen = in_rc1(1.0), in_rc1(1.0), in_rc1(1.0)
    for t in range(3, 60, 3):
        seen = events.Probe(0, 77, "S", runs="sh rc1 (sleeping)")
        asleep.probe(0, Probe.of(t, "node0", seen))
        runs = "sh rc1 (running)" if t % 2 else f"sh rc1 (sleeping), flux module load {t} (idle)"
        busy.probe(0, Probe.of(t, "node0", seen._replace(runs=runs)))
        assert not diagnose(busy, t)
        assert [one.id for one in diagnose(asleep, t)] == ["R2"] * (t > 11)
        assert [one.id for one in diagnose(unseen, t)] == ["R2"] * (t > 31)


def test_who_is_continued_gets_its_time_anew() -> None:
    stalled = Launch()
    for line in [*labelled(0, put(0, 2)), *labelled(1, put(1, 2))]:
        stalled.feed(line, 1.0)
    stalled.probe(1, STOPPED._replace(t=9.0))
    stalled.probe(1, STOPPED._replace(t=12.0))
    (found,) = diagnose(stalled, 12.0)
    assert (found.since, found.remedies[0]) == (9.0, "kill -CONT 77   # on its host")
    stalled.probe(1, STOPPED._replace(t=15.0, state="S"))
    assert not diagnose(stalled, 15.0)


def test_who_dies_at_the_moment_of_our_stop_is_no_cause() -> None:
    for died, ids in ((5.0, ["S1"]), (8.9, ["S4"]), (9.1, ["S4"])):
        watch = Watch("", 2, ["srun"], 0.0, plain=False, found=lambda _: None)
        for line in [*labelled(0, put(0, 2)), *labelled(1, put(1, 2))]:
            watch.take(1.0, 1, line.encode())
        end = events.Exit(1, 77, 143, 15, "sender")
        if died < 9.0:
            watch.died(died, end)
        watch.stopping(9.0, "SIGTERM to us")
        if died > 9.0:
            watch.died(died, end)
        assert [one.id for one in watch.ended(9.5, 143) if isinstance(one, events.Finding)] == ids


def test_what_we_end_while_it_gets_on_has_not_stalled() -> None:
    for stopped, ids in ((2.5, []), (3.5, ["S4"])):
        watch = Watch("", 2, ["srun"], 0.0, plain=False, found=lambda _: None)
        for line in [*labelled(0, put(0, 2)), *labelled(1, put(1, 2))]:
            watch.take(1.0, 1, line.encode())
        watch.stopping(stopped, "SIGTERM to us")
        assert [one.id for one in watch.ended(9.5, 143) if isinstance(one, events.Finding)] == ids


def test_a_rank_that_ends_it_all_is_named_though_its_launcher_says_nothing() -> None:
    watch = Watch("", 3, ["mpiexec.hydra"], 0.0, plain=False, found=lambda _: None)
    for line in labelled(1, put(1, 3)):
        watch.take(1.0, 1, line.encode())
    watch.died(1.1, events.Exit(1, 77, 3, 0, "exit"))
    for rank in (0, 2):
        watch.died(1.2, events.Exit(rank, 78 + rank, 137, 9, "sender"))
    (found,) = (one for one in watch.ended(1.3, 3) if isinstance(one, events.Finding))
    assert (found.id, found.ranks) == ("D1", "1")
    assert "rank 1 (node1) exited with code 3 before the instance was up" in found.sentence
    assert found.sentence.endswith("and so the launcher ended ranks 0,2")


def test_good_ends_that_are_seen_before_the_lines_that_tell_of_them_are_no_loss() -> None:
    watch = Watch("", 2, ["srun"], 0.0, plain=False, found=lambda _: None)
    for rank in (0, 1):
        for line in labelled(rank, quorum(rank, 2)):
            watch.take(1.0, 1, line.encode())
    run = "<6>broker.info[0]: quorum-full: quorum->run 1s"
    watch.take(1.0, 1, labelled(0, [run])[0].encode())
    watch.died(2.0, events.Exit(1, 77, 0, 0, "exit"))
    assert not [one for one in watch.look(3.0) if isinstance(one, events.Finding)]


def test_who_is_hung_up_by_another_brokers_end_is_told_as_that() -> None:
    """Several brokers of a node: the first that ends is the cause, and of the others only X2."""
    ends = [f"srun: error: n1: task {rank}: Hangup" for rank in (0, 2)]
    failed = "srun: error: n1: task 1: Exited with exit code 3"
    lines = [line for rank in range(3) for line in labelled(rank, put(rank, 4))]
    found = findings(lines, labelled(3, put(3, 4)), [ends[0], failed, ends[1]])
    assert set(found) == {"S1", "X2"}
    assert found["S1"].sentence.startswith("rank 1 (node1) is gone, it exited with code 3")
    assert found["X2"].ranks == {0, 2}
