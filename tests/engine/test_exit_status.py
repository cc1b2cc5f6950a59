"""How processes ended that are another's children."""

from __future__ import annotations

import os
import select
import subprocess
import sys

import pytest

from fluxstart_tui.engine import exit_status
from tests import support

PARENT = """
import os, subprocess, sys
child = subprocess.Popen(["sh", "-c", "read line; " + sys.argv[1]])
print(child.pid, flush=True)
os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
print("dead", flush=True)
sys.stdin.readline()
"""
"""Has a child, and leaves it a zombie."""


@pytest.mark.parametrize(("how", "code"), [("exit 3", 3), ("kill -9 $$", -9), ("exit 0", 0)])
def test_of_a_zombie(how: str, code: int) -> None:
    pid, end, pidfd, process = _ended(how)
    status = exit_status.of(pid, pidfd)
    assert end
    assert status is not None
    assert os.waitstatus_to_exitcode(status) == code
    process.communicate(b"\n")
    os.close(pidfd)


@pytest.mark.parametrize(("how", "code"), [("exit 3", 3), ("kill -9 $$", -9)])
def test_of_one_that_was_reaped_as_far_as_the_kernel_keeps_it(how: str, code: int) -> None:
    pid, _, pidfd, process = _ended(how)
    process.communicate(b"\n")
    support.wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "its reaping")
    status = exit_status.of(pid, pidfd)
    assert status is None or os.waitstatus_to_exitcode(status) == code
    if tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 15):
        assert status is not None
    os.close(pidfd)


def test_of_one_that_lives() -> None:
    pidfd = os.pidfd_open(os.getpid())
    assert exit_status.of(os.getpid(), pidfd) is None
    os.close(pidfd)


def _ended(how: str) -> tuple[int, bool, int, subprocess.Popen[bytes]]:
    """Return a process that has ended and was not reaped: pid, whether it did, pidfd, parent."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    pidfd = os.pidfd_open(pid)
    process.stdin.write(b"go\n")
    process.stdin.flush()
    ended = bool(select.select([pidfd], [], [], support.PATIENCE)[0])
    assert process.stdout.readline() == b"dead\n"
    return pid, ended, pidfd, process
