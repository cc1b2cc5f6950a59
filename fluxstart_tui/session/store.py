"""The sessions there are: their list, and which of them are removed."""

from __future__ import annotations

import fcntl
import os
from typing import NamedTuple

from fluxstart_tui.session import events
from fluxstart_tui.session.header import (
    HEADER,
    JOURNAL,
    LOCK,
    SessionError,
    is_live,
    open_regular,
    read_header,
)
from fluxstart_tui.session.home import root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_END_MAX = 64 << 10
"""Bytes at the end of a journal among which its End event is looked for."""


class Entry(NamedTuple):
    """A session of the list."""

    name: str
    path: str
    header: dict[str, Any]
    live: bool
    """Whether it is still recorded."""
    code: int | None
    """Exit code of the instance, None if it is unknown."""


def listing() -> list[Entry]:
    """Return the sessions there are, the newest first."""
    return [Entry(n, p, header, is_live(p), _code(p)) for n, p, header in _sessions()]


def last(*, live: bool = False) -> str | None:
    """Return the path of the newest session, or of the newest that is live; None if none is."""
    for _, path, _ in _sessions():
        if not live or is_live(path):
            return path
    return None


def retain(keep: int, total: int) -> list[str]:
    """Remove old sessions; one that is live stays, and so does what is no session of ours.

    Args:
        keep: how many may stay.
        total: how many bytes they may take together; the newest stays whatever it takes.

    Returns:
        The names of those that were removed.
    """
    removed = []
    size = 0
    for count, (name, path, _) in enumerate(list(_sessions()), 1):
        size += _size(path)
        if count > 1 and (count > keep or size > total) and remove(path):
            removed.append(name)
    return removed


def _is_name(name: str) -> bool:
    date, _, rest = name.partition("-")
    clock, _, rest = rest.partition("-")
    host, _, pid = rest.rpartition("-")
    numbers = date + clock + pid
    return len(date) == 8 and len(clock) == 6 and numbers.isdecimal() and bool(host and pid)


def _sessions() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield name, path and header of what lies in the root and is a session, the newest first."""
    try:
        names = [one.name for one in os.scandir(root()) if one.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for name in sorted(filter(_is_name, names), reverse=True):
        path = os.path.join(root(), name)
        try:
            yield name, path, read_header(path)
        except SessionError:
            continue


def _code(path: str) -> int | None:
    try:
        fd = open_regular(os.path.join(path, JOURNAL))
    except OSError:
        return None
    try:
        start = max(0, os.fstat(fd).st_size - _END_MAX)
        lines = os.pread(fd, _END_MAX, start).split(b"\n")
    except OSError:
        return None
    finally:
        os.close(fd)
    for line in reversed(lines):
        timed = events.decode(line) if b'"end"' in line else None
        if timed is not None and isinstance(timed[1], events.End):
            return timed[1].code
    return None


def _files(path: str) -> list[str]:
    """Return the names of a session's files in the order in which they are removed.

    The header goes late: a session of which a part is left is still one that can be removed.
    """
    names = os.listdir(path)
    spool = [name for name in names if name.startswith("output.")]
    return [*spool, *(name for name in (JOURNAL, HEADER + ".new", HEADER, LOCK) if name in names)]


def _size(path: str) -> int:
    size = 0
    try:
        for name in _files(path):
            size += os.lstat(os.path.join(path, name)).st_blocks * 512
    except OSError:
        pass  # it is just being removed by another
    return size


def remove(path: str) -> bool:
    """Remove a session unless it is live; tell whether it is gone.

    Args:
        path: its directory, which stays if there is something in it that is not ours.
    """
    try:
        fd = os.open(os.path.join(path, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for name in _files(path):
            os.unlink(os.path.join(path, name))
        os.rmdir(path)
    except OSError:  # it lives, or there is something else in it
        return False
    finally:
        os.close(fd)
    return True
