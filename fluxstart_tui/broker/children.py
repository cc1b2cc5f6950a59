"""The brokers below this one in the tree (flux-core: modules/overlay/children.c, overlay.c).

A child connects and says hello with the key on its business card. Its card is known from the
bootstrap before it can connect, so strangers are refused. After that both send each other Flux
messages until the child says goodbye.
"""

from __future__ import annotations

import errno
from _socket import socket

from fluxstart_tui.broker import endpoints
from fluxstart_tui.broker.child import (
    DEGRADED,
    FULL,
    LOST,
    OFFLINE,
    ONLINE,
    PARTIAL,
    STATUSES,
    Child,
)
from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.connection import Connection
from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.rpc.services import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fluxstart_tui.broker.boot import Card
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.broker.topology import Topology
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rfc.message import Message

CONTROL_HEARTBEAT, CONTROL_STATUS, CONTROL_DISCONNECT = range(3)
"""Control types: a child shows that it is there, or how its subtree is; a parent sends it away."""


class _Peer:
    """A connection from below; child None until it has said hello, and once it is to be gone.

    A child that vanishes is missed when there is something to tell it and no sooner, as with
    flux-broker, whose ZeroMQ sockets do not tell of lost peers.
    """

    def __init__(self) -> None:
        self.child: Child | None = None
        self.connection: Connection


class Children:
    """Links to the brokers below.

    Args:
        reactor: drives the sockets.
        log: takes messages in the name of `overlay`, and records that come from below.
        router: takes what children ask for and answer.
        topology: who is whose child.
        cards: business cards by rank, those of the children at least.
    """

    def __init__(
        self,
        reactor: Reactor,
        log: Log,
        router: Router,
        topology: Topology,
        cards: Mapping[int, Card],
    ) -> None:
        self._reactor = reactor
        self._log = log
        self._router = router
        self._topology = topology
        self._cards = cards
        self._listeners: list[socket] = []
        self._paths: list[str] = []
        now = reactor.now()
        self.all = {rank: Child(rank, now) for rank in topology.children(router.rank)}
        """Who is to be below, by rank."""
        self._online: dict[int, Child] = {}
        self._counts = [0] * len(STATUSES)
        self._counts[OFFLINE] = len(self.all)
        self.status = PARTIAL if self.all else FULL
        """How the subtree is that begins here."""
        self.since = now
        """When that changed."""
        self.spurning = False
        """Whether children that say hello are sent away: the instance is going down."""
        self.on_gone: Callable[[int], None] = lambda _: None
        """Called with the rank of a child that was online and is no more."""
        self.on_status: Callable[[int], None] = lambda _: None
        """Called when the status of our own subtree has changed."""
        self.on_change: Callable[[Child], None] = lambda _: None
        """Called when a child's status has changed."""

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
            endpoints.remove(path)
            self._paths.append(path)
        listener, uri = endpoints.listen(uri, len(self.all))
        self._listeners.append(listener)
        self._reactor.add_reader(listener.fileno(), lambda: self._accept(listener))
        self._log.debug(f"listening on {uri}", "overlay")
        return uri

    def close(self) -> None:
        """End all conversations and remove the socket; children still there are not told."""
        for child in self._online.values():
            if child.connection is not None:
                child.connection.close()
            self._router.lose(child.uuid)
        self._online.clear()
        for listener in self._listeners:
            self._reactor.remove_reader(listener.fileno())
            listener.close()
        for path in self._paths:
            endpoints.remove(path)

    def send(self, rank: int, request: Message) -> int:
        """Send a request down by way of a child; return an errno if that is impossible."""
        child = self.all[rank]
        if not child.online:
            return errno.EHOSTUNREACH
        routes = request.routes
        request.routes = [self._router.uuid, *(routes or ())]
        sent = child.post(request)
        # A failure is answered to whom it came from.
        request.routes = routes
        if not sent:
            self.miss(child)
            return errno.EHOSTUNREACH
        child.pending.sent(request)
        return 0

    def disconnect(self, child: Child) -> None:
        """Send a child away, and all that are below it."""
        child.post(message.control(CONTROL_DISCONNECT, 0))
        self.miss(child, "disconnected by request", "administrative disconnect")

    def miss(self, child: Child, how: str = "failed", why: str = "lost connection") -> None:
        """Take that a child is gone without a goodbye."""
        others = len(self._topology.subtree(child.rank)) - 1
        severed = f" and severed contact with {others} other nodes" if others else ""
        host = self._cards[child.rank].host
        self._router.lose(child.uuid)  # first: it may follow the log
        self._log.err(f"{host} (rank {child.rank}) {how}{severed}", "overlay")
        self._set(child, LOST, why)

    def _accept(self, listener: socket) -> None:
        try:
            fd, _ = listener._accept()  # type: ignore[attr-defined] # all _socket has
        except OSError:
            return
        peer = _Peer()
        peer.connection = Connection(
            self._reactor,
            socket(fileno=fd),
            lambda arrived: self._receive(peer, arrived),
            lambda _: self._hang_up(peer),
        )

    def _hang_up(self, peer: _Peer) -> None:
        child = peer.child
        if child is not None and child.connection is peer.connection and child.pending.awaited:
            self.miss(child)

    def _receive(self, peer: _Peer, arrived: Message) -> None:
        child = peer.child
        if child is None or child.connection is not peer.connection:
            # Somebody who does not introduce himself takes us for a broker that was here before.
            if self.spurning or arrived.topic != "overlay.hello":
                peer.connection.send(message.control(CONTROL_DISCONNECT, 0))
                peer.connection.close()
                return
            request = Request(arrived, peer.connection)
            try:
                self._hello(peer, request)
            except RpcError as error:
                request.fail(error.errnum, error.text)
            return
        child.seen = self._reactor.now()
        if arrived.type == message.REQUEST:
            if arrived.topic == "overlay.goodbye" and not arrived.routes:
                Request(arrived, peer.connection).respond()
                self._set(child, OFFLINE, "administrative shutdown")
            elif arrived.topic == "log.append" and arrived.matchtag == message.MATCHTAG_NONE:
                self._log.receive(arrived.payload or b"")
            else:
                arrived.routes = [child.uuid, *(arrived.routes or ())]
                arrived.rolemask &= ~message.ROLE_LOCAL
                self._router.request(arrived)
        elif arrived.type == message.RESPONSE:
            arrived.routes = (arrived.routes or [])[1:]
            child.pending.answered(arrived)
            self._router.send(arrived)
        elif (arrived.type, arrived.aux1) == (message.CONTROL, CONTROL_STATUS):
            self._set(child, arrived.aux2 if arrived.aux2 in ONLINE else DEGRADED)

    def _hello(self, peer: _Peer, request: Request) -> None:
        fields = request.unpack()
        rank, host, uuid = (fields.get(name) for name in ("rank", "hostname", "uuid"))
        if not isinstance(rank, int) or not isinstance(host, str) or not isinstance(uuid, str):
            raise RpcError(errno.EPROTO)
        child = self.all.get(rank)
        if child is None or rank not in self._cards:
            text = f"rank {rank} is not a child of rank {self._router.rank}: mismatched config?"
            self._log.err(f"rejecting connection from {host} (rank {rank}): {text}", "overlay")
            raise RpcError(errno.EINVAL, text)
        if fields.get("pubkey") != self._cards[rank].pubkey:
            self._log.err(f"rejecting connection from {host} (rank {rank}): wrong key", "overlay")
            raise RpcError(errno.EPERM)
        if child.online:
            self._log.err(
                f"{host} (rank {rank}) reconnected after crash, dropping old connection state",
                "overlay",
            )
            former = child.connection
            self._set(child, LOST)
            if former is not None:
                former.close()
        peer.child = child
        child.connection = peer.connection
        child.uuid = uuid
        self._router.links[uuid] = lambda response: self._respond(child, response)
        self._online[rank] = child
        status = fields.get("status")
        self._set(child, status if status in ONLINE else FULL)
        self._log.debug(
            f"accepting connection from {host} (rank {rank}) status {STATUSES[child.status]}",
            "overlay",
        )
        request.respond({"uuid": self._router.uuid})

    def _respond(self, child: Child, response: Message) -> None:
        response.routes = (response.routes or [])[1:]
        if not child.post(response):
            self.miss(child)

    def _set(self, child: Child, status: int, why: str = "") -> None:
        child.error = why
        if status == child.status:
            return
        gone = child.online and status not in ONLINE
        self._counts[child.status] -= 1
        self._counts[status] += 1
        child.status, child.since = status, self._reactor.now()
        if gone:
            # What it still sends on its way out is from a stranger.
            child.connection = None
            del self._online[child.rank]
            self._router.lose(child.uuid)
            for request in child.pending.purge():
                Request(request, self._router).fail(errno.EHOSTUNREACH)
        counts = self._counts
        whole = FULL
        if counts[DEGRADED] or counts[LOST]:
            whole = DEGRADED
        elif counts[PARTIAL] or counts[OFFLINE]:
            whole = PARTIAL
        if whole != self.status:
            self.status, self.since = whole, child.since
            self.on_status(whole)
        self.on_change(child)
        if gone:
            self.on_gone(child.rank)
