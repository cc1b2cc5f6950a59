"""Ask a broker one question over its local:// socket, on a reactor, without ever waiting."""

from __future__ import annotations

import json
import os
import socket

from fluxstart_tui.rfc import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fluxstart_tui.reactor import Reactor


class Query:
    """One request and its answer.

    Args:
        reactor: the loop to run on.
        path: the socket's path, such as RUNDIR/local-0.
        topic: the service method to call, without payload.
        timeout: seconds after which there is no answer.
        done: called once, with the answer as an object, or with None where there is none: no
            socket, no permission, an error response, or silence.
    """

    def __init__(
        self,
        reactor: Reactor,
        path: str,
        topic: str,
        timeout: float,
        done: Callable[[dict[str, Any] | None], None],
    ) -> None:
        self._reactor = reactor
        self._request = message.encode_framed(message.request(topic, matchtag=1))
        self._decoder = message.Decoder()
        self._accepted = False
        self._done = done
        self._timer = reactor.call_later(timeout, self._fail)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.connect(path)
        except OSError:
            # Not from here: the caller does not hold this object yet.
            self._timer.cancel()
            self._timer = reactor.call_later(0, self._fail)
            return
        reactor.add_reader(self._socket.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            data = os.read(self._socket.fileno(), 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data and not self._accepted:
            # The server speaks first: a zero byte, or the errno that refuses us.
            self._accepted, data = data[:1] == b"\0", data[1:]
            if self._accepted:
                try:
                    self._socket.send(self._request)
                except OSError:
                    self._accepted = False
            if self._accepted and not data:
                return
        if not data:
            self._fail()
            return
        try:
            answers = self._decoder.feed(data)
            if answers:
                self._finish(_content(answers[0]))
        except (ValueError, RecursionError):
            self._fail()

    def _fail(self) -> None:
        self._finish(None)

    def _finish(self, answer: dict[str, Any] | None) -> None:
        self._timer.cancel()
        self._reactor.remove_reader(self._socket.fileno())
        self._socket.close()
        self._done(answer)


def _content(response: message.Message) -> dict[str, Any] | None:
    if response.errnum or response.text is None:
        return None
    content = json.loads(response.text)
    return content if isinstance(content, dict) else None
