"""Flux messages: byte for byte as captured, and total on any bytes whatever."""

from __future__ import annotations

import contextlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.rfc import message
from fluxstart_tui.rfc.message import Decoder, Message, MessageError

little_endian = pytest.mark.skipif(sys.byteorder != "little", reason="captured on x86")

uint32 = st.integers(0, 0xFFFFFFFF)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
payloads = st.binary(max_size=300) | st.integers(250, 70000).map(bytes)
flag_sets = (
    st.integers(0, 0xFF).map(lambda flags: flags & 0xF4).filter(lambda flags: flags & 0x44 != 0x44)
)
messages = st.builds(
    Message,
    st.sampled_from((message.REQUEST, message.RESPONSE, message.EVENT, message.CONTROL)),
    st.none() | texts,
    st.none() | payloads,
    routes=st.none() | st.lists(texts.filter(bool), max_size=4),
    flags=flag_sets,
    userid=uint32,
    rolemask=uint32,
    aux1=uint32,
    aux2=uint32,
)

# flux-core 0.88, client and broker (local-client-hexdump.txt)
GET_RANK = bytes.fromhex(
    "1200eeff00000030 08617474722e676574 117b226e616d65223a202272616e6b227d00"
    "148e010103ffffffff00000000ffffffff00000001"
)
GET_RANK_ANSWER = bytes.fromhex(
    "1200eeff00000038 00 08617474722e676574"
    "187b2276616c7565223a2230222c22666c616773223a317d00"
    "148e01020b00000000000000050000000000000001"
)
NO_SUCH_ATTRIBUTE = bytes.fromhex(
    "1200eeff0000001f 00 08617474722e676574 148e01020900000000000000050000000200000002"
)
NO_SERVICE = bytes.fromhex(
    "1200eeff00000049 00 076e6f2e73756368"
    "2a4e6f2073657276696365206d61746368696e67206e6f2e737563682069732072656769737465726564 00"
    "148e01020b00000000000000050000002600000003"
)
# startctl, a client of libflux, and its server (local-server-hexdump.txt)
STATUS = bytes.fromhex(
    "1200eeff00000023 00 0c73746172742e737461747573148e010109ffffffff00000000ffffffff00000001"
)
KILL_ANSWER = bytes.fromhex(
    "1200eeff00000021 00 0a73746172742e6b696c6c 148e01020900000000000000010000000300000001"
)

CAPTURED = [
    (GET_RANK, message.request("attr.get", b'{"name": "rank"}\0', matchtag=1)),
    (
        GET_RANK_ANSWER,
        Message(
            message.RESPONSE, "attr.get", b'{"value":"0","flags":1}\0',
            routes=[], userid=0, rolemask=5, aux2=1,
        ),
    ),
    (
        NO_SUCH_ATTRIBUTE,
        Message(message.RESPONSE, "attr.get", routes=[], userid=0, rolemask=5, aux1=2, aux2=2),
    ),
    (
        NO_SERVICE,
        Message(
            message.RESPONSE, "no.such", b"No service matching no.such is registered\0",
            routes=[], userid=0, rolemask=5, aux1=38, aux2=3,
        ),
    ),
    (
        STATUS,
        Message(
            message.REQUEST, "start.status", routes=[], aux1=message.NODEID_ANY, aux2=1,
        ),
    ),
    (
        KILL_ANSWER,
        Message(message.RESPONSE, "start.kill", routes=[], userid=0, rolemask=1, aux1=3, aux2=1),
    ),
]  # fmt: skip


@little_endian
@pytest.mark.parametrize(("data", "meaning"), CAPTURED)
def test_captured_bytes_are_read_and_written_alike(data: bytes, meaning: Message) -> None:
    assert message.encode_framed(meaning) == data
    assert Decoder().feed(data) == [meaning]


def test_response_echoes_what_belongs_to_the_request() -> None:
    asked = message.request("log.dmesg", flags=message.STREAMING, matchtag=7)
    asked.routes = ["client"]
    answer = message.response(asked, errnum=61)
    assert (answer.topic, answer.matchtag, answer.errnum) == ("log.dmesg", 7, 61)
    assert answer.flags == message.STREAMING
    assert answer.routes == ["client"]
    assert answer.routes is not asked.routes


def test_text_is_the_payload_without_its_nul() -> None:
    assert message.request("x").text is None
    assert message.request("x", message.text_payload("é")).text == "é"
    for payload in (b"", b"x", b"\xff\0", b"a\0b\0"):
        with pytest.raises(MessageError):
            _ = message.request("x", payload).text


def test_frames_of_255_bytes_and_more_have_a_long_length() -> None:
    for size, head in ((254, b"\xfe"), (255, b"\xff\0\0\0\xff"), (256, b"\xff\0\0\1\0")):
        body = message.encode(message.request("t", bytes(size)))
        assert body.startswith(b"\1t" + head)
        assert message.decode(body).payload == bytes(size)


@given(messages)
def test_what_is_written_is_read_back(meaning: Message) -> None:
    assert message.decode(message.encode(meaning)) == meaning
    assert Decoder().feed(message.encode_framed(meaning)) == [meaning]


@pytest.mark.parametrize(
    "wrong",
    [
        Message(3),
        message.request("a\0b"),
        message.request("\udc80"),
        message.request("x", nodeid=-1),
        message.request("x", matchtag=1 << 32),
        message.request("x", flags=message.NORESPONSE | message.STREAMING),
        message.request("x", flags=1),
        message.request("x", flags=0x100),
        Message(message.REQUEST, "x", routes=[""]),
    ],
)
def test_what_has_no_encoding_is_refused(wrong: Message) -> None:
    with pytest.raises(MessageError):
        message.encode(wrong)


def decoded(body: bytes) -> Message | None:
    """Decode, taking MessageError and nothing else for an answer."""
    try:
        return message.decode(body)
    except MessageError:
        return None


@pytest.mark.parametrize(("data", "_meaning"), CAPTURED)
def test_every_truncation_is_refused(data: bytes, _meaning: Message) -> None:
    body = data[8:]
    assert decoded(body) is not None
    for size in range(len(body)):
        assert decoded(body[:size]) is None


@pytest.mark.parametrize(("data", "_meaning"), CAPTURED)
def test_every_corrupted_byte_is_read_or_refused(data: bytes, _meaning: Message) -> None:
    for at in range(8, len(data)):
        for byte in range(256):
            read = decoded(data[8:at] + bytes((byte,)) + data[at + 1 :])
            if read is not None:
                assert decoded(message.encode(read)) == read


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    decoded(data)
    with contextlib.suppress(MessageError):
        Decoder().feed(message._MAGIC + len(data).to_bytes(4, "big") + data)


@given(messages, st.data())
def test_streams_cut_anywhere_give_the_same_messages(meaning: Message, data: st.DataObject) -> None:
    sent = [meaning, *data.draw(st.lists(messages, max_size=3))]
    stream = b"".join(map(message.encode_framed, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder = Decoder()
    got = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += decoder.feed(stream[start:end])
    assert got == sent


def test_a_stream_byte_by_byte_gives_the_same_messages() -> None:
    stream = b"".join(message.encode_framed(meaning) for _, meaning in CAPTURED)
    decoder = Decoder()
    got = [one for byte in stream for one in decoder.feed(bytes((byte,)))]
    assert got == [meaning for _, meaning in CAPTURED]


def test_bad_magic_and_lengths_beyond_the_bound_are_refused_at_once() -> None:
    with pytest.raises(MessageError, match="magic"):
        Decoder().feed(b"GET / HT")
    with pytest.raises(MessageError, match="exceeds 100"):
        Decoder(size_max=100).feed(message._MAGIC + (101).to_bytes(4, "big"))
