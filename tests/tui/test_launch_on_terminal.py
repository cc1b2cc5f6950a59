"""A launcher in the UI, on a real terminal: what hangs is named, tried anew, or looked into."""

from __future__ import annotations

import os
import re
import shlex
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyghostty", reason="there is no emulator to look at a terminal with")

from tests import support
from tests.real_launchers import hydra
from tests.tui.on_terminal import OnTerminal

if TYPE_CHECKING:
    from collections.abc import Iterator

SRUN = """#!/bin/sh
# Stands for srun: only with --mpi=pmi2 do its tasks get PMI.
mpi= n=1
while :; do case $1 in
    --label) shift;; --mpi=*) mpi=${1#--mpi=}; shift;; -n*) n=${1#-n}; shift;; *) break;; esac
done
if test "$mpi" = pmi2; then
    exec %s -prepend-rank -n $n "$@"
fi
for rank in $(seq 0 $((n - 1))); do
    SLURM_PROCID=$rank "$@" 2>&1 | sed -u "s/^/[$rank] /" &
done
wait
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory to run in, and fail the test if it leaves a process.

    A rundir may stay: brokers under a launcher make their own, and some are killed here.
    """
    with tempfile.TemporaryDirectory(prefix="fs-") as name:
        yield Path(name)
        support.wait_for(lambda: not support.processes_of(Path(name)), "the end of all processes")


def words(count: int) -> str:
    """Return --launcher for so many ranks under Hydra."""
    return f"--launcher={shlex.join([*hydra(4), '-n', str(count)])}"


def test_a_stopped_rank_is_named_with_what_to_do(place: Path) -> None:
    """The header, the bar, the Launch view and the finding's screen; then it is killed."""
    ui = OnTerminal(
        place, words(4), "--broker=embedded", "-Sfault.barrier1=2:stop", "true", size=(100, 30)
    )
    ui.expect("4 brokers", "launcher hydra", "rank 2", "suspended", "▸ 2", "0-1,3")
    ui.type("F")
    screen = ui.expect("the lines that tell", "what to do", "kill -CONT")
    assert re.search(r"process \d+ .*state T", screen)
    ui.type("\x1b")
    ui.expect("RANKS")
    for key, text in (("1", "stopped"), ("2", "bootstrap"), ("5", "RANK"), ("6", "SEV")):
        ui.type(key)
        ui.expect(text)
    ui.type("q")
    ui.expect("4 of 4 brokers run", "kill")
    ui.type("k")
    assert ui.end() != 0
    assert "rank 2" in ui.text


def test_a_stopped_rank_that_goes_on_is_no_finding_any_more(place: Path) -> None:
    ui = OnTerminal(
        place, words(2), "--broker=embedded", "-Sfault.barrier1=1:stop", "true", size=(100, 30)
    )
    ui.expect("rank 1", "suspended")
    ui.type("F")
    screen = ui.expect("kill -CONT")
    found = re.search(r"kill -CONT (\d+)", screen)
    assert found is not None
    os.kill(int(found[1]), signal.SIGCONT)
    ui.expect("nothing hinders the instance now")
    ui.type("\x1b")
    ui.expect("ended: exit code 0")
    ui.type("q")
    assert ui.end() == 0


def test_without_a_program_the_terminal_is_a_shell_in_the_instance(place: Path) -> None:
    ui = OnTerminal(place, words(2), "--broker=embedded", env={"SHELL": "/bin/sh"})
    ui.expect("2 brokers", "program runs")
    ui.type("7")
    ui.expect("shell", "keys go to the program")
    ui.type("echo uri=$FLUX_URI=\r")
    ui.expect("uri=local:///")
    ui.type("exit\r")
    ui.expect("has ended")
    ui.type("\x1d")
    ui.type("q")
    ui.expect("2 of 2 brokers run")
    ui.type("s")
    ui.end()


def test_a_remedy_is_tried_and_the_two_launches_are_compared(place: Path) -> None:
    """Tasks without PMI are singletons; --mpi=pmi2 makes them one instance."""
    (place / "bin").mkdir()
    support.script(place / "bin/srun", SRUN % shlex.join(hydra(4)))
    env = {"PATH": f"{place}/bin:{os.environ['PATH']}"}
    ui = OnTerminal(
        place, "--launcher=srun -n3", "--broker=embedded", "sleep", "99", size=(100, 30), env=env
    )
    ui.expect("3 tasks came up as instances of size 1")
    ui.type("F")
    ui.expect("srun --mpi=pmi2 -n3", "runs it anew")
    ui.type("r")
    ui.expect("Run it anew", "ended first", "--launcher='srun --mpi=pmi2 -n3'")
    ui.type("1")
    ui.expect("Before and after", "before: P1", "program runs")
    ui.type("q")
    ui.expect("3 of 3 brokers run")
    ui.type("k")
    ui.end()
