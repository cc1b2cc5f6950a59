"""Flux messages (RFC 3) and their framing on a local connector's socket.

A message is a sequence of frames (routes, topic, payload, proto); a stream is a sequence of
messages, each after a magic number and a length. What the RFC leaves open follows flux-core's
`src/common/libflux/message.c`, `message_proto.c` and `src/common/librouter/sendfd.c`.
No I/O: bytes in, bytes out.
"""

from __future__ import annotations

import struct
import sys

REQUEST = 0x01
RESPONSE = 0x02
EVENT = 0x04
CONTROL = 0x08

NORESPONSE = 0x04
UPSTREAM = 0x10
PRIVATE = 0x20
STREAMING = 0x40
USER1 = 0x80

_TOPIC = 0x01
_PAYLOAD = 0x02
_ROUTE = 0x08
_DERIVED = _TOPIC | _PAYLOAD | _ROUTE

NODEID_ANY = 0xFFFFFFFF
MATCHTAG_NONE = 0
USERID_UNKNOWN = 0xFFFFFFFF

ROLE_OWNER = 1
ROLE_USER = 2
ROLE_LOCAL = 4

SIZE_MAX = 1 << 26
"""Longest message body in bytes that a decoder takes unless told otherwise."""

_MAGIC = 0xFFEE0012.to_bytes(4, sys.byteorder)
_HEADER_SIZE = 8
_PROTO = struct.Struct(">BBBBIIII")
_PROTO_MAGIC = 0x8E
_PROTO_VERSION = 1
_LONG_FRAME = 0xFF
_TYPES = frozenset((REQUEST, RESPONSE, EVENT, CONTROL))
_UINT32_MAX = 0xFFFFFFFF


class MessageError(ValueError):
    """Bytes that are no Flux message, or a message that has no encoding."""


class Message:
    """One message.

    Args:
        type: REQUEST, RESPONSE, EVENT or CONTROL.
        topic: what the message is about; None if it has no topic frame.
        payload: its content; None if it has no payload frame.
        routes: identities of the hops taken, last hop first; None if routing is not enabled.
        flags: any of NORESPONSE, UPSTREAM, PRIVATE, STREAMING, USER1; the flags that announce
            frames follow from the frames.
        userid: who sent it, as its first broker established.
        rolemask: what the sender may do, as its first broker established.
        aux1: first field of which the meaning depends on the type: see `nodeid`, `errnum`,
            `sequence`; the control type of a CONTROL message.
        aux2: second such field: see `matchtag`; the status of a CONTROL message.
    """

    __slots__ = (
        "aux1", "aux2", "flags", "payload", "rolemask", "routes", "topic", "type", "userid",
    )  # fmt: skip

    def __init__(
        self,
        type: int,  # noqa: A002 - the RFC's name
        topic: str | None = None,
        payload: bytes | None = None,
        *,
        routes: list[str] | None = None,
        flags: int = 0,
        userid: int = USERID_UNKNOWN,
        rolemask: int = 0,
        aux1: int = 0,
        aux2: int = 0,
    ) -> None:
        self.type = type
        self.topic = topic
        self.payload = payload
        self.routes = routes
        self.flags = flags
        self.userid = userid
        self.rolemask = rolemask
        self.aux1 = aux1
        self.aux2 = aux2

    @property
    def nodeid(self) -> int:
        """Rank that a request is for, NODEID_ANY for the next that offers the service."""
        return self.aux1

    @property
    def errnum(self) -> int:
        """Why the request failed as an errno, 0 if it succeeded (response)."""
        return self.aux1

    @property
    def sequence(self) -> int:
        """Number of an event."""
        return self.aux1

    @property
    def matchtag(self) -> int:
        """Number that pairs a response with its request, MATCHTAG_NONE if there is no pair."""
        return self.aux2

    @property
    def text(self) -> str | None:
        """The payload as text without its terminating NUL, None if there is no payload.

        Raises:
            MessageError: the payload is not such text.
        """
        if self.payload is None:
            return None
        if self.payload[-1:] != b"\0":
            raise MessageError("text payload without a terminating NUL")
        return _decode_text(self.payload[:-1], "payload")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment] # mutable: routes are pushed and popped

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"Message({fields})"


def request(
    topic: str,
    payload: bytes | None = None,
    *,
    nodeid: int = NODEID_ANY,
    matchtag: int = MATCHTAG_NONE,
    flags: int = 0,
) -> Message:
    """Make a request as a client sends it: no routes, credentials to be filled in on the way."""
    return Message(REQUEST, topic, payload, flags=flags, aux1=nodeid, aux2=matchtag)


def response(
    to: Message,
    payload: bytes | None = None,
    *,
    errnum: int = 0,
    userid: int = USERID_UNKNOWN,
    rolemask: int = 0,
) -> Message:
    """Make the response that belongs to a request: same topic, matchtag, routes and streaming."""
    return Message(
        RESPONSE,
        to.topic,
        payload,
        routes=None if to.routes is None else list(to.routes),
        flags=to.flags & STREAMING,
        userid=userid,
        rolemask=rolemask,
        aux1=errnum,
        aux2=to.matchtag,
    )


def control(type: int, status: int) -> Message:  # noqa: A002 - the RFC's name
    """Make a control message of an overlay's own type and status."""
    return Message(CONTROL, aux1=type, aux2=status)


def text_payload(text: str) -> bytes:
    """Encode a text, JSON above all, as a payload: a NUL that counts terminates it."""
    return text.encode() + b"\0"


def encode(message: Message) -> bytes:
    """Encode a message's body.

    Raises:
        MessageError: a field is out of range.
    """
    flags = message.flags
    if message.type not in _TYPES:
        raise MessageError(f"unknown message type {message.type}")
    if flags & ~0xFF or flags & _DERIVED or (flags & NORESPONSE and flags & STREAMING):
        raise MessageError(f"invalid flags {flags:#x}")
    parts = []
    if message.routes is not None:
        flags |= _ROUTE
        for route in message.routes:
            if not route:
                raise MessageError("empty route")
            parts.append(_frame(_encode_text(route, "route")))
        parts.append(b"\0")
    if message.topic is not None:
        flags |= _TOPIC
        parts.append(_frame(_encode_text(message.topic, "topic")))
    if message.payload is not None:
        flags |= _PAYLOAD
        parts.append(_frame(message.payload))
    try:
        proto = _PROTO.pack(
            _PROTO_MAGIC, _PROTO_VERSION, message.type, flags,
            message.userid, message.rolemask, message.aux1, message.aux2,
        )  # fmt: skip
    except struct.error as error:
        raise MessageError(str(error)) from None
    parts.append(_frame(proto))
    return b"".join(parts)


def decode(body: bytes) -> Message:
    """Decode a message's body.

    Raises:
        MessageError: it is malformed.
    """
    frames = _split(body)
    if not frames or len(frames[-1]) != _PROTO.size:
        raise MessageError("no proto frame")
    magic, version, type_, flags, userid, rolemask, aux1, aux2 = _PROTO.unpack(frames.pop())
    if magic != _PROTO_MAGIC or version != _PROTO_VERSION or type_ not in _TYPES:
        raise MessageError("not a proto frame of this version")
    if flags & NORESPONSE and flags & STREAMING:
        raise MessageError("noresponse and streaming exclude each other")
    frames.reverse()
    try:
        routes = _take_routes(frames) if flags & _ROUTE else None
        topic = _decode_text(frames.pop(), "topic") if flags & _TOPIC else None
        payload = frames.pop() if flags & _PAYLOAD else None
    except IndexError:
        raise MessageError("fewer frames than the flags say") from None
    if frames:
        raise MessageError("more frames than the flags say")
    return Message(
        type_, topic, payload, routes=routes, flags=flags & ~_DERIVED,
        userid=userid, rolemask=rolemask, aux1=aux1, aux2=aux2,
    )  # fmt: skip


def encode_framed(message: Message) -> bytes:
    """Encode a message as it goes over a socket: magic, length, body.

    Raises:
        MessageError: a field is out of range.
    """
    body = encode(message)
    return b"%b%b%b" % (_MAGIC, len(body).to_bytes(4, "big"), body)


class Decoder:
    """Cut a stream of bytes into messages.

    Args:
        size_max: longest body taken; a length beyond it is an error before any of it is stored.
    """

    def __init__(self, size_max: int = SIZE_MAX) -> None:
        self._size_max = size_max
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes of the stream; return the messages that are complete with them.

        Raises:
            MessageError: the stream is malformed. Nothing more can be got from it, so the
                connection is to be dropped.
        """
        buffer = self._buffer
        buffer += data
        messages = []
        start = 0
        while len(buffer) - start >= _HEADER_SIZE:
            begin = start + _HEADER_SIZE
            if buffer[start : start + 4] != _MAGIC:
                raise MessageError("bad magic")
            size = int.from_bytes(buffer[start + 4 : begin], "big")
            if size > self._size_max:
                raise MessageError(f"message of {size} bytes exceeds {self._size_max}")
            if len(buffer) - begin < size:
                break
            start = begin + size
            messages.append(decode(bytes(buffer[begin:start])))
        del buffer[:start]
        return messages


def _frame(data: bytes) -> bytes:
    size = len(data)
    if size < _LONG_FRAME:
        return bytes((size,)) + data
    if size > _UINT32_MAX:
        raise MessageError(f"frame of {size} bytes")
    return b"\xff%b%b" % (size.to_bytes(4, "big"), data)


def _split(body: bytes) -> list[bytes]:
    frames = []
    at = 0
    while at < len(body):
        size = body[at]
        at += 1
        if size == _LONG_FRAME:
            if len(body) - at < 4:
                raise MessageError("truncated frame length")
            size = int.from_bytes(body[at : at + 4], "big")
            at += 4
        if len(body) - at < size:
            raise MessageError("truncated frame")
        frames.append(body[at : at + size])
        at += size
    return frames


def _take_routes(frames: list[bytes]) -> list[str]:
    routes = []
    while frame := frames.pop():
        routes.append(_decode_text(frame, "route"))
    return routes


def _decode_text(data: bytes, what: str) -> str:
    if b"\0" in data:
        raise MessageError(f"NUL byte in a {what}")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise MessageError(f"{what} is not UTF-8") from None


def _encode_text(text: str, what: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise MessageError(f"{what} is not UTF-8") from None
    if b"\0" in data:
        raise MessageError(f"NUL byte in a {what}")
    return data
