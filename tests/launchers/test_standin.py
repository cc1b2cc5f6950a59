"""The stand-in launcher leaves nothing behind, whatever becomes of who has started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from tests.support import ROOT

STANDIN = os.path.join(ROOT, "tests", "standin_launcher.py")


def test_it_ends_when_nobody_reads_its_output() -> None:
    launcher = subprocess.Popen(
        [sys.executable, STANDIN, "-n", "2", "sleep", "100"], stdout=subprocess.PIPE
    )
    assert launcher.stdout is not None
    launcher.stdout.close()
    assert launcher.wait(10) == 128 + signal.SIGKILL


def test_it_sleeps_while_tasks_ignore_what_they_were_told() -> None:
    task = ("sh", "-c", "trap '' TERM; echo on; exec sleep 100")
    launcher = subprocess.Popen([sys.executable, STANDIN, "-n", "1", *task], stdout=subprocess.PIPE)
    assert launcher.stdout is not None
    assert launcher.stdout.readline() == b"task 0 | on\n"
    launcher.send_signal(signal.SIGTERM)
    before = cpu(launcher.pid)
    time.sleep(0.5)
    assert cpu(launcher.pid) - before < 0.1
    launcher.stdout.close()
    assert launcher.wait(10) == 128 + signal.SIGKILL


def cpu(pid: int) -> float:
    """Return the seconds of CPU time that a process has taken."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
