"""Make descriptors safe before anything else is opened (test mode)."""

from __future__ import annotations

import os


def secure() -> None:
    """Fill closed standard descriptors with /dev/null and keep all others from the brokers.

    A closed 0, 1 or 2 would be reused by one of our sockets; brokers get 0, 1, 2 and PMI only.
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


def same_file(first: int, second: int) -> bool:
    """Tell whether two descriptors lead to the same file, pipe or terminal."""
    a, b = os.fstat(first), os.fstat(second)
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
