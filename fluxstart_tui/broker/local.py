"""RUNDIR/local-R, where this host's programs talk to the broker (flux-core: connector-local)."""

from __future__ import annotations

import errno
import os
import struct
from _socket import AF_UNIX, SO_PEERCRED, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET, socket

from fluxstart_tui.broker.children import remove
from fluxstart_tui.broker.connection import Connection
from fluxstart_tui.broker.errors import BuiltinsError
from fluxstart_tui.broker.services import Request
from fluxstart_tui.rfc import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.broker.services import Services
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rfc.message import Message

_BACKLOG = 5
_CREDENTIALS = struct.Struct("iII")


class LocalServer:
    """Takes connections of the instance's owner and has their requests answered.

    Args:
        reactor: drives the sockets.
        services: answers requests.
        path: where the socket is to be; protected by the directory it is in.

    Raises:
        BuiltinsError: the socket cannot be made.
    """

    def __init__(self, reactor: Reactor, services: Services, path: str) -> None:
        self._reactor = reactor
        self._services = services
        self._path = path
        self._clients: set[Connection] = set()
        self._listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
        try:
            # one may be left behind by a broker of this rank that was killed
            remove(path)
            self._listener.bind(path)
            os.chmod(path, 0o777)  # noqa: S103 - as flux-core: the directory is private
            self._listener.listen(_BACKLOG)
        except OSError as error:
            self._listener.close()
            reason = error.strerror or str(error)
            raise BuiltinsError(f"{path}: {reason}", app="connector-local") from None
        self._listener.setblocking(False)
        reactor.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Drop all clients and remove the socket."""
        self._reactor.remove_reader(self._listener.fileno())
        self._listener.close()
        for client in self._clients:
            client.close()
        remove(self._path)

    def _accept(self) -> None:
        try:
            fd, _ = self._listener._accept()  # type: ignore[attr-defined] # all _socket has
        except OSError:
            return
        sock = socket(fileno=fd)
        credentials = sock.getsockopt(SOL_SOCKET, SO_PEERCRED, _CREDENTIALS.size)
        _, uid, _ = _CREDENTIALS.unpack(credentials)
        client = Connection(
            self._reactor,
            sock,
            lambda arrived: self._receive(client, arrived),
            lambda: self._clients.discard(client),
        )
        if uid != os.getuid():
            client.write(bytes((errno.EPERM,)))
            client.close()
            return
        client.write(b"\0")
        self._clients.add(client)

    def _receive(self, client: Connection, arrived: Message) -> None:
        if arrived.type != message.REQUEST:
            return
        if arrived.routes is None:
            # Responses to clients always have routing enabled, the stack popped empty.
            arrived.routes = []
        self._services.dispatch(Request(arrived, client))
