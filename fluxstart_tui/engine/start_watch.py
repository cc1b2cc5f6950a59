"""start.watch: tell views how far the session that they read has grown."""

from __future__ import annotations

import errno

from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.engine.start_control import Position
    from fluxstart_tui.reactor import Reactor, Timer
    from fluxstart_tui.rpc.server import Client
    from fluxstart_tui.rpc.services import Request

_PAUSE = 0.005
"""Seconds between two answers at least: a view needs no more than it can paint."""


class Watchers:
    """Who wants to know.

    Args:
        reactor: the engine's loop.
        position: tells how far the session can be read, None if nothing is recorded.
    """

    def __init__(self, reactor: Reactor, position: Callable[[], Position | None]) -> None:
        self._reactor = reactor
        self._position = position
        self._watchers: dict[Client, dict[Request, Position]] = {}
        self._pause: Timer | None = None
        self._grown = False

    def add(self, request: Request, client: Client) -> None:
        """Answer a request now and whenever the session has grown.

        Raises:
            RpcError: the request is for one answer only, or there is no session.
        """
        if not request.streaming:
            raise RpcError(errno.EPROTO, "start.watch is a streaming RPC")
        position = self._position()
        if position is None:
            raise RpcError(errno.ENOTSUP, "nothing is recorded")
        request.respond(position._asdict())
        self._watchers.setdefault(client, {})[request] = position
        client.on_drained = lambda: self._inform(client)

    def remove(self, client: Client, matchtag: int | None = None) -> None:
        """End a client's stream; all of them, unanswered, if it is gone."""
        if matchtag is None:
            self._watchers.pop(client, None)
            return
        requests = self._watchers.get(client, {})
        for request in [one for one in requests if one.message.matchtag == matchtag]:
            del requests[request]
            request.end()

    def grew(self) -> bool:
        """Take note that the session has grown; tell whether anybody wants to know."""
        if not self._watchers:
            return False
        if self._pause is not None:
            self._grown = True
            return True
        self._pause = self._reactor.call_later(_PAUSE, self._resume)
        for client in list(self._watchers):
            self._inform(client)
        return True

    def close(self) -> None:
        """Say how far it has come at last, and end all streams."""
        if self._pause is not None:
            self._pause.cancel()
        for client, requests in self._watchers.items():
            self._inform(client)
            for request in requests:
                request.end()
        self._watchers.clear()

    def _resume(self) -> None:
        self._pause = None
        if self._grown:
            self._grown = False
            self.grew()

    def _inform(self, client: Client) -> None:
        """Tell one client, unless it does not read: then once it does."""
        position = self._position()
        if position is None or client.backlog:
            return
        requests = self._watchers.get(client, {})
        for request, former in requests.items():
            if former != position:
                requests[request] = position
                request.respond(position._asdict())
