"""Stacks of the threads of many processes, by gdb, equal ones together.

gdb stops a process while it looks, some tenths of a second. So that no process stays stopped, a
gdb that is not wanted any more is asked to let go before it is killed, and then what it may have
left stopped is continued.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.probe import processes

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 64
"""Processes that are looked at in one go."""
_AT_ONCE = 2
_PATIENCE = 15.0
"""Seconds for one process."""
_GRACE = 3.0
"""Seconds that gdb has to let go."""
_FRAMES = 40

_THREAD = re.compile(r'^Thread \d+ \((?:.*?LWP (\d+)\)|.*?process (\d+)\))(?: "(.*)")?\)?:')
_FRAME = re.compile(r"^#\d+\s+(?:0x[0-9a-f]+ in )?(.+)$")
_WHERE = re.compile(r" \(.*?\)(?= (?:at|from) |$)(?: (?:at|from) (?:.*/)?([^/]+))?$")


class Stack(NamedTuple):
    """Threads that are at the same place."""

    thread: str
    """What they are called; the main thread is "main"."""
    frames: tuple[str, ...]
    """Functions and where they are, the innermost first; or in one line what they wait in."""
    ranks: frozenset[int]
    threads: int
    """How many of them there are."""


class Gathering:
    """Looks at processes one after the other.

    Args:
        pids: pid by rank, of processes on this host; the first MOST are looked at.
    """

    def __init__(self, pids: Mapping[int, int]) -> None:
        self.wanted = dict(list(pids.items())[:MOST])
        self.left_out = len(pids) - len(self.wanted)
        self.done = 0
        """How many have been looked at."""
        self.problem = "" if shutil.which("gdb") else "there is no gdb"
        """Why there is no stack of some process, but what its threads wait in."""
        self.cancelled = False
        self._found: dict[tuple[str, tuple[str, ...]], list[int]] = {}

    @property
    def running(self) -> bool:
        """Whether there are processes left to look at."""
        return self.done < len(self.wanted) and not self.cancelled

    def stacks(self) -> list[Stack]:
        """Return what has been found: the main threads first, of each what is most common."""
        found = [
            Stack(thread, frames, frozenset(ranks), len(ranks))
            for (thread, frames), ranks in self._found.items()
        ]
        return sorted(found, key=lambda one: (
            one.thread != "main", one.thread, -len(one.ranks), min(one.ranks)))  # fmt: skip

    async def run(self) -> None:
        """Look at all of them; may be cancelled."""
        todo = iter(self.wanted.items())

        async def work() -> None:
            for rank, pid in todo:
                for thread, frames in await self._look(rank, pid):
                    self._found.setdefault((thread, frames), []).append(rank)
                self.done += 1

        tasks = [asyncio.create_task(work()) for _ in range(_AT_ONCE)]
        try:
            await asyncio.gather(*tasks)
        finally:
            self.cancelled = self.done < len(self.wanted)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, rank: int, pid: int) -> list[tuple[str, tuple[str, ...]]]:
        text = await _ask(pid) if shutil.which("gdb") else ""
        found = parse(text, rank, pid)
        if not found:
            if refusal := re.search(r"ptrace: (.*?)\.?$", text, re.MULTILINE):
                self.problem = f"gdb may not attach ({refusal[1]})"
            self.problem = self.problem or "gdb has not answered"
            found = [
                (_name(one.name, rank, main=one.tid == pid), (one.doing,))
                for one in processes.threads(pid)
            ]
        return found or [("main", ("it can not be seen",))]


def _name(name: str, rank: int, *, main: bool) -> str:
    """Return what equal threads of different ranks are called: a name may end in the rank."""
    return "main" if main else name.removesuffix(f"-{rank}")


def parse(text: str, rank: int, pid: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return thread and frames of each thread that gdb told about."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if thread := _THREAD.match(line):
            main = int(thread[1] or thread[2] or 0) == pid
            found.append((_name(thread[3] or "thread", rank, main=main), []))
        elif (frame := _FRAME.match(line)) and found:
            found[-1][1].append(_WHERE.sub(lambda one: f"  {one[1]}" if one[1] else "", frame[1]))
    return [(name, tuple(frames)) for name, frames in found if frames]


async def _ask(pid: int) -> str:
    """Return what gdb says of all threads of a process; "" if it does not come to an end."""
    words = [
        "gdb", "-batch", "-nx", "-iex", "set auto-load off", "-p", str(pid), "-ex", "set width 0",
        "-ex", "set print frame-arguments none", "-ex", f"thread apply all bt {_FRAMES}",
    ]  # fmt: skip
    stopped = _stopped(pid)
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env={**os.environ, "DEBUGINFOD_URLS": ""},
        start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _PATIENCE)
        return output.decode(errors="replace")
    except TimeoutError:
        return ""
    finally:
        if process.returncode is None:
            await asyncio.shield(_let_go(process, pid, stopped=stopped))


async def _let_go(process: asyncio.subprocess.Process, pid: int, *, stopped: bool) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _GRACE)
    except TimeoutError:
        process.kill()
        await process.wait()
    if not stopped and _stopped(pid):
        os.kill(pid, signal.SIGCONT)


def _stopped(pid: int) -> bool:
    return any(one.state in "Tt" for one in processes.threads(pid))
