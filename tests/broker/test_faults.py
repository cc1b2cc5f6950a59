"""Faults on cue do what they say, seen from where a user sees them: around a whole instance."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import support
from tests.broker.instance import PATIENCE, Broker, until

ROOT = Path(__file__).parents[2]
HURRY = "--test-exit-timeout=0.3s"
WITH_PARENT = ["init", "get_maxes", "get_my_kvsname", "get", "get", "put"]
BEFORE = {
    "init": [],
    "barrier1": WITH_PARENT,
    "barrier2": [*WITH_PARENT, "barrier_in", "get"],
    "finalized": [*WITH_PARENT, "barrier_in", "get", "barrier_in", "get", "get", "finalize"],
}
"""What rank 1 of 3 has asked its launcher when it comes to a point."""


class Run:
    """`fluxstart-tui` with embedded brokers that are told to misbehave."""

    def __init__(self, folder: Path, size: int, *words: str) -> None:
        self._out, self._err = folder / "out", folder / "err"
        self._mark = f"FAULT_TEST={folder}"
        env = {
            "PATH": os.defpath, "PYTHONPATH": str(ROOT), "SHELL": "/bin/sh",
            "TMPDIR": str(folder), "FAULT_TEST": str(folder),
        }  # fmt: skip
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "fluxstart_tui", "--headless", "--broker=embedded",
                    f"-s{size}", "-vv", *words,
                ],
                cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    def wait(self) -> int:
        return self.process.wait(PATIENCE)

    def until_stderr(self, text: str) -> None:
        until(lambda: text in self.stderr, f"{text!r} in {self.stderr}")

    def asked(self, rank: int) -> list[str]:
        """Return the PMI commands that a rank has given."""
        return re.findall(rf"^{rank}: C: cmd=(\w+)", self.stderr, re.MULTILINE)

    def ended(self, rank: int, how: str) -> bool:
        """Tell whether the launcher says that a rank ended that way."""
        told = rf"^fluxstart-tui: {rank} \(pid \d+\) {how}$"
        return bool(re.search(told, self.stderr, re.MULTILINE))

    def pid(self, rank: int) -> int:
        """Wait for the process of a rank."""
        found: list[int] = []

        def look() -> bool:
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    env = (folder / "environ").read_bytes().decode().split("\0")
                except OSError:
                    continue
                if self._mark in env and f"PMI_RANK={rank}" in env:
                    found.append(int(folder.name))
            return bool(found)

        until(look, f"rank {rank}")
        return found[0]


def state(pid: int) -> str:
    """Return how ps(1) shows a process: R, S, T and so on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def catches(pid: int, signum: int) -> bool:
    """Tell whether a process has a handler for a signal."""
    caught = re.search(r"^SigCgt:\s+(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> signum - 1 & 1)


@pytest.mark.parametrize("point", BEFORE)
def test_stop_at_a_point_and_go_on_when_continued(tmp_path: Path, point: str) -> None:
    with Run(tmp_path, 3, f"-Sfault.{point}=1:stop", "echo", "done") as run:
        pid = run.pid(1)
        until(lambda: state(pid) == "T", "stopped")
        assert run.asked(1) == BEFORE[point]
        assert run.stdout == ""
        os.kill(pid, signal.SIGCONT)
        assert run.wait() == 0
        assert run.stdout == "done\n"


@pytest.mark.parametrize("point", BEFORE)
def test_hang_at_a_point_whatever_is_sent(tmp_path: Path, point: str) -> None:
    with Run(tmp_path, 3, HURRY, f"-Sfault.{point}=1:hang", "true") as run:
        pid = run.pid(1)
        until(lambda: catches(pid, signal.SIGTERM), "a broker that takes signals")
        until(lambda: run.asked(1) == BEFORE[point], "the point")
        os.kill(pid, signal.SIGTERM)
        until(lambda: run.asked(0)[-1:] in (["barrier_in"], ["finalize"]), "the others wait")
        os.kill(pid, signal.SIGKILL)
        assert run.wait() != 0
        assert run.ended(1, "Killed")
        assert run.asked(1) == BEFORE[point]


@pytest.mark.parametrize("point", BEFORE)
@pytest.mark.parametrize(
    ("action", "how"), [("exit=7", "exited with rc=7"), ("signal=11", "Segmentation fault.*")]
)
def test_die_at_a_point(tmp_path: Path, point: str, action: str, how: str) -> None:
    with Run(tmp_path, 3, HURRY, f"-Sfault.{point}=1-2:{action}", "echo", "never") as run:
        assert run.wait() != 0
        for rank in (1, 2):
            assert run.ended(rank, how)
            assert run.asked(rank) == BEFORE[point]
        assert "Exit timeout: killed rank 0" in run.stderr
        assert run.stdout == ""


def test_a_signal_that_brokers_take_ends_them_nevertheless(tmp_path: Path) -> None:
    with Run(tmp_path, 2, HURRY, "-Sfault.finalized=1:signal=15", "true") as run:
        assert run.wait() != 0
        assert run.ended(1, "Terminated")


def test_crash_with_a_core(tmp_path: Path) -> None:
    with Run(tmp_path, 2, HURRY, "-Sfault.finalized=1:core", "true") as run:
        assert run.wait() != 0
        assert run.ended(1, "Aborted")
        pattern = Path("/proc/sys/kernel/core_pattern").read_text()
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        if pattern.startswith("core") and hard == resource.RLIM_INFINITY:
            assert list(tmp_path.glob("core*"))


def test_flood_stdout_and_go_on(tmp_path: Path) -> None:
    with Run(tmp_path, 2, "-Sfault.finalized=1:flood=3", "echo", "done") as run:
        assert run.wait() == 0
        assert run.stdout.count("x") == 3 * 1024 * 1023
        assert "done\n" in run.stdout


def test_flood_nobody(tmp_path: Path) -> None:
    """A reader that goes away ends the writing, and not the broker."""
    ours, theirs = os.pipe()
    process = support.start(
        tmp_path, "--headless", "--broker=embedded", "-s2", "-Sfault.init=1:flood=3", "true",
        stdout=theirs,
    )  # fmt: skip
    os.close(theirs)
    os.read(ours, 1)
    os.close(ours)
    done = support.finish(process)
    assert (done.code, done.err) == (0, "")


def test_fail_in_rc1(tmp_path: Path) -> None:
    with Run(tmp_path, 1, "-o,-v", "-Sfault.rc1=0:exit=3", "echo", "never") as run:
        assert run.wait() == 3
        assert "broker.err[0]: rc1.0: exit 3 Exited (rc=3)" in run.stderr
        assert "broker.info[0]: rc1-fail: init->shutdown" in run.stderr
        assert run.stdout == ""


def test_hang_in_rc1(tmp_path: Path) -> None:
    with Run(tmp_path, 2, HURRY, "-Sbroker.quorum-warn=50ms", "-Sfault.rc1=1:hang", "true") as run:
        run.until_stderr("quorum delayed: waiting for")
        os.kill(run.pid(1), signal.SIGTERM)
        assert run.wait() == 137
        assert run.ended(1, "exited with rc=129")  # rc1 was sent SIGHUP


@pytest.mark.parametrize("habit", ["unconnected", "silent"])
def test_never_come_online(tmp_path: Path, habit: str) -> None:
    words = HURRY, "-o,-vv", "-Sbroker.quorum-warn=50ms", f"-Sfault.{habit}=1", "echo", "never"
    with Run(tmp_path, 3, *words) as run:
        run.until_stderr("broker.err[0]: quorum delayed: waiting for")
        run.until_stderr("broker.info[2]: rc1-none: init->quorum")
        run.until_stderr("broker.info[1]: builtins-success: load-builtins->join")
        accepted = re.findall(r"accepting connection from \w+ \(rank (\d)\)", run.stderr)
        assert sorted(accepted) == (["2"] if habit == "unconnected" else ["1", "2"])
        assert "[1]: parent-ready" not in run.stderr
        assert run.stdout == ""


def test_ignore_sigterm(tmp_path: Path) -> None:
    with Run(tmp_path, 2, "-o,-v", "-Sfault.ignore-term=1", "cat", "fifo") as run:
        os.mkfifo(tmp_path / "fifo")
        run.until_stderr("broker.info[1]: quorum-full: quorum->run")
        pid = run.pid(1)
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGUSR1)
        run.until_stderr(f"broker.info[1]: signal {signal.SIGUSR1.value}\n")
        assert f"broker.info[1]: signal {signal.SIGTERM.value}\n" not in run.stderr
        (tmp_path / "fifo").write_text("")
        assert run.wait() == 0


def test_ignore_shutdown(tmp_path: Path) -> None:
    waits = "-Sbroker.shutdown-warn=20ms", "-Sbroker.shutdown-timeout=100ms"
    with Run(tmp_path, 3, HURRY, "-o,-v", *waits, "-Sfault.ignore-shutdown=1", "true") as run:
        assert run.wait() == 137
        assert "broker.err[0]: shutdown delayed: waiting for 1 peers" in run.stderr
        assert "broker.info[1]: quorum-full: quorum->run" in run.stderr
        assert "broker.info[1]: shutdown:" not in run.stderr
        assert "Exit timeout: killed rank" in run.stderr
        assert run.ended(1, "Killed")
        assert not run.ended(2, ".*")


def test_other_ranks_are_not_concerned(tmp_path: Path) -> None:
    faults = [f"-Sfault.{point}=4-9:exit=1" for point in BEFORE] + ["-Sfault.silent=7"]
    with Run(tmp_path, 3, *faults, "echo", "done") as run:
        assert run.wait() == 0
        assert run.stdout == "done\n"


@pytest.mark.parametrize(
    "fault",
    [
        "init", "init=", "init=0", "init=0:", "init=0:leap", "init=x:stop", "init=:stop",
        "init=0:stop=1", "init=0:exit", "init=0:exit=", "init=0:exit=256", "init=0:exit=-1",
        "init=0:signal=0", "init=0:signal=65", "init=0:signal=TERM", "init=0:flood=0",
        "silent", "silent=", "silent=0:stop", "silent=1-",
    ],
)  # fmt: skip
def test_senseless_faults_are_refused(tmp_path: Path, fault: str) -> None:
    broker = Broker(tmp_path, [f"-Sfault.{fault}", "true"])
    assert broker.wait() == 1
    name, _, value = fault.partition("=")
    assert broker.stderr == f"flux-broker: fault.{name}={value}: Invalid argument\n"


def test_unknown_faults_are_unknown_attributes(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["-Sfault.barrier3=0:stop", "true"])
    assert broker.wait() == 1
    assert broker.stderr == "flux-broker: fault.barrier3: unknown attribute\n"


def test_help_lists_them(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["--help"])
    assert broker.wait() == 0
    for word in ("init", "barrier1", "rc1", "stop", "flood", "unconnected", "ignore-shutdown"):
        assert word in broker.stderr
