"""Write a report so that its file is never half of one."""

from __future__ import annotations

import os
import stat


def check(path: str) -> None:
    """Find out whether a report can be written, before what it tells of takes an hour.

    Raises:
        OSError: it can not be.
    """
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise IsADirectoryError(21, os.strerror(21), path)
    if not _is_special(target):
        new, fd = _create(target)
        os.close(fd)
        os.unlink(new)


def write(path: str, text: str) -> None:
    """Write a report, in the place of what was there.

    Raises:
        OSError: it can not be written; what was there still is.
    """
    target = os.path.realpath(path)
    if _is_special(target):
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
        return
    new, fd = _create(target)
    try:
        with open(fd, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(new, target)
    except BaseException:
        os.unlink(new)
        raise


def _create(target: str) -> tuple[str, int]:
    new = f"{target}.{os.getpid()}.new"
    return new, os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)


def _is_special(target: str) -> bool:
    """Tell whether it is a device or a pipe, which is not to be replaced."""
    try:
        return not stat.S_ISREG(os.stat(target).st_mode)
    except OSError:
        return False
