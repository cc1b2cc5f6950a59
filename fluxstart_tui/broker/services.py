"""Requests and who answers them: a table of topics (flux-core: flux_msg_handler_addvec(3))."""

from __future__ import annotations

import errno
import os

from fluxstart_tui.broker import compactjson
from fluxstart_tui.rfc import message
from fluxstart_tui.rfc.message import Message, MessageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    Handler = Callable[["Request"], None]

    class Origin(Protocol):
        """Whoever sends requests."""

        @property
        def open(self) -> bool:
            """Whether there is a way back."""

        def send(self, sent: Message, /) -> None:
            """Send a response."""


class ServiceError(Exception):
    """Why a request fails, as its sender is told."""

    def __init__(self, errnum: int, text: str | None = None) -> None:
        super().__init__(text or os.strerror(errnum))
        self.errnum = errnum
        self.text = text


class Request:
    """A request that arrived, and the way back to its sender."""

    __slots__ = ("_origin", "message")

    def __init__(self, arrived: Message, origin: Origin) -> None:
        self.message = arrived
        self._origin = origin

    @property
    def live(self) -> bool:
        """Whether there still is somebody to answer."""
        return self._origin.open

    @property
    def streaming(self) -> bool:
        """Whether more than one response is wanted."""
        return bool(self.message.flags & message.STREAMING)

    def unpack(self) -> dict[str, object]:
        """Return the payload, a JSON object; an empty one if there is no payload.

        Raises:
            ServiceError: the payload is something else.
        """
        return unpack(self.message)

    def respond(self, payload: object = None) -> None:
        """Answer with a JSON payload, or with none."""
        data = None if payload is None else message.text_payload(compactjson.dumps(payload))
        self._send(data, 0)

    def fail(self, errnum: int, text: str | None = None) -> None:
        """Answer with an errno, and with a text that says more."""
        self._send(None if text is None else message.text_payload(text), errnum)

    def _send(self, payload: bytes | None, errnum: int) -> None:
        if not self.message.flags & message.NORESPONSE:
            self._origin.send(
                message.response(
                    self.message,
                    payload,
                    errnum=errnum,
                    userid=os.getuid(),
                    rolemask=message.ROLE_OWNER | message.ROLE_LOCAL,
                )
            )


class Services:
    """Who answers what."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def add(self, topic: str, handler: Handler) -> None:
        """Have requests of `topic` answered by `handler`, which may raise ServiceError."""
        self._handlers[topic] = handler

    def dispatch(self, request: Request) -> None:
        """Have a request answered."""
        topic = request.message.topic or ""
        handler = self._handlers.get(topic)
        if handler is None:
            request.fail(errno.ENOSYS, f"No service matching {topic} is registered")
            return
        try:
            handler(request)
        except ServiceError as error:
            request.fail(error.errnum, error.text)


def unpack(arrived: Message) -> dict[str, object]:
    """Return a message's payload, a JSON object; an empty one if there is no payload.

    Raises:
        ServiceError: the payload is something else.
    """
    try:
        text = arrived.text
        value = {} if text is None else compactjson.loads(text)
    except (MessageError, ValueError):
        raise ServiceError(errno.EPROTO) from None
    if not isinstance(value, dict):
        raise ServiceError(errno.EPROTO)
    return value
