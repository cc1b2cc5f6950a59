"""Who ended first, what comes after, and what only looks as if it had ended."""

from __future__ import annotations

import pytest

from fluxstart_tui.diagnose.launch.again import begins
from fluxstart_tui.diagnose.launch.launch import Launch
from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.session import events
from tests.diagnose.launch.logs import boot, findings, join, labelled, launch, put, quorum, steps

BANNER = "=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES"
UP = [*quorum(0, 2), *steps(0, "quorum-full: quorum->run")]


def killed(*ends: tuple[int, events.Exit]) -> Launch:
    """Return a launch that Hydra has ended, of which processes were seen to end 1 ms apart."""
    made = launch(*(labelled(rank, put(rank, 3)) for rank in range(3)), ended=False)
    for ms, end in ends:
        made.died(end, 9.0 + ms / 1e3)
    made.feed(BANNER, 9.1)
    made.end(9)
    return made


def by_kill(rank: int) -> events.Exit:
    return events.Exit(rank, 100 + rank, 137, 9, "sender", "")


def test_who_ended_by_itself_came_before_those_that_were_killed() -> None:
    itself = events.Exit(2, 102, 3, 0, "exit", "")
    (found,) = diagnose(killed((0, by_kill(0)), (1, by_kill(1)), (2, itself)))
    assert (found.id, found.ranks, found.confidence) == ("H1", frozenset({2}), "certain")
    assert found.sentence.endswith("rank 2 (node2) exited with code 3")


def test_who_was_killed_first_is_only_likely() -> None:
    (found,) = diagnose(killed((0, by_kill(1)), (1, by_kill(0)), (400, by_kill(2))))
    assert (found.ranks, found.confidence) == (frozenset({1}), "likely")
    assert "; rank 0 ended in the same moment, so that may have been the first" in found.sentence
    (found,) = diagnose(killed((0, by_kill(1)), (400, by_kill(0)), (400, by_kill(2))))
    assert (found.ranks, found.confidence) == (frozenset({1}), "certain")


def test_a_log_without_ends_has_the_first_error() -> None:
    died = [*boot(1, 2), "<3>overlay.err[1]: error creating 'x:1' topology: unknown scheme"]
    found = findings(labelled(0, put(0, 2)), labelled(1, died), [BANNER])
    assert "rank 1 (node1) failed: error creating 'x:1' topology" in found["H1"].sentence


def test_a_program_may_print_what_launchers_and_brokers_say() -> None:
    alike = [
        BANNER,
        "mpirun detected that one or more processes exited",
        "broker.err[1]: rc1.0: x Exited (rc=1) 0.0s",
    ]
    ended = ["<6>broker.info[0]: rc2.0: x Exited (rc=0) 0.0s", *steps(0, "rc2-success: run->exit")]
    assert findings([*UP, *alike, *ended]) == {}
    assert set(findings([*UP, *alike[:1]])) == {"H1"}


def test_singletons_that_were_stopped_are_no_instance_that_is_up() -> None:
    up = [*boot(0, 1), *steps(0, "quorum-full: quorum->run")]
    found = findings(labelled(0, up), labelled(1, up), ["srun: forcing job termination"])
    assert set(found) == {"P1"}


@pytest.mark.parametrize(("stopped", "ids"), [(None, ["X3"]), (3.0, []), (13.0, ["X3"])])
def test_a_shutdown_hangs_if_it_does_not_get_on(stopped: float | None, ids: list[str]) -> None:
    made = Launch("colon")
    ended = ["<6>broker.info[0]: rc2.0: x Exited (rc=0) 0.0s", *steps(0, "children: x->finalize")]
    for line in labelled(0, [*UP, *ended]):
        made.feed(line, 2.0)
    if stopped is None:
        assert diagnose(made, 9.0) == []
    else:
        made.feed("srun: forcing job termination", stopped)
        made.end()
    assert [one.id for one in diagnose(made, 12.5)] == ids


def test_one_singleton_is_given_a_moment_for_company() -> None:
    made = Launch("colon", asked=3)
    for line in labelled(0, boot(0, 1)):
        made.feed(line, 0.1)
    assert diagnose(made, 0.5) == []
    assert [one.id for one in diagnose(made, 1.5)] == ["P2"]


def test_an_instance_in_the_instance_makes_no_singletons() -> None:
    up = [*labelled(0, UP), *labelled(1, quorum(1, 2))]
    done = ["<6>broker.info[0]: rc2.0: flux start Exited (rc=0) 1s"]
    assert findings(up, labelled(0, boot(0, 1)), labelled(0, done)) == {}


@pytest.mark.parametrize("last", [BANNER, "srun: forcing job termination"])
def test_the_next_launch_in_a_log_begins_where_a_rank_boots_anew(last: str) -> None:
    first = launch(labelled(0, put(0, 2)), labelled(1, put(1, 2)), [last], ended=False)
    assert not begins(first, "1: what a program prints")
    assert begins(first, labelled(1, boot(1, 2))[0])


def test_it_begins_without_labels_too() -> None:
    ended = launch([*join(0, 2), *steps(0, "builtins-done: unload-builtins->exit")], ended=False)
    assert begins(ended, boot(0, 2)[-1])
    assert not begins(ended, boot(1, 2)[-1])  # one that is late
    assert not begins(ended, boot(0, 1)[-1])  # another singleton


def test_an_instance_in_the_instance_is_no_next_launch() -> None:
    up = launch(labelled(0, UP), labelled(1, quorum(1, 2)), ended=False)
    assert not any(begins(up, line) for line in labelled(0, boot(0, 2)))


def test_who_missed_the_end_of_pmi_is_named_though_it_leads() -> None:
    leader = join(0, 2)[:-2]
    found = findings(labelled(0, leader), labelled(1, join(1, 2)))
    assert set(found) == {"Q2"}
    assert found["Q2"].ranks == {0}
    assert "all wait for it in join" in found["Q2"].sentence


def test_who_dies_while_rank_0_runs_rc1_is_named_at_once() -> None:
    leader = [*join(0, 2), *steps(0, "parent-none: join->config-sync", "sync-none: x->init")]
    exited = ["srun: error: n2: task 1: Killed"]
    found = findings(labelled(0, leader), labelled(1, join(1, 2)), exited)
    assert found["Q1"].sentence == (
        "rank 1 (node1) is gone, it ended: Killed; rank 0 will wait in vain for it in quorum"
    )


def test_one_cpu_of_many_is_the_launchers_binding() -> None:
    def greeted(second: str, cpus: str) -> dict[str, object]:
        hello = "fluxstart-tui: hello rank={} host={} cpus={} online=0-63"
        return dict(findings(
            *(labelled(rank, [hello.format(rank, host, cpus), *join(rank, 2)[:-2]])
              for rank, host in ((0, "a"), (1, second)))
        ))  # fmt: skip

    assert "C1" in greeted("b", "7")
    assert "C1" not in greeted("a", "7")  # they share the host
    assert "C1" not in greeted("b", "0-7")
