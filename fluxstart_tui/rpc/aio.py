"""Call services over a local:// socket with asyncio: for the terminal UI.

Nothing headless may import this: asyncio takes 35 ms of CPU to import.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from typing import TYPE_CHECKING, Any

from fluxstart_tui.rfc.message import NODEID_ANY, MessageError
from fluxstart_tui.rpc import connect
from fluxstart_tui.rpc.conversation import Conversation
from fluxstart_tui.rpc.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from fluxstart_tui.rpc.conversation import Answer

_UNREAD_MAX = 100_000
"""Answers that nobody has taken yet beyond which a stream is given up. Not to read from the server
meanwhile would keep other calls waiting, which whoever is to take the answers may wait for."""


class Client:
    """Calls to one server.

    It connects at the first call, as the local connector does. When the server goes, what is under
    way fails with ECONNRESET, and the next call connects again. Calls may be made concurrently.

    Args:
        path: the socket's path or a local:// URI.
        retries: how often to try to connect again; None for the environment's or Flux's number.
    """

    def __init__(self, path: str, *, retries: int | None = None) -> None:
        self._path = connect.path_of(path)
        self._retries = retries
        self._link: _Link | None = None
        self._lock = asyncio.Lock()
        self._closed = False

    async def __aenter__(self) -> Client:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """Whether the server has let us in and was not seen to go."""
        return self._link is not None and self._link.accepted and self._link.error is None

    async def connect(self) -> None:
        """Connect unless that is done.

        Raises:
            RpcError: there is nobody, or we are refused.
        """
        await self._connected()

    async def call(
        self,
        topic: str,
        payload: Mapping[str, Any] | None = None,
        *,
        nodeid: int = NODEID_ANY,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Call a method and return the answer's object, {} if it has none.

        A task that is cancelled meanwhile just wants no answer any more.

        Raises:
            RpcError: the service's, or ETIMEDOUT, EPROTO, ECONNRESET, or why we could not connect.
        """
        try:
            async with asyncio.timeout(timeout):
                link = await self._connected()
                answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
                tag = link.conversation.request(
                    topic, payload, lambda one: _settle(answer, one), nodeid=nodeid
                )
                try:
                    result = await answer
                finally:
                    link.conversation.forget(tag)
        except TimeoutError:
            raise RpcError(errno.ETIMEDOUT) from None
        if isinstance(result, RpcError):
            raise result
        return result

    async def stream(
        self,
        topic: str,
        payload: Mapping[str, Any] | None = None,
        *,
        nodeid: int = NODEID_ANY,
        cancel: str | None = None,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Call a streaming method and yield its answers until it ends.

        When the server goes, the stream fails as a call does. It is not asked for again: only the
        caller knows whether that would repeat, or leave out, something.

        Args:
            topic: the method.
            payload: its parameters; None for no payload.
            nodeid: the rank that is asked.
            cancel: the method that tells the service that no more answers are wanted, such as
                `start.cancel`; it is called when the iteration ends before the stream does.

        Raises:
            RpcError: as of `call`.
        """
        link = await self._connected()
        answers: asyncio.Queue[Answer] = asyncio.Queue()

        def put(answer: Answer) -> None:
            if answers.qsize() < _UNREAD_MAX or isinstance(answer, RpcError):
                answers.put_nowait(answer)
            elif give_up():
                answers.put_nowait(RpcError(errno.ENOBUFS, "answers were not taken in time"))

        def give_up() -> bool:
            told = link.conversation.forget(tag)
            if told and cancel is not None:
                link.conversation.notify(cancel, {"matchtag": tag})
            return told

        tag = link.conversation.request(topic, payload, put, nodeid=nodeid, streaming=True)
        try:
            while True:
                answer = await answers.get()
                if not isinstance(answer, RpcError):
                    yield answer
                elif answer.errnum == errno.ENODATA:
                    return
                else:
                    raise answer
        finally:
            give_up()

    def close(self) -> None:
        """Hang up for good; what is under way fails."""
        self._closed = True
        if self._link is not None:
            self._link.close()

    async def _connected(self) -> _Link:
        async with self._lock:  # whoever comes second takes the first one's connection
            self._check_wanted()
            if self._link is None or self._link.error is not None:
                self._link = await _open(connect.checked(self._path), self._retries)
                self._check_wanted()
            return self._link

    def _check_wanted(self) -> None:
        """Make nothing of a client that was closed, maybe while it was connecting."""
        if self._closed:
            self.close()
            raise RpcError(errno.ENOTCONN, "the client was closed")


class _Link(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.conversation = Conversation(self._write)
        self.error: RpcError | None = None
        self.greeted = asyncio.Event()
        """Set when the server has let us in, has refused us or is gone."""
        self._transport: asyncio.Transport | None = None

    @property
    def accepted(self) -> bool:
        """Whether the server has let us in."""
        return self.conversation.accepted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the server."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what the server sends."""
        try:
            self.conversation.feed(data)
        except RpcError as error:
            self._end(error)
        except MessageError as error:
            self._end(RpcError(errno.EPROTO, str(error)))
        if self.accepted:
            self.greeted.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the server is gone."""
        number = exc.errno if isinstance(exc, OSError) else None
        self._end(RpcError(number or errno.ECONNRESET))

    def close(self) -> None:
        """Hang up; what is under way fails."""
        self._end(RpcError(errno.ECONNRESET))

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _end(self, error: RpcError) -> None:
        if self.error is None:
            self.error = error
            self.conversation.fail(error)
            self.greeted.set()
            if self._transport is not None:
                self._transport.abort()


async def _open(path: str, retries: int | None) -> _Link:
    loop = asyncio.get_running_loop()
    for delay in (*connect.delays(retries), None):
        try:
            _, link = await loop.create_unix_connection(_Link, path)
        except OSError as error:
            if delay is None:
                raise RpcError(error.errno or errno.EIO) from None
            await asyncio.sleep(delay)
        else:
            break
    try:
        await link.greeted.wait()
    finally:
        if not link.accepted:
            link.close()
    if link.error is not None:
        raise link.error
    return link


def _settle(future: asyncio.Future[Answer], answer: Answer) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):  # nobody waits any more
        future.set_result(answer)
