"""A socket on which programs of this host call services (flux-core: librouter/usock.c)."""

from __future__ import annotations

import errno
import os
import resource
import struct
from _socket import AF_UNIX, SO_PEERCRED, SOCK_STREAM, SOL_SOCKET, socket

from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.connection import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.reactor import Reactor, Timer
    from fluxstart_tui.rfc.message import Message
    from fluxstart_tui.rpc.services import Services

BACKLOG_MAX = 16 << 20
"""Unsent bytes beyond which a client that does not read is dropped."""

_CREDENTIALS = struct.Struct("iII")
_PAUSE = 0.1
"""Seconds until the next try to accept when there was no descriptor for it."""

_RESERVE = 16
"""Descriptors that clients leave to us."""


class Client(Connection):
    """A client that was let in.

    Args:
        reactor: drives the socket.
        sock: the connected socket.
        on_message: called with each message.
        on_close: called when it is gone.
        pid: the process that connected, as the kernel knows it.
        size_max: longest message taken.
    """

    def __init__(
        self,
        reactor: Reactor,
        sock: socket,
        on_message: Callable[[Client, Message], None],
        on_close: Callable[[Client, int], None],
        pid: int,
        size_max: int,
    ) -> None:
        super().__init__(
            reactor,
            sock,
            lambda arrived: on_message(self, arrived),
            lambda errnum: on_close(self, errnum),
            backlog_max=BACKLOG_MAX,
            size_max=size_max,
        )
        self.pid = pid
        self.uuid = _uuid()


class Server:
    """Lets in clients of our own user and has their requests answered.

    Args:
        reactor: drives the sockets.
        listener: a listening socket; its owner closes it, after the server.
        services: answers requests.
        joined: told of each client that was let in, before it knows.
        left: told of each client that is gone, and why as an errno; not at `close`.
        dropped: told of each message that is no request and of its sender.
        size_max: longest message taken.
    """

    def __init__(
        self,
        reactor: Reactor,
        listener: socket,
        services: Services,
        *,
        joined: Callable[[Client], None] | None = None,
        left: Callable[[Client, int], None] | None = None,
        dropped: Callable[[Client, Message], None] | None = None,
        size_max: int = message.SIZE_MAX,
    ) -> None:
        self._reactor = reactor
        self._listener = listener
        self._services = services
        self._joined = joined
        self._left = left
        self._dropped = dropped
        self._size_max = size_max
        self._pause: Timer | None = None
        self.clients: set[Client] = set()
        """Who is connected."""
        listener.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Drop all clients and let no more in."""
        if self._pause is not None:
            self._pause.cancel()
        self._reactor.remove_reader(self._listener.fileno())
        for client in self.clients:
            client.close()
        self.clients.clear()

    def _listen(self) -> None:
        self._reactor.add_reader(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        try:
            fd, _ = self._listener._accept()  # type: ignore[attr-defined] # all _socket has
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                # The client stays in the queue: without a pause the loop would only see to it.
                self._reactor.remove_reader(self._listener.fileno())
                self._pause = self._reactor.call_later(_PAUSE, self._listen)
            return
        sock = socket(AF_UNIX, SOCK_STREAM, 0, fd)  # said, it needs not to be asked for
        try:
            pid, errnum = _judge(sock)
            if errnum:
                sock.setblocking(False)
                sock.send(bytes((errnum,)))
        except OSError:
            errnum = errno.EIO
        if errnum:
            sock.close()
            return
        client = Client(self._reactor, sock, self._receive, self._lost, pid, self._size_max)
        self.clients.add(client)
        if self._joined is not None:
            self._joined(client)
        client.write(b"\0")

    def _receive(self, client: Client, arrived: Message) -> None:
        if arrived.type == message.REQUEST:
            self._services.receive(arrived, client)
        elif self._dropped is not None:
            self._dropped(client, arrived)

    def _lost(self, client: Client, errnum: int) -> None:
        self.clients.discard(client)
        if self._left is not None:
            self._left(client, errnum)


def _judge(sock: socket) -> tuple[int, int]:
    """Return the pid of who connected and the errno to refuse it with, 0 for a client of ours."""
    credentials = sock.getsockopt(SOL_SOCKET, SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(credentials)
    if uid != os.getuid():
        return pid, errno.EPERM
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and sock.fileno() >= soft - _RESERVE:
        return pid, errno.EMFILE
    return pid, 0


def _uuid() -> str:
    """Return a random UUID (RFC 4122, version 4), as clients are named."""
    data = bytearray(os.urandom(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
