"""What keeps a launch from being diagnosed is told beside what is wrong."""

from __future__ import annotations

import shlex

import pytest

from fluxstart_tui.diagnose.launch.rules import diagnose
from tests.diagnose.launch.logs import labelled, launch, put, quorum


def ids(command: str, *lines: list[str]) -> set[str]:
    read = launch(*lines)
    read.command = tuple(shlex.split(command))
    return {one.id for one in diagnose(read)}


def test_a_terminal_for_the_first_task_hides_the_others() -> None:
    assert ids("srun -n2 --pty flux start", put(0, 2)) == {"S2", "W1"}
    assert ids("srun -n2 flux start", put(0, 2)) == {"S2"}


def test_an_environment_that_does_not_arrive() -> None:
    boot = "<6>broker.info[n]: boot: rank=0 size=2"
    assert ids("FLUX_PMI_DEBUG=1 srun flux start", labelled(0, [boot])) == {"S2", "W2"}
    assert ids("FLUX_PMI_DEBUG=1 srun flux start", labelled(0, put(0, 2))) == {"S2"}


@pytest.mark.parametrize("command", ["FLUX_PMI_DEBUG=1 srun --pty flux start", ""])
def test_a_healthy_launch_needs_no_advice(command: str) -> None:
    end = ["<6>broker.info[0]: quorum-full: quorum->run 1ms",
           "<6>broker.info[0]: rc2.0: x Exited (rc=0) 0.0s"]  # fmt: skip
    assert ids(command, quorum(0, 2)[4:], end) == set()
