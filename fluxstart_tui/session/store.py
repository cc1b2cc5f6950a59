"""Where sessions live: their names, their list, and which of them are removed."""

from __future__ import annotations

import errno
import fcntl
import os
import time
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
from fluxstart_tui.session.output import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_BEGINNING = 64 << 10
"""Bytes of a disk without which a session is not begun there."""

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


def root() -> str:
    """Return the directory in which sessions are made that are given no other."""
    if own := os.environ.get("FLUXSTART_TUI_STATE"):
        return own
    state = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):  # the XDG specification: then it does not count
        state = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "fluxstart-tui", "sessions")


def is_home(directory: str) -> bool:
    """Tell whether a directory is that in which sessions live, however it is spelled."""
    return os.path.realpath(directory) == os.path.realpath(root())


def new_name(now: float, host: str, pid: int) -> str:
    """Return the name of a session; names sort by time.

    Args:
        now: when it starts, in seconds since the epoch.
        host: where it runs.
        pid: the engine's.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return f"{stamp}-{host[:64].replace('/', '_')}-{pid}"


def create(path: str | None = None) -> str:
    """Make the directory of a new session.

    Args:
        path: where; None for one with a new name among the others.

    Returns:
        Its absolute path.

    Raises:
        OSError: it can not be made, or there is something in it.
    """
    path = path or os.path.join(root(), new_name(time.time(), os.uname().nodename, os.getpid()))
    path = os.path.abspath(path)
    try:
        os.makedirs(path, 0o700)
    except FileExistsError:
        if os.listdir(path):
            raise OSError(errno.ENOTEMPTY, "directory is not empty", path) from None
    return path


def create_or_spare(path: str | None = None) -> tuple[str, str]:
    """Make the directory of a new session, in memory if where sessions live takes nothing.

    Args:
        path: as of `create`; if it is given, it is there or nowhere.

    Returns:
        Its absolute path, and why it is in memory, "" if it is not.

    Raises:
        OSError: as of `create`, or it can not be written to.
    """
    try:
        made = create(path)
        _write_something(made)
    except OSError as error:
        if path is not None:
            raise
        import tempfile  # only who has no disk pays for it

        for parent in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):  # noqa: S108
            try:
                if parent:
                    made = tempfile.mkdtemp(prefix="fluxstart-tui-", dir=parent)
                    _write_something(made)
                    return made, f"{error.filename or root()}: {error.strerror}"
            except OSError:
                continue
        raise
    return made, ""


def _write_something(directory: str) -> None:
    """Raise OSError, and remove the directory, if a session could not even begin there."""
    path = os.path.join(directory, "room")
    try:
        with open(path, "wb", buffering=0) as file:
            write_all(file.fileno(), bytes(_BEGINNING))
        os.unlink(path)
    except OSError as error:
        for undo, what in ((os.unlink, path), (os.rmdir, directory)):
            try:
                undo(what)
            except OSError:  # it was never made
                pass
        raise OSError(error.errno, error.strerror, directory) from None


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
