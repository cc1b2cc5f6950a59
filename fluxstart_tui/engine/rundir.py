"""The run directory of a test instance (flux-start(1); FLUX sockets and files live in it)."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from fluxstart_tui.engine.errors import LaunchError, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 96
"""Longest rundir in bytes: what flux-broker accepts (rundir.c), so that `RUNDIR/local-R` fits."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Claim(NamedTuple):
    """A directory or a socket that is to be removed at the end."""

    path: str
    device: int | None = None
    inode: int | None = None
    """None: about to be made. Then it is removed only if empty, since it may be a stranger's."""

    changed: int | None = None
    """Of a socket, the time of its last change in ns: numbers of inodes are soon used again."""

    def holds(self) -> bool:
        """Tell whether what is at the path is still what was claimed."""
        try:
            return claim(self.path) == self
        except OSError:
            return False


def claim(path: str) -> Claim:
    """Return the claim to what exists at a path."""
    made = os.stat(path, follow_symlinks=False)
    changed = made.st_ctime_ns if stat.S_ISSOCK(made.st_mode) else None
    return Claim(os.path.abspath(path), made.st_dev, made.st_ino, changed)


def create(announce: Callable[[Claim | None], None]) -> str:
    """Make a directory of our own, `${TMPDIR:-/tmp}/flux-XXXXXX`, mode 0700.

    Args:
        announce: told of the claim before the directory exists, again once it does, and of None
            if it could not be made.

    Raises:
        LaunchError: it can not be made, or its name is too long.
    """
    parent = os.environ.get("TMPDIR")
    parent = "/tmp" if parent is None else parent  # noqa: S108 - as flux start
    while True:
        path = f"{parent}/flux-" + "".join(_ALPHABET[byte % 62] for byte in os.urandom(6))
        check_length(path)
        announce(Claim(os.path.abspath(path)))
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            announce(None)
            continue
        except OSError as error:
            announce(None)
            raise LaunchError(f"mkdtemp {path}: {reason(error)}") from error
        announce(claim(path))
        return path


def create_at(path: str, announce: Callable[[Claim | None], None]) -> None:
    """Make `path` if it is missing (flux-start(1), --rundir); use it as it is otherwise.

    Raises:
        LaunchError: it can not be made, is no directory, or its name is too long.
    """
    if os.path.lexists(path):
        adopt(path)
        return
    check_length(path)
    announce(Claim(os.path.abspath(path)))
    try:
        os.mkdir(path, 0o700)
    except OSError as error:
        announce(None)
        raise LaunchError(f"{path}: {reason(error)}") from error
    announce(claim(path))


def adopt(path: str) -> None:
    """Check that `path` can serve (flux-start(1), --test-rundir).

    Raises:
        LaunchError: it is missing, is no directory, or its name is too long.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise LaunchError(f"{path}: {reason(error)}") from error
    if not stat.S_ISDIR(mode):
        raise LaunchError(f"{path}: not a directory")
    check_length(path)


def check_length(path: str) -> None:
    """Refuse a path that would not leave room for the names of the brokers' sockets.

    Raises:
        LaunchError: naming the limit.
    """
    length = len(os.fsencode(path))
    if length > LIMIT:
        raise LaunchError(
            f"rundir {path}: {length} bytes exceed the limit of {LIMIT} that leaves room"
            " for unix socket names in it"
        )


def connector(place: str, rank: int) -> str:
    """Return where a broker's local connector is: in a sticky rundir each makes its own below it.

    It may not be there yet.
    """
    name = f"local-{rank}"
    try:
        if os.stat(place).st_mode & stat.S_ISVTX:
            for below in os.listdir(place):
                path = f"{place}/{below}/{name}"
                if os.path.exists(path):
                    return path
    except OSError:
        pass
    return f"{place}/{name}"


def remove(claimed: Claim) -> None:
    """Remove the directory and all in it, if it is still the one that was claimed."""
    if claimed.inode is not None and not claimed.holds():
        return
    try:
        os.rmdir(claimed.path)  # brokers that end in order leave it empty
    except OSError:
        if claimed.inode is not None:
            import shutil  # only who needs it pays for it

            shutil.rmtree(claimed.path, ignore_errors=True)
