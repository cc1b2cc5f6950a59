"""Which processes belong to an instance, and which do not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.engine import processes
from tests import support

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URI = "local:///nowhere/start"
Popen = subprocess.Popen[bytes]


@pytest.fixture
def started() -> Iterator[list[Popen]]:
    """Give a list for what a test starts; all of it is ended."""
    children: list[Popen] = []
    yield children
    for child in children:
        child.kill()
        child.wait()


def sleeper(*, tag: str | None = None, cwd: Path | None = None, session: bool = True) -> Popen:
    env = {"PATH": os.environ["PATH"]}
    if tag is not None:
        env["FLUX_START_URI"] = tag
    return subprocess.Popen(["sleep", "99"], env=env, cwd=cwd, start_new_session=session)


def family(tag: str = URI, cwd: Path | None = None) -> processes.Family:
    """Make a family that began just now."""
    child = sleeper()
    now = processes.read(child.pid)
    child.kill()
    child.wait()
    assert now is not None
    time.sleep(0.03)  # start times have a resolution of 10 ms
    return processes.Family(tag, str(cwd) if cwd else None, now.start, os.getpgrp())


def pids(kin: processes.Family) -> set[int]:
    return {process.pid for process in kin.members()}


def test_read_knows_itself() -> None:
    """/proc/PID/stat is read rightly, whatever a process calls itself."""
    me = processes.read(os.getpid())
    assert me is not None
    assert (me.pid, me.ppid, me.pgrp) == (os.getpid(), os.getppid(), os.getpgrp())
    code = "open('/proc/self/comm','w').write(') R 1 (x'); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        odd = processes.read(child.pid)
        assert odd is not None
        assert (odd.ppid, odd.pgrp) == (os.getpid(), os.getpgrp())
        child.kill()


def test_the_tag_must_be_the_whole_value(started: list[Popen]) -> None:
    """A process with this very URI belongs to it; one with a longer or another URI does not."""
    kin = family()
    started += [sleeper(tag=tag) for tag in (URI, URI + "2", "x" + URI, None)]
    support.wait_for(lambda: pids(kin) == {started[0].pid}, "the tagged process")


def test_what_is_older_is_a_stranger(started: list[Popen]) -> None:
    """A tagged process that was there before the engine belongs to somebody else."""
    started.append(sleeper(tag=URI))
    time.sleep(0.03)
    assert pids(family()) == set()


def test_a_relative_tag_counts_in_its_directory_only(started: list[Popen], scene: Path) -> None:
    """Two instances may both run in `rd` of their own directories."""
    kin = family("local://rd/start", scene)
    started += [sleeper(tag="local://rd/start", cwd=cwd) for cwd in (scene, scene.parent)]
    support.wait_for(lambda: pids(kin) == {started[0].pid}, "the process in its directory")


def test_descent_and_groups(started: list[Popen], scene: Path) -> None:
    """Children of a broker are known by descent, and later by the group that they were seen in."""
    kin = family()
    text = "setsid sh -c 'env -i sleep 98 & echo $! >child; wait' & wait"
    broker = subprocess.Popen(["sh", "-c", text], cwd=scene, start_new_session=True)
    started.append(broker)
    found = processes.read(broker.pid)
    assert found is not None
    kin.brokers[broker.pid] = found.start
    child = int(support.wait_for(lambda: read(scene / "child"), "the grandchild"))
    support.wait_for(lambda: len(pids(kin)) >= 3, "the family")
    assert {broker.pid, child} <= pids(kin)
    broker.kill()
    broker.wait()
    del kin.brokers[broker.pid]
    assert child in pids(kin)
    assert kin.kill_until_gone(time.sleep)
    assert not alive(child)


def read(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def alive(pid: int) -> bool:
    process = processes.read(pid)
    return process is not None and process.state not in "ZX"


def test_a_pid_that_is_somebody_elses_by_now_is_no_broker(started: list[Popen]) -> None:
    """A broker is known by pid and start time."""
    kin = family()
    stranger = sleeper()
    started.append(stranger)
    kin.brokers[stranger.pid] = 1
    assert pids(kin) == set()


def test_our_own_group_proves_nothing(started: list[Popen]) -> None:
    """Whoever shares the engine's process group, `| cat` say, is not ours for that."""
    kin = family()
    tagged, neighbour = sleeper(tag=URI, session=False), sleeper(session=False)
    started += [tagged, neighbour]
    support.wait_for(lambda: tagged.pid in pids(kin), "the tagged process")
    assert pids(kin) == {tagged.pid}
    kin.kill_until_gone(time.sleep)
    assert tagged.wait() == -signal.SIGKILL
    assert neighbour.poll() is None


def test_signals_go_to_the_process_that_was_meant(started: list[Popen]) -> None:
    """A process is signalled only if its start time is still the same."""
    child = sleeper()
    started.append(child)
    found = processes.read(child.pid)
    assert found is not None
    assert not processes.send(found._replace(start=found.start + 1), signal.SIGKILL)
    assert child.poll() is None
    assert processes.send(found, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not processes.send(found, signal.SIGKILL)


def test_a_fork_bomb_is_ended(scene: Path) -> None:
    """Processes that fork while they are being killed are found by looking again."""
    kin = family()
    text = "echo $$ >>pids; [ $(wc -l <pids) -lt 300 ] && { sh bomb & sh bomb & }; sleep 99"
    (scene / "bomb").write_text(text)
    bomb = subprocess.Popen(
        ["sh", "bomb"],
        cwd=scene,
        env={**support.environment(scene), "FLUX_START_URI": URI},
        start_new_session=True,
    )
    support.wait_for(lambda: len(read(scene / "pids").split()) > 20, "the bomb")
    assert kin.kill_until_gone(time.sleep)
    assert bomb.wait() == -signal.SIGKILL
    assert pids(kin) == set()
