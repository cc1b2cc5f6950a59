"""Every end of a broker is explained, and by what really ended it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.session import events
from fluxstart_tui.session.reader import Session
from tests import support

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKERS = ["embedded", pytest.param("flux", marks=pytest.mark.real_flux)]
CGROUPS = Path("/sys/fs/cgroup/memory")


def recorded(scene: Path, *args: str) -> subprocess.Popen[bytes]:
    return support.start(
        scene,
        "--headless",
        "--record=session",
        "-Sbroker.rc1_path=",
        "-Sbroker.rc3_path=",
        "-Sstatedir=state",  # one that is killed leaves its own behind
        *args,
    )


def pid_of(session: Session, rank: int) -> int:
    """Return a broker's pid once all are in state run."""

    def pid() -> int:
        state = support.now(session)
        running = all(state.broker(one).state == "run" for one in range(state.size))
        return state.broker(rank).pid if state.brokers and running else 0

    return support.wait_for(pid, "all brokers to run")


def end_of(scene: Path, rank: int) -> events.Exit:
    end = Session(str(scene / "session")).state.broker(rank).exit
    assert end is not None
    return end


def _allow_cores() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


@pytest.mark.parametrize("broker", BROKERS)
def test_a_kill_from_outside_has_an_unknown_sender(scene: Path, broker: str) -> None:
    """Nobody can tell who sent it, but it was not us; others fall to the timer."""
    process = recorded(scene, f"--broker={broker}", "-s8", "--test-exit-timeout=0.5", "sleep", "99")
    os.kill(pid_of(support.session(scene / "session"), 3), signal.SIGKILL)
    done = support.finish(process)
    assert done.code == 137
    end = end_of(scene, 3)
    assert (end.cause, end.signum, end.code) == ("sender", signal.SIGKILL, 137)
    other = end_of(scene, 0)
    assert (other.cause, other.detail) == ("timer", "exit timer")


@pytest.mark.parametrize("broker", BROKERS)
def test_a_kill_by_command_says_who_wanted_it(scene: Path, broker: str) -> None:
    """A kill through the start service is a user's."""
    process = recorded(scene, f"--broker={broker}", "-s8", "--test-exit-timeout=0.5", "sleep", "99")
    session = support.session(scene / "session")
    pid_of(session, 3)
    uri = session.header["start_uri"]
    assert support.run(scene, f"--ctl={uri}", "kill", "3", "KILL").code == 0
    support.finish(process)
    end = end_of(scene, 3)
    assert end.cause == "user"
    assert end.detail.startswith("start.kill from ")


def test_an_end_of_its_own_is_one(scene: Path) -> None:
    """An exit code says what it says."""
    done = support.finish(recorded(scene, "--broker=embedded", "-s2", "sh", "-c", "exit 3"))
    assert done.code == 3
    end = end_of(scene, 0)
    assert (end.cause, end.code, end.detail) == ("exit", 3, "")
    assert end_of(scene, 1).code == 0


def test_the_second_signal_to_us_shuts_down_at_once(scene: Path) -> None:
    """Brokers that a second signal kills were killed by the shutdown that it asked for."""
    process = recorded(scene, "--broker=embedded", "-s2", "-Sfault.ignore-term=0-1", "sleep", "99")
    pid_of(session := support.session(scene / "session"), 0)
    process.send_signal(signal.SIGTERM)
    support.wait_for(lambda: support.now(session).signals, "the first signal's effect")

    def killed() -> bool:
        state = support.now(session)
        if any(one.by.startswith("a second signal") for _, one in state.signals):
            return True
        process.send_signal(signal.SIGTERM)  # one that comes too soon counts as the first
        return False

    support.wait_for(killed, "the kill")
    assert support.finish(process).code == 128 + signal.SIGTERM
    end = end_of(scene, 1)
    assert end.cause == "shutdown"
    assert end.detail.startswith("a second signal: SIGTERM to fluxstart-tui (pid ")


def test_an_abort_is_one(scene: Path) -> None:
    """Ranks killed since one of them aborted in PMI say which."""
    body = """
ask("cmd=init pmi_version=1 pmi_subversion=1")
if rank == 1: send("cmd=abort exitcode=7 error_msg=out of luck\\n")
time.sleep(99)
"""
    option = support.broker(scene, body, support.PMI)
    done = support.finish(recorded(scene, option, "-s3"))
    assert done.code == 137
    assert (end_of(scene, 2).cause, end_of(scene, 2).detail) == ("abort", "PMI abort by rank 1")
    _, abort = Session(str(scene / "session")).state.aborts[0]
    assert abort == events.Abort(1, 7, "out of luck")


def test_a_crash_has_its_core_file(scene: Path) -> None:
    """The core file of a rank that crashed is found by core_pattern, or what became of it said."""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    done = support.run(
        scene,
        "--headless",
        "--record=session",
        "--broker=embedded",
        "-s2",
        "-Sfault.finalized=1:core",
        "--test-exit-timeout=0.2",
        "--no-summary",
        "true",
        env={},
        preexec_fn=_allow_cores,
    )
    assert done.code >= 128
    end = end_of(scene, 1)
    assert end.cause == "crash"
    if pattern.startswith("|"):
        assert end.detail.startswith("its core was given to")
    else:
        assert Path(end.core).is_file()


@pytest.fixture
def small_cgroup() -> Iterator[Path]:
    """Make a cgroup that may use 64 MiB."""
    path = CGROUPS / f"fluxstart-test-{os.getpid()}"
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        path = Path("/sys/fs/cgroup") / path.name
    limit = path / ("memory.max" if path.parent.name == "cgroup" else "memory.limit_in_bytes")
    try:
        path.mkdir()
        limit.write_text(str(64 << 20))
    except OSError as error:
        pytest.skip(f"no memory cgroup can be made here: {error}")
    yield path
    support.wait_for(lambda: not (path / "cgroup.procs").read_text(), "the cgroup to be empty")
    path.rmdir()


@pytest.mark.parametrize("broker", BROKERS)
def test_the_oom_killer_is_told_from_others(scene: Path, broker: str, small_cgroup: Path) -> None:
    """A broker whose cgroup has no memory left was killed by the kernel."""
    wrap = f'--wrap=sh,-c,echo $$ >{small_cgroup}/cgroup.procs; exec "$@",sh'
    process = recorded(
        scene, f"--broker={broker}", "-s8", "--wrap-ranks=3", wrap, "--test-exit-timeout=0.5",
        "sleep", "99",
    )  # fmt: skip
    pid = pid_of(support.session(scene / "session"), 3)
    # Of it and the eater, the kernel is to take the broker first.
    Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    join = f"echo $$ >{small_cgroup}/cgroup.procs; exec "
    subprocess.run(["sh", "-c", f"{join} {sys.executable} -c 'bytearray(1 << 30)'"], check=False)
    support.finish(process)
    end = end_of(scene, 3)
    assert (end.cause, end.signum) == ("oom", signal.SIGKILL)
