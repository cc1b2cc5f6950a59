"""Where sessions live: their directories, and how they are called."""

from __future__ import annotations

import errno
import os
import time

from fluxstart_tui.session.output import write_all

_BEGINNING = 64 << 10
"""Bytes of a disk without which a session is not begun there."""


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
