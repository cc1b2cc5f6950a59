"""Call services over a local:// socket, on a reactor, without ever waiting."""

from __future__ import annotations

import errno
import math
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, socket

from fluxstart_tui.rfc import message
from fluxstart_tui.rpc import connect
from fluxstart_tui.rpc.connection import Stream
from fluxstart_tui.rpc.conversation import Conversation
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from fluxstart_tui.reactor import Reactor, Timer
    from fluxstart_tui.rpc.conversation import Answer, Sink

_BACKLOG_MAX = 16 << 20


class Call:
    """A call or a stream that is under way."""

    def __init__(self, done: Sink) -> None:
        self._done: Sink | None = done
        self.tag = 0
        self.timer: Timer | None = None
        """Gives up when there is no answer in time."""

    def answer(self, answer: Answer) -> None:
        """Pass an answer on."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self._done is not None:
            self._done(answer)

    def cancel(self) -> None:
        """Want no (more) answer: the callback is not called again."""
        self._done = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Client:
    """A connection to one server.

    It connects at once, and again as the local connector does; calls may be made meanwhile.
    Callbacks come from the loop, never from within a method. Once the server is gone, the client
    is of no use: every call is answered with the error.

    Args:
        reactor: the loop to run on.
        path: the socket's path, such as RUNDIR/local-0, or a local:// URI.
        retries: how often to try to connect again; None for the environment's or Flux's number.
        on_close: told why when the server is gone, was not found or has refused us; after the
            callbacks of what was under way.
        backlog_max: unsent bytes beyond which a server that does not read is given up.
    """

    def __init__(
        self,
        reactor: Reactor,
        path: str,
        *,
        retries: int | None = None,
        on_close: Callable[[RpcError], None] | None = None,
        backlog_max: float = _BACKLOG_MAX,
    ) -> None:
        self._reactor = reactor
        self._path = connect.path_of(path)
        self._delays = connect.delays(retries)
        self._on_close = on_close
        self._backlog_max = backlog_max
        self._stream: Stream | None = None
        self._conversation = Conversation(self._write)
        self._error: RpcError | None = None
        self._closed = False
        self._retry: Timer | None = None
        self._connect()

    @property
    def open(self) -> bool:
        """Whether calls have a chance still."""
        return self._error is None and not self._closed

    def call(
        self,
        topic: str,
        payload: Mapping[str, Any] | None,
        done: Sink,
        *,
        nodeid: int = message.NODEID_ANY,
        timeout: float = math.inf,
    ) -> Call:
        """Call a method.

        Args:
            topic: its name.
            payload: its parameters; None for no payload.
            done: called once with the answer's object, {} if it has none, or with an RpcError: the
                service's, or ETIMEDOUT, EPROTO, ECONNRESET, or why we could not connect.
            nodeid: the rank that is asked.
            timeout: seconds after which there is no answer.
        """
        return self._request(topic, payload, done, nodeid, timeout, streaming=False)

    def stream(
        self,
        topic: str,
        payload: Mapping[str, Any] | None,
        each: Sink,
        *,
        nodeid: int = message.NODEID_ANY,
        timeout: float = math.inf,
    ) -> Call:
        """Call a method that answers until it, or somebody, ends that.

        Args:
            topic: its name.
            payload: its parameters; None for no payload.
            each: called with every answer's object and last with an RpcError, errnum ENODATA if
                the stream has just ended.
            nodeid: the rank that is asked.
            timeout: seconds after which the first answer is not expected any more.
        """
        return self._request(topic, payload, each, nodeid, timeout, streaming=True)

    def cancel(self, call: Call, topic: str | None = None) -> None:
        """Want no more answers.

        Args:
            call: the call or stream.
            topic: the method that tells the service so, if it has one, such as `log.cancel`.
        """
        call.cancel()
        if self._conversation.forget(call.tag) and topic is not None:
            self._conversation.notify(topic, {"matchtag": call.tag})

    def close(self) -> None:
        """Hang up; no callback is called any more."""
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()
        if self._stream is not None:
            self._stream.close()
        self._conversation.drop()

    def _request(
        self,
        topic: str,
        payload: Mapping[str, Any] | None,
        sink: Sink,
        nodeid: int,
        timeout: float,
        *,
        streaming: bool,
    ) -> Call:
        call = Call(sink)
        error = self._error
        if error is not None:
            call.timer = self._reactor.call_later(0, lambda: self._refuse(call, error))
        elif not self._closed:
            call.tag = self._conversation.request(
                topic, payload, call.answer, nodeid=nodeid, streaming=streaming
            )
            if timeout < math.inf:
                call.timer = self._reactor.call_later(timeout, lambda: self._time_out(call))
        return call

    def _refuse(self, call: Call, error: RpcError) -> None:
        if not self._closed:
            call.answer(error)

    def _time_out(self, call: Call) -> None:
        if self._conversation.forget(call.tag):
            call.answer(RpcError(errno.ETIMEDOUT))

    def _connect(self) -> None:
        self._retry = None
        sock = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
        try:
            sock.connect(connect.checked(self._path))
        except (OSError, RpcError) as error:
            sock.close()
            self._again(error)
            return
        self._stream = Stream(self._reactor, sock, self._feed, self._lost, self._backlog_max)

    def _again(self, error: OSError | RpcError) -> None:
        delay = None if isinstance(error, RpcError) else next(self._delays, None)
        if delay is not None:
            self._retry = self._reactor.call_later(delay, self._connect)
            return
        final = error if isinstance(error, RpcError) else RpcError(error.errno or errno.EIO)
        # Not from here: the caller may not hold this object yet.
        self._retry = self._reactor.call_later(0, lambda: self._end(final))

    def _write(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.write(data)

    def _feed(self, data: bytes) -> None:
        try:
            self._conversation.feed(data)
        except RpcError as error:
            if self._stream is not None:
                self._stream.close()
            self._end(error)

    def _lost(self, errnum: int) -> None:
        self._end(RpcError(errnum))

    def _end(self, error: RpcError) -> None:
        if self.open:
            self._error = error
            self._conversation.fail(error)
            if self._on_close is not None and not self._closed:
                self._on_close(error)
