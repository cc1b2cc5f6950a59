"""The broker's run directory (flux-core: broker/rundir.c)."""

from __future__ import annotations

import errno
import os
import stat

from fluxstart_tui.broker.errors import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluxstart_tui.broker.attrs import Attributes

_SUN_PATH_SIZE = 108
_LENGTH_MAX = _SUN_PATH_SIZE - len("/local-9999\0")
_TMPDIR = "/tmp"  # noqa: S108 - directories made there are of mode 0700 and random names
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def create(attrs: Attributes, environ: Mapping[str, str]) -> tuple[str, bool]:
    """Find or make the directory that the attribute `rundir` names, or one below TMPDIR.

    Returns:
        The directory, and whether it is to be removed when the broker exits.

    Raises:
        StartError: there is no such directory that is the user's own.
    """
    path = attrs.get("rundir")
    made = True
    try:
        if path is None:
            path = _make_temporary(environ.get("TMPDIR", _TMPDIR))
        else:
            made = _make(path)
            if not made and os.stat(path).st_mode & stat.S_ISVTX:
                path = _make_temporary(path)
                made = True
        _check(path)
        _link_flux(path, environ.get("PATH", os.defpath))
    except OSError as error:
        raise StartError(f"rundir {error}") from None
    attrs.set("rundir", path)
    if attrs.get("rundir-cleanup") is not None:
        made = attrs.get("rundir-cleanup") != "0"
    attrs.set("rundir-cleanup", "1" if made else "0")
    return path, made


def _link_flux(path: str, search: str) -> None:
    """Make `bin/flux` in a rundir, where clients that come through ssh look for it.

    Other brokers that share the rundir may be faster; where there is no flux, nothing is made.
    """
    for folder in search.split(":"):
        flux = f"{folder}/flux"
        if folder and os.access(flux, os.X_OK) and not os.path.isdir(flux):
            try:
                os.makedirs(f"{path}/bin", 0o755, exist_ok=True)
                os.symlink(flux, f"{path}/bin/flux")
            except FileExistsError:
                pass
            except OSError as error:
                raise OSError(f"error creating {path}/bin/flux: {error.strerror}") from None
            return


def remove(path: str) -> None:
    """Remove a directory and all that is in it, as far as that is possible."""
    for folder, folders, files in os.walk(path, topdown=False):
        for name in files:
            _try(os.unlink, f"{folder}/{name}")
        for name in folders:
            # A link to a directory is listed as one.
            below = f"{folder}/{name}"
            _try(os.unlink if os.path.islink(below) else os.rmdir, below)
    _try(os.rmdir, path)


def _make(path: str) -> bool:
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return False
    except OSError as error:
        raise OSError(f"error creating {path}: {error.strerror}") from None
    return True


def _make_temporary(parent: str) -> str:
    # mkdtemp(3); the tempfile module takes 15 ms of CPU to import
    while True:
        name = "".join(_LETTERS[byte % len(_LETTERS)] for byte in os.urandom(6))
        path = f"{parent}/flux-{name}"
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            continue
        except OSError as error:
            raise OSError(f"cannot create directory in {parent}: {error.strerror}") from None
        return path


def _check(path: str) -> None:
    try:
        found = os.stat(path)
    except OSError as error:
        raise OSError(f"cannot stat {path}: {error.strerror}") from None
    if found.st_uid != os.getuid():
        raise OSError(f"{path} is not owned by instance owner: {os.strerror(errno.EPERM)}")
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(f"{path}: {os.strerror(errno.ENOTDIR)}")
    if found.st_mode & stat.S_IRWXU != stat.S_IRWXU:
        raise OSError(f"{path} does not have owner=rwx permissions")
    length = len(os.fsencode(path))
    if length > _LENGTH_MAX:
        raise OSError(
            f"length of {length} bytes exceeds max {_LENGTH_MAX}"
            " to allow for AF_UNIX socket creation."
        )


def _try(act: object, path: str) -> None:
    try:
        act(path)  # type: ignore[operator]
    except OSError:
        return
