"""What can be seen of a broker from outside, by proc(5); it need not cooperate.

This is what tells apart what a log can not: a broker that waits in a PMI barrier from one that was
stopped just before it, an rc1 that hangs from one that was never reached.
"""

from __future__ import annotations

import os
import resource
from typing import NamedTuple

from fluxstart_tui.launchers.hello import RANK_VARIABLES
from fluxstart_tui.probe import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MOST = 8
"""Threads, children or sockets that are told of."""
_COMMAND = 80
"""Characters of a child's command line."""


class Look(NamedTuple):
    """A broker's process at one moment. What can not be seen is empty."""

    pid: int
    state: str
    """Letter of proc(5): T is stopped, D waits for a device; empty if there is no process."""
    name: str
    """`flux-broker` in PMI, `flux-broker-RANK` afterwards (flux-core: broker/broker.c)."""
    waits: str
    """Kernel function or system call in which its first thread waits; the kernel's names."""
    threads: str
    """Names of the others; a module is one, so that there are about 17 once rc1 is done."""
    runs: str
    """Command lines of its children: rc1, the initial program, rc3."""
    listens: str
    """Addresses and paths at which it listens."""
    connects: str
    """TCP connections, with their state."""
    files: str
    """Descriptors that it has open, of how many: `17/1024`."""

    @property
    def local(self) -> str:
        """Path of the socket on which it answers (RUNDIR/local-RANK), empty if it has none."""
        return next((one for one in self.listens.split(", ") if _is_local(one)), "")


def _is_local(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    return bool(folder) and file.startswith("local-") and file[6:].isdecimal()


def look(pid: int) -> Look:
    """Look at a broker; some milliseconds."""
    threads = processes.threads(pid)
    if not threads:
        return Look(pid, "", "", "", "", "", "", "", "")
    first = next((one for one in threads if one.tid == pid), threads[0])
    sockets = processes.sockets(pid)
    return Look(
        pid,
        first.state,
        first.name,
        "" if first.waits == "0" else first.waits,
        _some(one.name for one in threads if one is not first),
        _some(f"{_cut(child.command)} ({child.doing})" for child in processes.children(pid)),
        _some(one.name.split(" - ")[0] for one in sockets if one.state == "listening"),
        _some(
            f"{one.name.split(' - ')[1]} {one.state}"
            for one in sockets
            if one.kind != "unix" and one.state != "listening"
        ),
        _files(pid),
    )


def _cut(command: str) -> str:
    return command if len(command) <= _COMMAND else f"{command[: _COMMAND - 3]}..."


def _some(texts: Iterable[str]) -> str:
    """Join what is told of, each once; how many more there are stands last."""
    found = list(dict.fromkeys(text.replace(", ", " ") for text in texts))
    more = [f"{len(found) - _MOST} more"] if len(found) > _MOST else []
    return ", ".join([*found[:_MOST], *more])


def _files(pid: int) -> str:
    try:
        limit, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        return f"{len(os.listdir(f'/proc/{pid}/fd'))}/{limit}"
    except OSError:
        return ""


def rank_in(environ: Mapping[str, str]) -> int | None:
    """Return the rank that a launcher tells a process by its environment."""
    for name in RANK_VARIABLES:
        text = environ.get(name, "")
        if text.isdecimal() and len(text) < 8:
            return int(text)
    return None
