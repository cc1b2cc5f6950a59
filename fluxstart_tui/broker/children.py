"""The brokers below this one in the tree (flux-core: modules/overlay/children.c, overlay.c).

A child connects and says hello with the key on its business card. Its card is known from the
bootstrap before it can connect, so strangers are refused. After that both send each other Flux
messages until the child says goodbye.
"""

from __future__ import annotations

import errno
import os
from _socket import socket

from fluxstart_tui.broker import endpoints
from fluxstart_tui.broker.connection import Connection
from fluxstart_tui.broker.services import Request, ServiceError
from fluxstart_tui.rfc import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fluxstart_tui.broker.boot import Card
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.services import Services
    from fluxstart_tui.broker.topology import Topology
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rfc.message import Message

CONTROL_DISCONNECT = 2
"""Control type by which a parent sends a child away."""


class _Child:
    """A connection from below; rank None until it has said hello, and once it is known to be gone.

    A child that vanishes is missed when there is something to tell it and no sooner, as with
    flux-broker, whose ZeroMQ sockets do not tell of lost peers.
    """

    def __init__(self, on_missed: Callable[[_Child], None]) -> None:
        self._on_missed = on_missed
        self.rank: int | None = None
        self.connection: Connection

    @property
    def open(self) -> bool:
        """Whether we think that there is somebody to send to."""
        return self.connection.open or self.rank is not None

    def send(self, sent: Message) -> None:
        """Send a message, or find that the child is gone."""
        if self.connection.open:
            self.connection.send(sent)
        elif self.rank is not None:
            self._on_missed(self)


class Children:
    """Links to the brokers below.

    Args:
        reactor: drives the sockets.
        log: takes messages in the name of `overlay`, and records that come from below.
        services: answers what children ask for.
        topology: who is whose child.
        rank: this broker's rank.
        uuid: identifies this broker while it runs.
        cards: business cards by rank, those of the children at least.
    """

    def __init__(
        self,
        reactor: Reactor,
        log: Log,
        services: Services,
        topology: Topology,
        rank: int,
        uuid: str,
        cards: Mapping[int, Card],
    ) -> None:
        self._reactor = reactor
        self._log = log
        self._services = services
        self._topology = topology
        self._rank = rank
        self._uuid = uuid
        self._cards = cards
        self._listeners: list[socket] = []
        self._paths: list[str] = []
        self._online: dict[int, _Child] = {}
        self.spurning = False
        """Whether children that say hello are sent away: the instance is going down."""
        self.on_gone: Callable[[int], None] = lambda _: None
        """Called with the rank of a child that was online and is no more."""

    @property
    def online(self) -> list[int]:
        """Ranks of the children that are connected."""
        return sorted(self._online)

    def listen(self, uri: str) -> str:
        """Take connections at a URI; return it as it goes onto the business card.

        Raises:
            BuiltinsError: the socket cannot be made.
        """
        path = uri.removeprefix(endpoints.IPC)
        if path != uri:
            remove(path)
            self._paths.append(path)
        listener, uri = endpoints.listen(uri, len(self._topology.children(self._rank)))
        self._listeners.append(listener)
        self._reactor.add_reader(listener.fileno(), lambda: self._accept(listener))
        self._log.debug(f"listening on {uri}", "overlay")
        return uri

    def close(self) -> None:
        """End all conversations and remove the socket; children still there are not told."""
        for child in self._online.values():
            child.connection.close()
        self._online.clear()
        for listener in self._listeners:
            self._reactor.remove_reader(listener.fileno())
            listener.close()
        for path in self._paths:
            remove(path)

    def _accept(self, listener: socket) -> None:
        try:
            fd, _ = listener._accept()  # type: ignore[attr-defined] # all _socket has
        except OSError:
            return
        child = _Child(self._miss)
        child.connection = Connection(
            self._reactor,
            socket(fileno=fd),
            lambda arrived: self._receive(child, arrived),
            lambda: None,
        )

    def _receive(self, child: _Child, arrived: Message) -> None:
        if arrived.type != message.REQUEST:
            return
        request = Request(arrived, child)
        if child.rank is None:
            if self.spurning or arrived.topic != "overlay.hello":
                _send_away(child.connection)
                return
            try:
                self._hello(child, request)
            except ServiceError as error:
                request.fail(error.errnum, error.text)
        elif arrived.topic == "overlay.goodbye":
            request.respond()
            self._drop(child)
        elif arrived.topic == "log.append":
            self._log.receive(arrived.payload or b"")
        else:
            self._services.dispatch(request)

    def _hello(self, child: _Child, request: Request) -> None:
        fields = request.unpack()
        rank, host = fields.get("rank"), fields.get("hostname")
        if not isinstance(rank, int) or not isinstance(host, str):
            raise ServiceError(errno.EPROTO)
        if rank not in self._cards or self._topology.parent(rank) != self._rank:
            text = f"rank {rank} is not a child of rank {self._rank}: mismatched config?"
            self._log.err(f"rejecting connection from {host} (rank {rank}): {text}", "overlay")
            raise ServiceError(errno.EINVAL, text)
        if fields.get("pubkey") != self._cards[rank].pubkey:
            self._log.err(f"rejecting connection from {host} (rank {rank}): wrong key", "overlay")
            raise ServiceError(errno.EPERM)
        former = self._online.get(rank)
        if former is not None:
            self._log.err(
                f"{host} (rank {rank}) reconnected after crash, dropping old connection state",
                "overlay",
            )
            former.connection.close()
            self._drop(former)
        child.rank = rank
        self._online[rank] = child
        self._log.debug(f"accepting connection from {host} (rank {rank})", "overlay")
        request.respond({"uuid": self._uuid})

    def _miss(self, child: _Child) -> None:
        rank = child.rank
        assert rank is not None
        others = len(self._topology.subtree(rank)) - 1
        severed = f" and severed contact with {others} other nodes" if others else ""
        self._log.err(f"{self._cards[rank].host} (rank {rank}) failed{severed}", "overlay")
        self._drop(child)

    def _drop(self, child: _Child) -> None:
        # What it still sends on its way out is from a stranger.
        rank, child.rank = child.rank, None
        assert rank is not None
        del self._online[rank]
        self.on_gone(rank)


def remove(path: str) -> None:
    """Remove a socket if it is there."""
    try:
        os.unlink(path)
    except OSError:
        return


def _send_away(connection: Connection) -> None:
    connection.send(message.control(CONTROL_DISCONNECT, 0))
    connection.close()
