"""RUNDIR/start, the socket that FLUX_START_URI names.

It marks the rundir as ours. There is no service behind it yet: whoever connects is refused with
ENOSYS, in the local connector's own way (flux-core: librouter/usock.c).
"""

from __future__ import annotations

import errno
import os
import socket
import stat

from fluxstart_tui.engine import rundir
from fluxstart_tui.engine.errors import LaunchError, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.reactor import Reactor


class StartSocket:
    """The listening socket.

    Args:
        reactor: the engine's loop.
        path: where to bind it; the socket of an instance that has died there is replaced.

    Raises:
        LaunchError: another instance lives in that rundir, or the socket can not be made.
    """

    def __init__(self, reactor: Reactor, path: str) -> None:
        self._reactor = reactor
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            try:
                self._listener.bind(path)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or not _abandoned(path):
                    raise
                os.unlink(path)
                self._listener.bind(path)
            self._listener.listen(16)
            self.claim = rundir.claim(path)
        except OSError as error:
            self._listener.close()
            raise LaunchError(f"could not create start service: {path}: {reason(error)}") from error
        reactor.add_reader(self._listener.fileno(), self._refuse)

    def _refuse(self) -> None:
        try:
            client, _ = self._listener.accept()
            with client:
                client.send(bytes([errno.ENOSYS]))
        except OSError:
            pass

    def close(self) -> None:
        """Remove the socket."""
        self._reactor.remove_reader(self._listener.fileno())
        self._listener.close()
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
