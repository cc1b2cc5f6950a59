"""Which processes on this host are the tasks of one launch, seen from any that has to do with it.

Tasks are told by the variables of their launcher in /proc/PID/environ: that is the environment they
were started with, and brokers keep it from what they run.
"""

from __future__ import annotations

import os
import re
import time
from functools import cache
from typing import NamedTuple

from fluxstart_tui.launchers import table
from fluxstart_tui.probe import broker, processes, slurm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_TICKS = os.sysconf("SC_CLK_TCK")

_NAME = re.compile(r"(?:lt-)?flux-broker(?:-(\d{1,3}))?$")
"""A broker's name, with its rank if that has not been cut off: names have 15 bytes (proc(5))."""

_EMBEDDED = "fluxstart_tui/broker/__main__.py"
_SIZES = ("PMI_SIZE", "SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE")
_LOCAL_SIZES = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE")
_TIES = (("FLUX_START_URI",), ("SLURM_JOB_ID", "SLURM_STEP_ID"), ("PMIX_NAMESPACE",))
"""Variables that are the same in all tasks of a launch. The first that a task has count: what comes
later may be an outer launch's."""

_LISTENS = ("unix", "listening")
_ANOTHER = "another user's: only that user and root can look at it"


class FamilyError(Exception):
    """No launch belongs to what was named; the text is one line."""


class Task(NamedTuple):
    """A task's process: its broker or, as long as there is none, what is to become it."""

    pid: int
    rank: int
    """As its launcher has numbered it."""
    named: int | None
    """Its rank by its broker's own name, None if that has not got so far."""
    is_broker: bool
    start: float
    """When it was started, in seconds since the epoch."""


class Family(NamedTuple):
    """The tasks of a launch that run on this host."""

    tasks: tuple[Task, ...]
    size: int
    """Number of tasks of the launch, 0 if that is not known."""
    whole: bool
    """Whether all of them are to be on this host."""
    launcher: str
    """Name of the launcher (launchers/table.py), empty if it is not known."""
    command: tuple[str, ...]
    """The launcher's command line, if it is seen."""
    hosts: str = ""
    """The hosts of all tasks as a hostlist, if the launcher tells."""

    @property
    def away(self) -> frozenset[int]:
        """Ranks that have to be on other hosts."""
        here = {task.rank for task in self.tasks}
        return frozenset() if self.whole else frozenset(range(self.size)) - here


class _Process(NamedTuple):
    pid: int
    parent: int
    name: str
    start: float
    """Seconds since the host was booted."""


def of_process(pid: int) -> Family:
    """Return the launch of a broker, of what a broker runs, or of a launcher.

    Raises:
        FamilyError: there is no such process, it is another user's, or no broker belongs to it.
    """
    host = _Host()
    if pid not in host.processes:
        raise FamilyError(f"{pid}: no such process")
    if not _readable(pid):
        raise FamilyError(f"{pid}: {_ANOTHER}")
    above = next((one for one in host.line(pid) if one in host.brokers), None)
    if above is not None:
        return host.family(host.kin(above), pid)
    below = [one for one in host.brokers if pid in host.line(one)] or host.of_srun(pid)
    # srun has a child that looks after it, the newer one for pgrep -n, without its sockets.
    below = below or host.of_srun(host.processes[pid].parent)
    if not below:
        words = " ".join(processes.argv(pid))[:80]
        raise FamilyError(f"{pid}: no broker on this host belongs to it: {words}")
    first = min(below, key=lambda one: (len(list(host.line(one))), one))
    return host.family(host.kin(first), pid)


def of_task(pid: int) -> Family:
    """Return the launch of a task, whether any broker runs in it yet or not.

    Raises:
        FamilyError: there is no such process.
    """
    host = _Host()
    if pid not in host.processes:
        raise FamilyError(f"{pid}: no such process")
    return host.family(host.kin(pid), pid)


def of_job(job: str) -> Family:
    """Return the launch of a Slurm job that has brokers on this host.

    Raises:
        FamilyError: there is none; the text says where the job is, as far as Slurm tells.
    """
    host = _Host()
    for one in sorted(host.brokers):
        if processes.environ(one).get("SLURM_JOB_ID") == job:
            return host.family(host.kin(one), one)
    raise FamilyError(f"slurm:{job}: {slurm.where(job)}")


def of_socket(path: str) -> Family:
    """Return the launch of the broker that listens on a socket, or on one in a directory.

    Raises:
        FamilyError: there is none that we may look at.
    """
    path = os.path.realpath(path)
    host = _Host()
    for one in sorted(host.brokers):
        if any(path in (name, os.path.dirname(name)) for name in _listens(one)):
            return host.family(host.kin(one), one)
    raise FamilyError(f"{path}: no broker that we may look at listens there")


class _Host:
    """All processes at one moment."""

    def __init__(self) -> None:
        self.processes = {one.pid: one for one in _everybody()}
        self.brokers = {pid for pid, one in self.processes.items() if _is_broker(one)}
        self._environ = cache(processes.environ)

    def line(self, pid: int) -> Iterator[int]:
        """Yield a process, its parent, and so on."""
        seen = set()
        while pid in self.processes and pid not in seen:
            seen.add(pid)
            yield pid
            pid = self.processes[pid].parent

    def kin(self, pid: int) -> set[int]:
        """Return the processes of the launch that a broker is of, at least one for each task."""
        outer = self._around(pid)
        own = self._environ(pid)
        for names in _TIES:
            if all(own.get(name) for name in names):
                return {pid} | {
                    one
                    for one in self.processes
                    if all(self._environ(one).get(name) == own[name] for name in names)
                    and (one in self.brokers or broker.rank_in(self._environ(one)) is not None)
                    and self._around(one) == outer
                }
        if broker.rank_in(own) is None:
            return {pid}
        return self._below_launcher(pid, outer)

    def _below_launcher(self, pid: int, outer: int | None) -> set[int]:
        """Return the tasks below the highest ancestor below which no rank is twice."""
        size = _size(self._environ(pid))
        tasks = {
            one: rank
            for one in self.processes
            if (rank := broker.rank_in(self._environ(one))) is not None
            and _size(self._environ(one)) == size
            and self._around(one) == outer
        }
        found = {pid}
        for ancestor in self.line(pid):
            below = {one for one in tasks if ancestor in self.line(one)}
            ranks = [tasks[one] for one in self._outermost(below)]
            if ancestor in (1, outer) or len(ranks) != len(set(ranks)):
                break
            found = below | {pid}
        return found

    def _around(self, pid: int) -> int | None:
        """Return the broker that a process runs in, itself excepted."""
        line = self.line(pid)
        next(line, None)
        return next((one for one in line if one in self.brokers), None)

    def _outermost(self, pids: Collection[int]) -> set[int]:
        return {one for one in pids if self.processes[one].parent not in pids}

    def of_srun(self, pid: int) -> list[int]:
        """Return brokers that a process has started through Slurm's daemons."""
        ports = {
            one.name.partition(" - ")[0].rpartition(":")[2]
            for one in processes.sockets(pid)
            if one.state == "listening" and one.kind != "unix"
        }
        return [b for b in self.brokers if self._environ(b).get("SLURM_SRUN_COMM_PORT") in ports]

    def family(self, pids: Collection[int], named: int) -> Family:
        """Make a family of the processes of its tasks.

        Args:
            pids: the processes.
            named: the one that was named: it may be the launcher.
        """
        by_rank: dict[int, int] = {}
        # For each rank its broker, or else the outermost process.
        for pid in sorted(pids, key=lambda one: (one not in self.brokers, len([*self.line(one)]))):
            rank = broker.rank_in(self._environ(pid))
            by_rank.setdefault(self._named(pid) or 0 if rank is None else rank, pid)
        tasks = tuple(self._task(pid, rank) for rank, pid in sorted(by_rank.items()))
        own = self._environ(tasks[0].pid)
        launcher, command = self._launcher([*self.line(named), *self.line(tasks[0].pid)], own)
        hosts = own.get("SLURM_STEP_NODELIST", "")
        return Family(tasks, _size(own), _is_whole(own, launcher), launcher, command, hosts)

    def _named(self, pid: int) -> int | None:
        found = _NAME.match(self.processes[pid].name)
        return int(found[1]) if found is not None and found[1] else None

    def _task(self, pid: int, rank: int) -> Task:
        named = self._named(pid)
        if named is not None and str(rank).startswith(str(named)):
            named = rank
        age = max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - self.processes[pid].start)
        return Task(pid, rank, named, pid in self.brokers, time.time() - age)

    def _launcher(self, line: list[int], own: dict[str, str]) -> tuple[str, tuple[str, ...]]:
        for pid in line:
            words = processes.argv(pid)
            known = table.recognise(words)
            if known is not None and pid not in self.brokers:
                return known.name, tuple(words)
        if own.get("SLURM_STEP_ID") and own.get("PMI_FD"):
            return "srun", ()
        return ("flux start" if own.get("FLUX_START_URI") else ""), ()


def _everybody() -> Iterator[_Process]:
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                text = file.read(1024).decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        command, _, rest = text.partition("(")[2].rpartition(")")
        fields = rest.split()
        if len(fields) > 19:
            yield _Process(int(name), int(fields[1]), command, int(fields[19]) / _TICKS)


def _is_broker(process: _Process) -> bool:
    if _NAME.match(process.name):
        return True
    # The embedded broker bears the name only once it knows its rank.
    words = processes.argv(process.pid) if process.name.startswith("python") else []
    return any(word.endswith(_EMBEDDED) for word in words[1:4])


def _readable(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            file.read(1)
    except OSError:
        return False
    return True


def _size(environ: dict[str, str]) -> int:
    for name in _SIZES:
        text = environ.get(name, "")
        if text.isdecimal() and len(text) < 8:
            return int(text)
    return 0


def _is_whole(environ: dict[str, str], launcher: str) -> bool:
    """Tell whether all tasks are to be on this host."""
    size = str(_size(environ))
    if any(environ.get(name) == size for name in _LOCAL_SIZES):
        return True
    if launcher == "srun":
        return environ.get("SLURM_STEP_NUM_NODES") == "1"
    return launcher in ("flux start", "gforker")


def _listens(pid: int) -> set[str]:
    """Return the paths at which a process listens."""
    return {one.name for one in processes.sockets(pid) if (one.kind, one.state) == _LISTENS}
