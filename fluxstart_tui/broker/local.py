"""RUNDIR/local-R, where this host's programs talk to the broker (flux-core: connector-local)."""

from __future__ import annotations

import errno
import os
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM, socket

from fluxstart_tui.broker.endpoints import remove
from fluxstart_tui.broker.errors import BuiltinsError
from fluxstart_tui.broker.router import new_uuid
from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.rpc.server import Client, Server
from fluxstart_tui.rpc.services import Request, Services

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rfc.message import Message
    from fluxstart_tui.rpc.services import Origin

_BACKLOG = 5
_EARLY = frozenset(("state-machine.wait", "state-machine.get", "attr.get", "log.dmesg"))
"""What is answered before the broker is online (flux-core: modhash.c, allow_early_request)."""

_OFFLINE = "Upstream Flux broker is offline. Try again later."
_ROLES = message.ROLE_OWNER | message.ROLE_LOCAL


class Connector(Services):
    """Takes connections of the instance's owner and passes on what they ask for.

    Args:
        reactor: drives the sockets.
        router: has requests answered.
        path: where the socket is to be; protected by the directory it is in.

    Raises:
        BuiltinsError: the socket cannot be made.
    """

    def __init__(self, reactor: Reactor, router: Router, path: str) -> None:
        super().__init__()
        self._router = router
        self._path = path
        self._uuid = new_uuid()
        self._asked: dict[str, set[tuple[str, int, int]]] = {}
        self.clients: dict[str, Client] = {}
        """Who is connected, by its identity."""
        self.connects = 0
        """How many have been."""
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
        self._server = Server(reactor, self._listener, self, joined=self._join, left=self._leave)
        router.links[self._uuid] = self._deliver
        self._subscribed: dict[str, list[str]] = {}
        """What is subscribed to; events are published by nobody here."""
        self.add("event.subscribe", self._subscribe)
        self.add("event.unsubscribe", self._unsubscribe)

    def close(self) -> None:
        """Drop all clients and remove the socket."""
        self._router.links.pop(self._uuid, None)
        self._server.close()
        self._listener.close()
        remove(self._path)

    def receive(self, arrived: Message, origin: Origin) -> None:
        """Send a client's request on its way."""
        assert isinstance(origin, Client)
        topic = arrived.topic or ""
        if topic in ("event.subscribe", "event.unsubscribe"):
            super().receive(arrived, origin)
            return
        arrived.routes = [self._uuid, origin.uuid, *(arrived.routes or ())]
        if arrived.userid == message.USERID_UNKNOWN:
            arrived.userid = os.getuid()
        if not arrived.rolemask:
            arrived.rolemask = _ROLES
        if not self._router.online and topic not in _EARLY:
            Request(arrived, self._router).fail(errno.EAGAIN, _OFFLINE)
            return
        service = topic.rpartition(".")[0]
        upstream = arrived.flags & message.UPSTREAM
        self._asked[origin.uuid].add((service, arrived.nodeid, upstream))
        self._router.request(arrived)

    def _join(self, client: Client) -> None:
        self.connects += 1
        self.clients[client.uuid] = client
        self._asked[client.uuid] = set()
        self._subscribed[client.uuid] = []

    def _leave(self, client: Client, _errnum: int) -> None:
        """Tell all services that a client has asked that it is gone."""
        del self.clients[client.uuid], self._subscribed[client.uuid]
        for service, nodeid, upstream in self._asked.pop(client.uuid):
            told = message.request(
                f"{service}.disconnect", nodeid=nodeid, flags=message.NORESPONSE | upstream
            )
            told.routes = [self._uuid, client.uuid]
            told.userid, told.rolemask = os.getuid(), _ROLES
            self._router.request(told)

    def _deliver(self, response: Message) -> None:
        routes = response.routes or []
        client = self.clients.get(routes[1]) if len(routes) > 1 else None
        if client is not None:
            # Responses to clients always have routing enabled, the stack popped empty.
            response.routes = routes[2:]
            client.send(response)

    def _subscribe(self, request: Request) -> None:
        self._topics(request).append(_topic(request))
        request.respond()

    def _unsubscribe(self, request: Request) -> None:
        try:
            self._topics(request).remove(_topic(request))
        except ValueError:
            raise RpcError(errno.ENOENT) from None
        request.respond()

    def _topics(self, request: Request) -> list[str]:
        assert isinstance(request.origin, Client)
        return self._subscribed[request.origin.uuid]


def _topic(request: Request) -> str:
    topic = request.unpack().get("topic")
    if not isinstance(topic, str):
        raise RpcError(errno.EPROTO)
    return topic
