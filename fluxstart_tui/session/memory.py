"""The newest of a session in memory, for when the disk takes no more.

The files are memfds of the process that records. Whoever may read the session opens them by
/proc/PID/fd/N: the lock file, written while the disk still works, has the numbers. They are gone
with the process, except for those who have them open then.
"""

from __future__ import annotations

import fcntl
import os

from fluxstart_tui.session.header import LOCK, open_regular
from fluxstart_tui.session.output import Spool, segment_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.session.events import Lost

KINDS = JOURNAL, INDEX, DATA = range(3)
"""What a file may be."""

_DEPTH = 3
"""Files of a kind: a new one takes the place of the oldest."""

_SLOTS = len(KINDS) * _DEPTH

SEGMENT = 8 << 20
"""Bytes of a file of a kind, about."""

_LINK = "/memfd:{}/"
_DELETED = " (deleted)"
"""What the kernel puts behind the name of a file that is in no directory."""


def _prefix(directory: str) -> str:
    """Return what the names of a session's memfds begin with; the kernel takes 249 bytes."""
    return os.fsdecode(os.fsencode(os.path.basename(os.path.abspath(directory)))[-128:])


class Memory:
    """The files of a session that are in memory; until they are needed, there is nothing in them.

    Args:
        directory: the session's.

    Raises:
        OSError: there are no descriptors left.
    """

    def __init__(self, directory: str) -> None:
        self._prefix = _prefix(directory)
        self._slots = [os.memfd_create("unused", os.MFD_CLOEXEC)]
        for _ in range(_SLOTS - 1):
            self._slots.append(fcntl.fcntl(self._slots[0], fcntl.F_DUPFD_CLOEXEC, 0))
        self.place = " ".join(map(str, (os.getpid(), *self._slots))).encode() + b"\n"
        """Where readers have to look: our pid and descriptors."""

    def __del__(self) -> None:
        for fd in self._slots:
            os.close(fd)

    def create(self, kind: int, number: int, name: str) -> int:
        """Make an empty file.

        Args:
            kind: one of KINDS.
            number: of the file among those of its kind; they come in order.
            name: what readers know it by.

        Returns:
            A descriptor, the caller's.
        """
        fd = os.memfd_create(f"{self._prefix}/{name}", os.MFD_CLOEXEC)
        os.dup2(fd, self._slots[kind * _DEPTH + number % _DEPTH], inheritable=False)
        return fd


class MemorySpool(Spool):
    """The newest output alone.

    Args:
        memory: where it is.
        first: number of its first segment.
    """

    def __init__(self, memory: Memory, first: int) -> None:
        self._memory = memory
        super().__init__("", 4 * SEGMENT, SEGMENT, first)

    def _next_segment(self) -> list[Lost]:
        self._open_next()
        return []  # the disk had none of it: whoever has given that up tells what was lost

    def _open_next(self) -> None:
        self.close()
        number = self.segment + 1
        name = segment_name(number)
        self._index = self._memory.create(INDEX, number, name + ".idx")
        self._data = self._memory.create(DATA, number, name)
        self.segment, self.records, self._bytes = number, 0, {number: 0}


class MemoryReader:
    """What of a session is in the memory of the process that records it.

    Args:
        directory: the session's.
    """

    def __init__(self, directory: str) -> None:
        self._begin = _LINK.format(_prefix(directory))
        pid, *slots = _numbers(os.path.join(directory, LOCK)) or [0]
        self._paths = [f"/proc/{pid}/fd/{fd}" for fd in slots]

    def names(self) -> dict[str, str]:
        """Return the paths of the files that are there now, by name."""
        found = {}
        for path in self._paths:
            try:
                name = self._name(path)
            except OSError:  # the process is gone, or not ours
                self._paths = []
                return {}
            if name:
                found[name] = path
        return found

    def open(self, name: str) -> int:
        """Open a file.

        Raises:
            OSError: it is not there, or another has just taken its place.
        """
        fd = open_regular(self.names().get(name, ""))
        if self._name(f"/proc/self/fd/{fd}") != name:
            os.close(fd)
            raise FileNotFoundError(name)
        return fd

    def _name(self, path: str) -> str:
        """Return the name of an open file, "" if it is none of the session."""
        link = os.readlink(path)
        if not link.startswith(self._begin):
            return ""
        return link[len(self._begin) :].removesuffix(_DELETED)


def _numbers(path: str) -> list[int]:
    """Return what Memory.place says in a file, which may hold anything; none if it is not that."""
    try:
        fd = open_regular(path)
    except OSError:
        return []
    try:
        words = os.read(fd, 4096).split()
    except OSError:
        return []
    finally:
        os.close(fd)
    good = len(words) <= 1 + _SLOTS and all(word.isdigit() and len(word) < 12 for word in words)
    return [int(word) for word in words] if good else []
