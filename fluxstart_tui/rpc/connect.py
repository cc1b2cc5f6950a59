"""How a client finds a local:// socket and how often it tries (flux-core: connector_local.c)."""

from __future__ import annotations

import errno
import os

from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEME = "local://"

_RETRIES = 5
_DELAY_MIN = 0.016
_DELAY_MAX = 2.0
_VARIABLE = "FLUX_LOCAL_CONNECTOR_RETRY_COUNT"
_PATH_MAX = 107
"""Longest path of a socket in bytes (unix(7))."""


def path_of(uri: str) -> str:
    """Return the path of a socket, given as such or as a local:// URI."""
    return uri.removeprefix(SCHEME)


def checked(path: str) -> str:
    """Return a path that a socket can have.

    Raises:
        RpcError: no socket can have it.
    """
    if "\0" in path or not 0 < len(os.fsencode(path)) <= _PATH_MAX:
        raise RpcError(errno.EINVAL, f"{path!r} can not be the path of a socket")
    return path


def delays(retries: int | None = None) -> Iterator[float]:
    """Yield the seconds to wait before each further attempt to connect.

    Args:
        retries: how many there are; None for what the environment says, 5 by default.
    """
    if retries is None:
        try:
            retries = int(os.environ.get(_VARIABLE, _RETRIES))
        except ValueError:
            retries = _RETRIES
    delay = _DELAY_MIN
    for _ in range(retries):
        yield delay
        delay = min(2 * delay, _DELAY_MAX)
