"""Requests and who answers them: a table of topics (flux-core: flux_msg_handler_addvec(3))."""

from __future__ import annotations

import errno
import os

from fluxstart_tui import compactjson
from fluxstart_tui.rfc import message
from fluxstart_tui.rfc.message import Message, MessageError
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    Handler = Callable[["Request"], None]

    class Origin(Protocol):
        """Whoever sends requests."""

        @property
        def open(self) -> bool:
            """Whether there is a way back."""

        def send(self, sent: Message, /) -> None:
            """Send a response."""


_ROLES = message.ROLE_OWNER | message.ROLE_LOCAL
"""Roles of whoever may connect to a local socket as its owner (RFC 3)."""


class Request:
    """A request that arrived, and the way back to its sender.

    Args:
        arrived: the request.
        origin: takes responses.
        rolemask: roles that responses carry.
    """

    __slots__ = ("_rolemask", "message", "origin")

    def __init__(self, arrived: Message, origin: Origin, rolemask: int = _ROLES) -> None:
        self.message = arrived
        self.origin = origin
        self._rolemask = rolemask

    @property
    def live(self) -> bool:
        """Whether there still is somebody to answer."""
        return self.origin.open

    @property
    def streaming(self) -> bool:
        """Whether more than one response is wanted."""
        return bool(self.message.flags & message.STREAMING)

    def unpack(self) -> dict[str, Any]:
        """Return the payload, a JSON object; an empty one if there is no payload.

        Raises:
            RpcError: the payload is something else.
        """
        return unpack(self.message)

    def respond(self, payload: object = None) -> None:
        """Answer with a JSON payload, or with none."""
        self._send(None if payload is None else compactjson.dumps(payload), 0)

    def fail(self, errnum: int, text: str | None = None) -> None:
        """Answer with an errno, and with a text that says more."""
        self._send(text, errnum)

    def end(self) -> None:
        """End a stream of responses (RFC 6)."""
        self.fail(errno.ENODATA)

    def _send(self, text: str | None, errnum: int) -> None:
        payload = None
        if text is not None:
            # Names of files and words of clients may hold what UTF-8 can not; JSON escapes it so.
            payload = text.encode(errors="backslashreplace") + b"\0"
        if not self.message.flags & message.NORESPONSE:
            self.origin.send(
                message.response(
                    self.message,
                    payload,
                    errnum=errnum,
                    userid=os.getuid(),
                    rolemask=self._rolemask,
                )
            )


class Services:
    """Who answers what.

    Args:
        unknown: what a request is told that nobody answers; `{}` is its topic.
        rolemask: roles that responses carry.
    """

    def __init__(
        self,
        unknown: str = "No service matching {} is registered",
        rolemask: int = _ROLES,
    ) -> None:
        self._unknown = unknown
        self._rolemask = rolemask
        self._handlers: dict[str, Handler] = {}

    @property
    def topics(self) -> list[str]:
        """What is answered."""
        return sorted(self._handlers)

    def add(self, topic: str, handler: Handler) -> None:
        """Have requests of `topic` answered by `handler`, which may raise RpcError."""
        self._handlers[topic] = handler

    def receive(self, arrived: Message, origin: Origin) -> None:
        """Have a request answered that has just arrived."""
        if arrived.routes is None:
            # Responses to clients always have routing enabled, the stack popped empty.
            arrived.routes = []
        self.dispatch(Request(arrived, origin, self._rolemask))

    def dispatch(self, request: Request) -> None:
        """Have a request answered."""
        topic = request.message.topic or ""
        handler = self._handlers.get(topic)
        if handler is None:
            request.fail(errno.ENOSYS, self._unknown.format(topic))
            return
        try:
            handler(request)
        except RpcError as error:
            request.fail(error.errnum, error.text)


def unpack(arrived: Message) -> dict[str, Any]:
    """Return a message's payload, a JSON object; an empty one if there is no payload.

    Raises:
        RpcError: the payload is something else.
    """
    try:
        text = arrived.text
        value = {} if text is None else compactjson.loads(text)
    except (MessageError, ValueError):
        raise RpcError(errno.EPROTO) from None
    if not isinstance(value, dict):
        raise RpcError(errno.EPROTO)
    return value
