"""Whom the kernel's OOM killer has killed, as far as the counters of cgroups tell.

Version 2 counts in memory.events, version 1 in memory.oom_control: processes of the group that were
killed, whether the group or the whole system was short of memory (Linux:
Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst).
"""

from __future__ import annotations

import os


class OomKills:
    """Remembers the counters of ranks.

    Args:
        proc: where proc(5) is mounted.
        cgroups: where cgroups(7) are: version 2, or a directory for each hierarchy of version 1.
    """

    def __init__(self, proc: str = "/proc", cgroups: str = "/sys/fs/cgroup") -> None:
        self._proc = proc
        self._cgroups = cgroups
        self._files: dict[int, str] = {}
        self._counts: dict[str, int] = {}

    def follow(self, rank: int, pid: int) -> None:
        """Note where kills of a process would be counted, and what the count is now."""
        path = self._counter(pid)
        if path is not None:
            self._files[rank] = path
            self._counts.setdefault(path, _count(path))

    def rise(self, rank: int) -> int:
        """Return how many kills the group of a rank has counted since that was last asked."""
        path = self._files.get(rank)
        if path is None:
            return 0
        former, self._counts[path] = self._counts[path], _count(path)
        return max(0, self._counts[path] - former)  # the group may be gone

    def _counter(self, pid: int) -> str | None:
        try:
            with open(
                f"{self._proc}/{pid}/cgroup", encoding="utf-8", errors="surrogateescape"
            ) as file:
                lines = [line.rstrip("\n").split(":", 2) for line in file]
        except OSError:
            return None
        for _, controllers, path in (line for line in lines if len(line) == 3):
            if controllers == "":
                found = _nearest(self._cgroups, path, "memory.events")
            elif "memory" in controllers.split(","):
                found = _nearest(f"{self._cgroups}/memory", path, "memory.oom_control")
            else:
                continue
            if found is not None:
                return found
        return None


def _nearest(mount: str, group: str, name: str) -> str | None:
    """Return the file of a cgroup, or of the nearest above it which accounts for memory."""
    while True:
        found = f"{mount}{group.rstrip('/')}/{name}"
        if os.path.exists(found):
            return found
        if group in ("", "/"):
            return None
        group = os.path.dirname(group)


def _count(path: str) -> int:
    try:
        with open(path, encoding="ascii") as file:
            for line in file:
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    except (OSError, ValueError):
        pass
    return 0
