"""Launches by Slurm and Open MPI, where they are: good ones, and what hinders the others."""

from __future__ import annotations

import os
import shlex
import signal
import time
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.engine.processes import TAG
from tests.real_launchers import open_mpi, slurm
from tests.support import PATIENCE, assert_nothing_left, finish, processes_of, run, script, start

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.support import Done

HEADLESS = ("--headless", "--broker=embedded")
RANK_1 = '#!/bin/sh\n[ "$PMI_RANK" = 1 ] && {}\nexec "$@"\n'


def srun(*words: str) -> str:
    """Return the option that launches three tasks, one per node: more share a process group there.

    Then the first broker to end, if it leads the group, ends the others by SIGHUP
    (flux-core: broker.c).
    """
    return "--launcher=" + shlex.join([*slurm(), "-N3", "-n3", *words])


def launch(tmp: Path, launcher: str, *args: str) -> Done:
    return run(tmp, *HEADLESS, launcher, *args)


def stall(tmp: Path, sign: str, doing: str, *args: str) -> str:
    """Launch while rank 1 does something else; return what is found out, having ended it."""
    wrapper = script(tmp / "rank1", RANK_1.format(doing))
    process = start(tmp, *HEADLESS, srun("--mpi=pmi2", wrapper), *args, "true")
    told = until(process, f"[{sign}]")
    process.send_signal(signal.SIGTERM)
    done = finish(process)
    assert done.code == 137, done.err  # srun's for tasks that it had to kill
    assert not processes_of(tmp)  # brokers that were killed leave their run directories
    return told


def until(process: subprocess.Popen[bytes], words: str) -> str:
    """Return the line of stderr that has these words."""
    assert process.stderr is not None
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        line = process.stderr.readline().decode()
        if words in line:
            return line
        assert line, f"it has ended without {words}"
    raise AssertionError(f"no {words} in time")


@pytest.mark.real_slurm
class TestSlurm:
    @pytest.mark.parametrize("option", ["--mpi=pmi2", "--pty"])
    def test_a_good_launch(self, tmp_path: Path, option: str) -> None:
        done = launch(tmp_path, srun("--mpi=pmi2", option), "--preflight", "echo", "hi")
        assert (done.code, done.out) == (0, "0: hi\n"), done.err
        assert "preflight: PMI works for 3 tasks\n" in done.err
        assert ("--pty was left out" in done.err) == (option == "--pty")
        assert "[" not in done.err.replace(f"[{TAG}]", ""), "a finding"
        assert_nothing_left(tmp_path)

    @pytest.mark.parametrize("preflight", [(), ("--preflight",)])
    def test_singletons_and_what_to_change(self, tmp_path: Path, preflight: tuple[str]) -> None:
        done = launch(tmp_path, srun("--mpi=none"), *preflight, "echo", "hi")
        assert done.code == (1 if preflight else 0)
        assert ("hi" in done.out) == (not preflight)
        assert "3 tasks came up as instances of size 1" in done.err
        assert "the launcher offers no PMI that Flux knows" in done.err
        assert "$ srun --mpi=pmi2 -N3 -n3 " in done.err

    def test_a_rank_that_dies(self, tmp_path: Path) -> None:
        told = stall(tmp_path, "S1", "exit 7")
        assert "rank 1 is gone, it exited with code 7; ranks 0,2 wait in vain for it" in told

    def test_a_rank_that_is_stopped(self, tmp_path: Path) -> None:
        told = stall(tmp_path, "S2", "kill -STOP $$")
        assert "rank 1" in told
        assert "ranks 0,2 wait for it in PMI barrier 1" in told

    def test_a_command_that_one_host_lacks(self, tmp_path: Path) -> None:
        told = stall(tmp_path, "S1", "exec /nonexistent/flux")
        assert "rank 1 is gone, it exited with code 127" in told

    def test_a_directory_that_one_host_lacks(self, tmp_path: Path) -> None:
        told = stall(tmp_path, "F5", "export TMPDIR=/nonexistent")
        assert "rank 1 (" in told
        assert "cannot create directory in /nonexistent" in told

    def test_a_preflight_names_who_is_missing_and_starts_no_broker(self, tmp_path: Path) -> None:
        wrapper = script(tmp_path / "rank1", RANK_1.format("exit 7"))
        done = launch(tmp_path, srun("--mpi=pmi2", wrapper), "--preflight", "echo", "hi")
        assert (done.code, done.out) == (1, "")
        assert "[S1] rank 1 is gone, it exited with code 7" in done.err
        assert "no broker is started" in done.err
        assert "running: " not in done.err
        assert_nothing_left(tmp_path)

    def test_the_exit_code_is_srun_s(self, tmp_path: Path) -> None:
        done = launch(tmp_path, srun("--mpi=pmi2"), "sh", "-c", "exit 3")
        assert done.code == 3
        assert "[I2] the initial program failed" in done.err

    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
    def test_a_silent_program_is_no_hang_and_ends_with_us(
        self, tmp_path: Path, signum: signal.Signals
    ) -> None:
        words = ("sh", "-c", f"touch {tmp_path}/up; exec sleep 1000")
        process = start(tmp_path, *HEADLESS, srun("--mpi=pmi2"), *words)
        end = time.monotonic() + PATIENCE
        while not os.path.exists(tmp_path / "up") and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(12.0)  # longer than any rule's patience
        process.send_signal(signum)
        done = finish(process)
        assert done.code == 128 + signal.SIGHUP, done.err  # what a broker sends its program
        assert "fluxstart-tui: [" not in done.err
        assert not processes_of(tmp_path)


@pytest.mark.parametrize("preflight", [(), ("--preflight",)])
def test_open_mpi_offers_what_needs_a_plugin(tmp_path: Path, preflight: tuple[str]) -> None:
    launcher = "--launcher=" + shlex.join([*open_mpi(), "-n", "3"])
    done = launch(tmp_path, launcher, *preflight, "echo", "hi")
    assert done.code == (1 if preflight else 0)
    assert "3 tasks came up as instances of size 1" in done.err
    assert "the launcher offers PMIx only, which needs the flux-pmix plugin" in done.err
    assert "$ FLUX_PMI_CLIENT_METHODS='simple pmix single' " in done.err
    assert_nothing_left(tmp_path)
