"""RUNDIR/start, the socket that FLUX_START_URI names.

It marks the rundir as ours. Who connects before the start service is there waits for it.
"""

from __future__ import annotations

import errno
import os
import socket
import stat

from fluxstart_tui.engine import rundir
from fluxstart_tui.engine.errors import LaunchError, reason

_BACKLOG = 64


class StartSocket:
    """The listening socket.

    Args:
        path: where to bind it; the socket of an instance that has died there is replaced.

    Raises:
        LaunchError: another instance lives in that rundir, or the socket can not be made.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            try:
                self.listener.bind(path)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or not _abandoned(path):
                    raise
                os.unlink(path)
                self.listener.bind(path)
            self.listener.listen(_BACKLOG)
            self.claim = rundir.claim(path)
        except OSError as error:
            self.listener.close()
            raise LaunchError(f"could not create start service: {path}: {reason(error)}") from error

    def close(self) -> None:
        """Remove the socket."""
        self.listener.close()
        try:
            os.unlink(self._path)
        except OSError:
            pass


def _abandoned(path: str) -> bool:
    """Tell whether a path is a socket that nobody listens on any more."""
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        return probe.connect_ex(path) == errno.ECONNREFUSED
