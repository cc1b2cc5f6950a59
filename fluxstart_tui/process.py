"""This process: what it has inherited, put right, and what it is called."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_FD = "FLUXSTART_TUI_LOG_FD"
"""Environment variable that tells an embedded broker where to write its log as well: a descriptor
of a file in memory."""


def environment() -> dict[str, str]:
    """Return our environment as our parent made it.

    In the C locale Python sets LC_CTYPE (PEP 538), which is not for what we start.
    """
    env = dict(os.environ)
    if "LC_CTYPE" in env:
        try:
            with open("/proc/self/environ", "rb", buffering=0) as file:
                original = file.readall()
        except OSError:
            return env
        del env["LC_CTYPE"]
        for entry in original.split(b"\0"):
            if entry.startswith(b"LC_CTYPE="):
                env["LC_CTYPE"] = os.fsdecode(entry[9:])
    return env


def log_descriptor(environ: Mapping[str, str]) -> int | None:
    """Return the descriptor that LOG_FD names, None if there is no such file in memory."""
    try:
        fd = int(environ[LOG_FD])
        status = os.fstat(fd)
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    # Whatever else the number may stand for, by some mistake: files have names.
    return fd if stat.S_ISREG(status.st_mode) and not status.st_nlink else None


def secure_descriptors() -> None:
    """Fill closed standard descriptors with /dev/null and keep all others from what we start.

    A closed 0, 1 or 2 would be reused by one of our sockets.
    """
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number is this one
            os.set_inheritable(fd, True)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.set_inheritable(int(name), False)
            except OSError:
                pass  # the descriptor that listed the directory


def rename(name: str) -> None:
    """Name this process as ps(1) and killall(1) know it, in at most 15 bytes."""
    try:
        with open("/proc/self/comm", "w", encoding="ascii") as file:
            file.write(name)
    except OSError:
        pass
