"""What the system knows of a live local process. What can not be read is empty; nothing raises."""

from __future__ import annotations

import os
from collections import Counter
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 1 << 20
"""Bytes of a file of proc(5) that are read."""

_SYSCALLS = {
    "0": "read", "1": "write", "7": "poll", "23": "select", "34": "pause", "35": "nanosleep",
    "42": "connect", "43": "accept", "45": "recvfrom", "47": "recvmsg", "61": "wait4",
    "128": "rt_sigtimedwait", "130": "rt_sigsuspend", "202": "futex", "230": "clock_nanosleep",
    "232": "epoll_wait", "247": "waitid", "270": "pselect6", "271": "ppoll", "281": "epoll_pwait",
    "288": "accept4",
}  # fmt: skip
"""System calls in which x86_64 processes wait."""

_STATES = {
    "R": "running", "S": "sleeping", "D": "disk sleep", "T": "stopped", "t": "traced",
    "Z": "zombie", "X": "dead", "I": "idle",
}  # fmt: skip

_TCP = {
    "01": "established", "02": "connecting", "03": "accepting", "06": "time wait",
    "08": "close wait", "0A": "listening",
}  # fmt: skip
_UNIX = {"01": "open", "02": "connecting", "03": "connected", "04": "closing"}
_ACCEPTS = 0x10000
_DEEP, _CHILDREN = 6, 40
"""Generations and processes that are told of what a process has started."""


class Thread(NamedTuple):
    """A thread."""

    tid: int
    name: str
    state: str
    """Letter of proc(5)."""
    waits: str
    """Kernel function or system call in which it waits, "" if that can not be seen."""

    @property
    def doing(self) -> str:
        """What it does, in words."""
        state = _STATES.get(self.state, self.state)
        return f"{state} in {self.waits}" if self.waits and self.state != "R" else state


class Child(NamedTuple):
    """A process that another one has started."""

    depth: int
    """0 for a child, 1 for a child's child."""
    pid: int
    command: str
    doing: str
    """What its first thread does."""


class Socket(NamedTuple):
    """A socket."""

    fd: int
    kind: str
    state: str
    name: str
    """Path or addresses."""


class Group(NamedTuple):
    """Ranks of which all threads wait in the same places."""

    ranks: frozenset[int]
    threads: tuple[str, ...]
    """What its threads do, those that do the same together."""


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_MOST).decode(errors="replace")
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def argv(pid: int) -> list[str]:
    """Return the arguments of a process."""
    text = _read(f"/proc/{pid}/cmdline")
    return text.removesuffix("\0").split("\0") if text else []


def environ(pid: int) -> dict[str, str]:
    """Return the environment with which a process was started."""
    pairs = (one.partition("=") for one in _read(f"/proc/{pid}/environ").split("\0") if one)
    return {name: value for name, _, value in pairs}


def places(pid: int) -> tuple[str, str]:
    """Return the executable and the working directory of a process."""
    return _link(f"/proc/{pid}/exe"), _link(f"/proc/{pid}/cwd")


def threads(pid: int) -> list[Thread]:
    """Return the threads of a process."""
    try:
        tids = sorted(int(one) for one in os.listdir(f"/proc/{pid}/task"))
    except (OSError, ValueError):
        return []
    return [_thread(f"/proc/{pid}/task/{tid}", tid) for tid in tids]


def _thread(path: str, tid: int) -> Thread:
    name, _, rest = _read(f"{path}/stat").partition("(")[2].rpartition(")")
    state = rest.strip()[:1] or "?"
    waits = _read(f"{path}/wchan").strip()
    if waits in ("", "0"):
        number = _read(f"{path}/syscall").partition(" ")[0].strip()
        known = os.uname().machine == "x86_64" and number.isdigit()
        waits = _SYSCALLS.get(number, f"system call {number}") if known else ""
    return Thread(tid, name, state, waits)


def children(pid: int, depth: int = 0) -> list[Child]:
    """Return what a process has started and what that has, each before its own children."""
    found: list[Child] = []
    for thread in threads(pid):
        for one in _read(f"/proc/{pid}/task/{thread.tid}/children").split():
            if depth < _DEEP and len(found) < _CHILDREN:
                command = " ".join(argv(int(one)))
                first = next(iter(threads(int(one))), None)
                doing = first.doing if first is not None else ""
                found.append(Child(depth, int(one), command or f"({first and first.name})", doing))
                found += children(int(one), depth + 1)
    return found


def sockets(pid: int) -> list[Socket]:
    """Return the sockets of a process."""
    inodes = {}
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []
    for name in names:
        target = _link(f"/proc/{pid}/fd/{name}")
        if target.startswith("socket:[") and name.isdigit():
            inodes[target[8:-1]] = int(name)
    found = []
    for line in _read(f"/proc/{pid}/net/unix").splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) > 6 and fields[6] in inodes:
            listens = int(fields[3], 16) & _ACCEPTS
            state = "listening" if listens else _UNIX.get(fields[5], fields[5])
            path = fields[7] if len(fields) > 7 else "(no name)"
            found.append(Socket(inodes[fields[6]], "unix", state, path))
    for kind in ("tcp", "tcp6"):
        for line in _read(f"/proc/{pid}/net/{kind}").splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[9] in inodes:
                name = f"{_address(fields[1])} - {_address(fields[2])}"
                state = _TCP.get(fields[3], fields[3])
                found.append(Socket(inodes[fields[9]], kind, state, name))
    return sorted(found)


def _address(text: str) -> str:
    host, _, port = text.partition(":")
    try:
        raw = bytes.fromhex(host)
        if len(raw) == 4:
            name = ".".join(str(byte) for byte in reversed(raw))
        else:
            words = (raw[at : at + 4][::-1].hex() for at in range(0, len(raw), 4))
            name = f"[{'.'.join(words)}]"
        return f"{name}:{int(port, 16)}"
    except ValueError:
        return text


def gather(pids: Mapping[int, int]) -> list[Group]:
    """Group ranks by what all of their threads wait in, the largest group first.

    Args:
        pids: pid by rank, of processes on this host.
    """
    alike: dict[tuple[str, ...], list[int]] = {}
    for rank, pid in pids.items():
        # A broker's name may end in its rank.
        named = ((one.name.removesuffix(f"-{rank}"), one.doing) for one in threads(pid))
        doing = Counter(f"{name}: {what}" for name, what in named)
        key = tuple(
            f"{text} x{count}" if count > 1 else text for text, count in sorted(doing.items())
        )
        alike.setdefault(key or ("can not be seen",), []).append(rank)
    groups = [Group(frozenset(ranks), key) for key, ranks in alike.items()]
    return sorted(groups, key=lambda group: (-len(group.ranks), min(group.ranks)))
