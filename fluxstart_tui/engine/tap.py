"""A connection to a broker that is read in bulk: what the monitor listens through.

Log records come in thousands during a boot, so messages are taken apart where they lie rather than
decoded (rfc/message.py) one by one: a tenth of the CPU.
"""

from __future__ import annotations

import json
import socket
import struct
import sys

from fluxstart_tui.rfc import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Answered = Callable[["Tap", bytes, int], None]
    """Called with the tap, the payload without its NUL, and the errno."""

_MAGIC = 0xFFEE0012.to_bytes(4, sys.byteorder)
_HEADER = struct.Struct(">4sI").unpack_from
_PROTO = struct.Struct(">BB8xII").unpack_from
"""Type, flags, errnum and matchtag: what a message ends with, but for two bytes before it."""
_PROTO_SIZE = 20
_CHUNK = 262144
_LONG = 0xFF
_HAS_PAYLOAD = 0x02


class Tap:
    """One broker's local connector, connected."""

    def __init__(self, rank: int, connected: socket.socket) -> None:
        self.rank = rank
        self.name = b"%d" % rank
        """How log records name it."""
        self.fd = connected.fileno()
        self.online = False
        """Whether it has been asked what only brokers that are online answer."""
        self._socket: socket.socket | None = connected
        self._buffer = b""
        self._accepted = False
        self._calls: list[Answered] = []

    @classmethod
    def connect(cls, rank: int, path: str) -> Tap | None:
        """Return a tap on a broker, None if it can not be reached now."""
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            connected.connect(path)
        except OSError:
            connected.close()
            return None
        return cls(rank, connected)

    @property
    def open(self) -> bool:
        """Whether the connection has not been closed here."""
        return self._socket is not None

    def close(self) -> None:
        """End the connection, and with it all streams."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def call(
        self, topic: str, payload: object, answered: Answered, *, stream: bool = False
    ) -> None:
        """Send a request to this broker; an answer or, of a stream, each one is passed on."""
        if self._socket is None:
            return
        self._calls.append(answered)
        data = None if payload is None else message.text_payload(json.dumps(payload))
        flags = message.STREAMING if stream else 0
        request = message.request(topic, data, matchtag=len(self._calls), flags=flags)
        try:
            self._socket.send(message.encode_framed(request))
        except OSError:
            pass  # reading tells of its end; one that takes no request is not waited for

    def read(self) -> bool:
        """Take what has come; tell whether more can come."""
        if self._socket is None:
            return False
        while True:
            try:
                data = self._socket.recv(_CHUNK)
            except BlockingIOError:
                return True
            except OSError:
                data = b""
            if not data:
                return False
            if not self._accepted:
                # The server speaks first: a zero byte, or the errno that refuses us.
                if data[0]:
                    return False
                self._accepted = True
                data = data[1:]
            if not self._take(self._buffer + data):
                return False
            if len(data) < _CHUNK:
                return True

    def _take(self, data: bytes) -> bool:
        """Take whole messages off the front; tell whether the stream makes sense."""
        at, end = 0, len(data)
        while end - at >= 8:
            magic, size = _HEADER(data, at)
            if magic != _MAGIC or size > message.SIZE_MAX:
                return False
            following = at + 8 + size
            if following > end:
                break
            if size > _PROTO_SIZE and not self._message(data, at + 8, following):
                return False
            at = following
        self._buffer = data[at:]
        return True

    def _message(self, data: bytes, at: int, end: int) -> bool:
        """Take the message that lies there; tell whether its frames are within it."""
        kind, flags, errnum, tag = _PROTO(data, end - 18)
        if kind != message.RESPONSE or not 0 < tag <= len(self._calls):
            return True
        payload = b""
        if flags & _HAS_PAYLOAD and data[at] == 0:
            at += 2 + data[at + 1]  # after the empty route frame and the topic
            if at + 5 > end:
                return False
            size = data[at]
            at += 1
            if size == _LONG:
                size = int.from_bytes(data[at : at + 4], "big")
                at += 4
            if at + size > end:
                return False
            payload = data[at : at + size].rstrip(b"\0")
        self._calls[tag - 1](self, payload, errnum)
        return True
