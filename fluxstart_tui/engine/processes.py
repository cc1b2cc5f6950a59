"""Find and end the processes of one instance, by /proc, without ever touching a stranger's.

Killing a broker does not end what it runs: rc1, the initial program, rc3 and jobs are in process
groups of their own. They are recognised by descent from a broker, by a process group that was seen
below a broker, and by the FLUX_START_URI that flux start gives to brokers and that their children
inherit. Used by the engine and, once that is dead, by the guardian.
"""

from __future__ import annotations

import os
import signal
import time
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TAG = "FLUX_START_URI"
"""Environment variable that marks the processes of an instance (flux-start.c: client_create)."""

GUARDIAN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guardian.py")
"""The program that a guardian is; its name is what guardians are known by."""

SIGNALS = [
    number for number in range(1, signal.SIGSYS) if number not in (signal.SIGKILL, signal.SIGSTOP)
]
"""Signals that are set to their default in what is started (libsubprocess/posix_spawn.c)."""


class Process(NamedTuple):
    """What /proc/PID/stat says of a process (proc(5))."""

    pid: int
    state: str
    ppid: int
    pgrp: int
    tpgid: int
    """Foreground process group of the controlling terminal, -1 if there is none."""
    start: int
    """Start time in clock ticks since boot: with the pid, it names a process for good."""


def read(pid: int) -> Process | None:
    """Return the process `pid`, or None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            stat = file.read(1024)
    except OSError:
        return None
    # The command name may hold blanks and parentheses; what counts is after the last one.
    fields = stat[stat.rfind(b")") + 2 :].split()
    parents = int(fields[1]), int(fields[2]), int(fields[5])
    return Process(pid, fields[0].decode(), *parents, int(fields[19]))


def table() -> dict[int, Process]:
    """Return all live processes by pid; zombies are dead."""
    processes = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (process := read(int(name))) and process.state not in "ZX":
            processes[process.pid] = process
    return processes


class Family:
    """The processes of one instance, other than the engine and its helpers.

    Args:
        tag: the value of FLUX_START_URI in the instance.
        cwd: where the tag holds a relative path: the directory it is relative to. Such a tag is
            not unique, so a process must be in that directory to be recognised by it.
        since: start time of the engine, in clock ticks; what belongs to it is younger.
        group: process group of the engine, which may hold strangers: membership proves nothing.
        spare: pids that are never touched, such as the engine's helpers.
        alone: tells whether the rundir is still the instance's only. Once it is not, what is
            younger is not recognised by the tag: it may be another instance's.
        seen_alone: when it was so for certain, in clock ticks; None is now.
    """

    def __init__(
        self,
        tag: str,
        cwd: str | None,
        since: int,
        group: int,
        spare: Iterable[int] = (),
        alone: Callable[[], bool] = lambda: True,
        seen_alone: int | None = None,
    ) -> None:
        self._tag = os.fsencode(f"{TAG}={tag}")
        self._cwd = cwd
        self._since = since
        self._alone = alone
        self._seen_alone = now() if seen_alone is None else seen_alone
        self._until: int | None = None
        self._strange = {0, group}
        self._spare = {os.getpid(), *spare}
        self._groups: set[int] = set()
        self.brokers: dict[int, int] = {}
        """Start times, by pid, of the brokers that have been started and not been reaped."""

    @property
    def groups(self) -> frozenset[int]:
        """Process groups that have been seen to be the instance's own."""
        return frozenset(self._groups)

    def members(self) -> list[Process]:
        """Return the live processes of the instance, brokers included; remember their groups."""
        if self._until is None:
            if self._alone():
                self._seen_alone = now()
            else:
                self._until = self._seen_alone
        processes = table()
        children: dict[int, list[int]] = {}
        for process in processes.values():
            children.setdefault(process.ppid, []).append(process.pid)
        found: set[int] = set()
        generation = [
            pid
            for pid, start in self.brokers.items()
            if pid in processes and processes[pid].start == start
        ]
        while generation:
            found.update(generation)
            generation = [child for pid in generation for child in children.get(pid, ())]
        for process in processes.values():
            if (
                process.start > self._since
                and process.pid not in found
                and (process.pgrp in self._groups or self._tagged(process))
            ):
                found.add(process.pid)
        # The guardian of an instance within this one has work to do when its engine is dead.
        found -= {pid for pid in found if _is_guardian(pid)} | self._spare
        # A group seen here tells those members by that no longer descend or carry the tag.
        self._groups.update(processes[pid].pgrp for pid in found)
        self._groups -= self._strange
        return [processes[pid] for pid in found]

    def _tagged(self, process: Process) -> bool:
        if self._until is not None and process.start > self._until:
            return False
        try:
            with open(f"/proc/{process.pid}/environ", "rb", buffering=0) as file:
                environ = file.readall()
            if self._tag not in environ or self._tag not in environ.split(b"\0"):
                return False
            return self._cwd is None or os.readlink(f"/proc/{process.pid}/cwd") == self._cwd
        except OSError:
            return False

    def resume(self) -> None:
        """Continue what is stopped, brokers excepted, so that it can take the signal to end."""
        for process in self.members():
            if process.state == "T" and process.pid not in self.brokers:
                send(process, signal.SIGCONT)

    def kill(self) -> list[Process]:
        """Send SIGKILL to every process of the instance and return those it was sent to."""
        return [process for process in self.members() if send(process, signal.SIGKILL)]

    def kill_until_gone(
        self, wait: Callable[[float], None], quiet: int = 2, rounds: int = 100
    ) -> bool:
        """Kill until several looks in a row find nobody, since what is killed may just have forked.

        Args:
            wait: sleeps for the given number of seconds, or serves a loop meanwhile.
            quiet: how many looks in a row must find nobody.
            rounds: how often to look at the most; looks are 0.05 s apart.

        Returns:
            Whether nobody is left.
        """
        empty = 0
        for _ in range(rounds):
            empty = 0 if self.kill() else empty + 1
            if empty == quiet:
                return True
            wait(0.05)
        return False


def _is_guardian(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:
            words = file.readall().split(b"\0")
    except OSError:
        return False
    return words[-2:] == [os.fsencode(GUARDIAN), b""]


def now() -> int:
    """Return the start time of a process that would be started now, in clock ticks."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def send(process: Process, signum: int) -> bool:
    """Signal a process unless its pid belongs to another one by now; tell whether it was sent."""
    try:
        pidfd = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        current = read(process.pid)
        if current is None or current.start != process.start:
            return False
        signal.pidfd_send_signal(pidfd, signum)
    except OSError:
        return False
    finally:
        os.close(pidfd)
    return True


def pending(pid: int, signum: int) -> bool:
    """Tell whether a signal waits for a process that blocks it (proc(5): ShdPnd)."""
    try:
        with open(f"/proc/{pid}/status", "rb", buffering=0) as file:
            status = file.read(8192)
    except OSError:
        return False
    mask = status.partition(b"ShdPnd:")[2].split(None, 1)
    return bool(mask) and bool(int(mask[0], 16) >> (signum - 1) & 1)
