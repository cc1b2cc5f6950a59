"""How a session is known: the names of its files, its header, its lock."""

from __future__ import annotations

import fcntl
import json
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HEADER, JOURNAL, LOCK = "session.json", "events.jsonl", "lock"

_HEADER_MAX = 4 << 20
"""Bytes of a header that are read."""


def open_regular(path: str) -> int:
    """Open a file for reading.

    Raises:
        OSError: it can not be opened, or is no regular file: a session that somebody sent may
            hold a FIFO, which would never answer.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(f"{path} is no regular file")
    return fd


class SessionError(Exception):
    """What was named is no session that can be read; its one line says why."""


def is_live(directory: str) -> bool:
    """Tell whether somebody records into a session: whether its lock is held."""
    try:
        fd = open_regular(os.path.join(directory, LOCK))
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(fd)
    return False


def read_header(directory: str) -> dict[str, Any]:
    """Return what session.json holds.

    Raises:
        SessionError: there is none, or it holds no JSON object.
    """
    try:
        fd = open_regular(os.path.join(directory, HEADER))
    except OSError:
        raise SessionError(f"{directory} is no session") from None
    try:
        header = json.loads(os.read(fd, _HEADER_MAX).decode())
    except (OSError, ValueError, RecursionError):
        raise SessionError(f"{directory} is no session: {HEADER} can not be read") from None
    finally:
        os.close(fd)
    if not isinstance(header, dict):
        raise SessionError(f"{directory} is no session: {HEADER} holds no object")
    return header
