"""Call services over a local:// socket and wait for the answer: for commands, not for loops."""

from __future__ import annotations

import errno
import time
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM, socket

from fluxstart_tui.rfc.message import NODEID_ANY, MessageError
from fluxstart_tui.rpc import connect
from fluxstart_tui.rpc.conversation import Conversation
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from fluxstart_tui.rpc.conversation import Answer

_READ_SIZE = 65536


class Client:
    """A connection to one server, which is made at once.

    Args:
        path: the socket's path or a local:// URI.
        timeout: seconds to wait for the server to let us in and to take requests; None for ever.
        retries: how often to try to connect again; None for the environment's or Flux's number.

    Raises:
        RpcError: there is nobody, we are refused, or nothing happens in time.
    """

    def __init__(
        self, path: str, *, timeout: float | None = None, retries: int | None = None
    ) -> None:
        self._timeout = timeout
        self._sock = _connected(connect.path_of(path), timeout, connect.delays(retries))
        self._conversation = Conversation(self._write)
        try:
            while not self._conversation.accepted:
                self._step(timeout)
        except RpcError:
            self._sock.close()
            raise

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def call(
        self,
        topic: str,
        payload: Mapping[str, Any] | None = None,
        *,
        nodeid: int = NODEID_ANY,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Call a method and return the answer's object, {} if it has none.

        Raises:
            RpcError: the service's, or ETIMEDOUT, EPROTO, ECONNRESET.
        """
        answers: list[Answer] = []
        self._conversation.request(topic, payload, answers.append, nodeid=nodeid)
        self._step_until(answers, timeout)
        if isinstance(answers[0], RpcError):
            raise answers[0]
        return answers[0]

    def stream(
        self,
        topic: str,
        payload: Mapping[str, Any] | None = None,
        *,
        nodeid: int = NODEID_ANY,
        timeout: float | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Call a streaming method and yield its answers until it ends; `timeout` is for each.

        Raises:
            RpcError: as of `call`.
        """
        answers: list[Answer] = []
        self._conversation.request(topic, payload, answers.append, nodeid=nodeid, streaming=True)
        while True:
            self._step_until(answers, timeout)
            for answer in answers:
                if not isinstance(answer, RpcError):
                    yield answer
                elif answer.errnum == errno.ENODATA:
                    return
                else:
                    raise answer
            answers.clear()

    def _step_until(self, answers: list[Answer], timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        while not answers:
            self._step(None if end is None else end - time.monotonic())

    def _step(self, limit: float | None) -> None:
        if limit is not None and limit <= 0:
            raise RpcError(errno.ETIMEDOUT)
        try:
            self._sock.settimeout(limit)
            data = self._sock.recv(_READ_SIZE)
            if not data:
                raise RpcError(errno.ECONNRESET)
            self._conversation.feed(data)
        except TimeoutError:
            raise RpcError(errno.ETIMEDOUT) from None
        except MessageError as error:
            raise RpcError(errno.EPROTO, str(error)) from None
        except OSError as error:
            raise RpcError(error.errno or errno.EIO) from None

    def _write(self, data: bytes) -> None:
        try:
            self._sock.settimeout(self._timeout)
            self._sock.sendall(data)
        except TimeoutError:
            raise RpcError(errno.ETIMEDOUT) from None
        except OSError as error:
            if error.errno != errno.EPIPE:  # what the server said before is still to be read
                raise RpcError(error.errno or errno.EIO) from None


def _connected(path: str, timeout: float | None, delays: Iterator[float]) -> socket:
    sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
    sock.settimeout(timeout)
    try:
        connect.checked(path)
        while True:
            try:
                sock.connect(path)
            except TimeoutError:
                raise RpcError(errno.ETIMEDOUT) from None
            except OSError as error:
                delay = next(delays, None)
                if delay is None:
                    raise RpcError(error.errno or errno.EIO) from None
                time.sleep(delay)
            else:
                return sock
    except RpcError:
        sock.close()
        raise
