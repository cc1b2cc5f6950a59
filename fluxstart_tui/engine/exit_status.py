"""How a process ended that is another's child: its parent need not tell us."""

from __future__ import annotations

import fcntl
import struct

_INFO = struct.Struct("=QQ11Ii")
"""struct pidfd_info of linux/pidfd.h, version 0: the mask stands first, the exit code last."""
_GET_INFO = 3 << 30 | _INFO.size << 16 | 0xFF << 8 | 11
"""PIDFD_GET_INFO, since Linux 6.13."""
_EXIT = 1 << 3
"""PIDFD_INFO_EXIT, since Linux 6.15: kept for those who held a pidfd when it was reaped."""


def of(pid: int, pidfd: int) -> int | None:
    """Return the wait status of a process that has ended; None where it can not be had any more.

    It is in /proc until its parent has reaped it (proc(5), for who may trace it), and afterwards in
    its pidfd where the kernel keeps it there.

    Args:
        pid: its pid, which is still its own or nobody's.
        pidfd: a descriptor of it, opened while it was there.
    """
    status = _unreaped(pid)
    return _reaped(pidfd) if status is None else status


def _unreaped(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            fields = file.read(4096).rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[49]) if fields[0] in b"ZX" else None


def _reaped(pidfd: int) -> int | None:
    info = _INFO.pack(_EXIT, *[0] * 13)
    try:
        info = fcntl.ioctl(pidfd, _GET_INFO, info)
    except OSError:
        return None
    mask, *_, status = _INFO.unpack(info)
    return status if mask & _EXIT else None
