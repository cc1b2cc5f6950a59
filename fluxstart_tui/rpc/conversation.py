"""The client's side of a conversation with services, without I/O: bytes in, bytes out."""

from __future__ import annotations

import errno

from fluxstart_tui import compactjson
from fluxstart_tui.rfc import message
from fluxstart_tui.rfc.message import Decoder, Message, MessageError
from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.rpc.services import unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Answer = dict[str, Any] | RpcError
    Sink = Callable[[Answer], None]

_TAG_MAX = 0xFFFFFFFF


class Conversation:
    """What was asked, what is answered, and whether we were let in.

    Args:
        write: sends bytes to the server; called once it has let us in, not before.
        size_max: longest message taken from the server.
    """

    def __init__(self, write: Callable[[bytes], None], size_max: int = message.SIZE_MAX) -> None:
        self._write = write
        self._decoder = Decoder(size_max)
        self._sinks: dict[int, tuple[Sink, bool]] = {}
        self._tag = 0
        self._waiting: list[bytes] = []
        self.accepted = False
        """Whether the server has let us in."""

    @property
    def busy(self) -> bool:
        """Whether anything is still to be answered."""
        return bool(self._sinks)

    def request(
        self,
        topic: str,
        payload: Mapping[str, Any] | None,
        sink: Sink,
        *,
        nodeid: int = message.NODEID_ANY,
        streaming: bool = False,
    ) -> int:
        """Send a request.

        Args:
            topic: the method.
            payload: its parameters; None for no payload.
            sink: called with the answer or, if `streaming`, with each; the last is an RpcError.
            nodeid: the rank that is asked.
            streaming: more than one answer is expected.

        Returns:
            The matchtag, by which the request can be forgotten.
        """
        tag = self._next_tag()
        flags = message.STREAMING if streaming else 0
        self._send(
            message.request(topic, _encode(payload), nodeid=nodeid, matchtag=tag, flags=flags)
        )
        self._sinks[tag] = sink, streaming
        return tag

    def notify(self, topic: str, payload: Mapping[str, Any] | None = None) -> None:
        """Send a request that wants no answer."""
        self._send(message.request(topic, _encode(payload), flags=message.NORESPONSE))

    def forget(self, tag: int) -> bool:
        """Want no more answers to a request; tell whether there could have been any."""
        return self._sinks.pop(tag, None) is not None

    def feed(self, data: bytes) -> None:
        """Take bytes from the server, and call sinks.

        Raises:
            RpcError: we were refused.
            MessageError: this is no conversation.
        """
        if not self.accepted:
            # The server speaks first: a zero byte, or the errno that refuses us.
            if data[0]:
                raise RpcError(data[0])
            self.accepted, data = True, data[1:]
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                self._write(one)
        for arrived in self._decoder.feed(data):
            self._receive(arrived)

    def fail(self, error: RpcError) -> None:
        """Answer everything that is open with an error: the server is gone."""
        while self._sinks:  # a sink may make us forget others
            sink, _ = self._sinks.pop(next(iter(self._sinks)))
            sink(error)

    def drop(self) -> None:
        """Forget everything that is open."""
        self._sinks.clear()
        self._waiting.clear()

    def _receive(self, arrived: Message) -> None:
        if arrived.type != message.RESPONSE:
            return
        sink, streaming = self._sinks.get(arrived.matchtag, (None, False))
        if sink is None:  # given up meanwhile
            return
        answer = _decode(arrived)
        if not streaming or arrived.errnum:
            del self._sinks[arrived.matchtag]
        sink(answer)

    def _send(self, request: Message) -> None:
        data = message.encode_framed(request)
        if self.accepted:
            self._write(data)
        else:
            self._waiting.append(data)

    def _next_tag(self) -> int:
        while True:
            self._tag = self._tag % _TAG_MAX + 1
            if self._tag not in self._sinks:
                return self._tag


def _encode(payload: Mapping[str, Any] | None) -> bytes | None:
    return None if payload is None else message.text_payload(compactjson.dumps(payload))


def _decode(arrived: Message) -> Answer:
    try:
        if arrived.errnum:
            return RpcError(arrived.errnum, arrived.text)
        return unpack(arrived)
    except MessageError:  # the text of an error is none
        return RpcError(arrived.errnum)
    except RpcError:
        return RpcError(errno.EPROTO, "the answer is no JSON object")
