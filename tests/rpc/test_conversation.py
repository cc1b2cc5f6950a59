"""The client's side without I/O: however the bytes arrive, and whatever they are."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.rfc import message
from fluxstart_tui.rfc.message import MessageError
from fluxstart_tui.rpc.conversation import Conversation
from fluxstart_tui.rpc.errors import RpcError

Answer = dict[str, Any] | RpcError


def reply(tag: int, text: str | None, errnum: int = 0) -> bytes:
    payload = None if text is None else message.text_payload(text)
    request = message.request("x", matchtag=tag)
    return message.encode_framed(message.response(request, payload, errnum=errnum))


ANSWERS = b"\0" + reply(2, '{"n":0}') + reply(1, None) + reply(2, '{"n":1}') + reply(2, None, 61)


@given(st.lists(st.integers(1, len(ANSWERS)), max_size=8))
def test_answers_however_they_arrive(cuts: list[int]) -> None:
    sent: list[bytes] = []
    told: list[object] = []

    def take(answer: Answer) -> None:
        told.append(answer.errnum if isinstance(answer, RpcError) else answer)

    one = Conversation(sent.append)
    assert one.request("x", {"a": 1}, take) == 1
    assert one.request("x", None, take, streaming=True) == 2
    assert sent == []
    edges = sorted({0, *cuts, len(ANSWERS)})
    for start, end in itertools.pairwise(edges):
        one.feed(ANSWERS[start:end])
    assert told == [{"n": 0}, {}, {"n": 1}, 61]
    assert not one.busy
    requests = message.Decoder().feed(b"".join(sent))
    assert [(r.matchtag, r.flags, r.text) for r in requests] == [
        (1, 0, '{"a":1}'),
        (2, message.STREAMING, None),
    ]


@given(st.binary(min_size=1, max_size=99))
def test_garbage_is_a_known_error(data: bytes) -> None:
    one = Conversation(lambda _: None)
    one.request("x", None, lambda _: None)
    with contextlib.suppress(RpcError, MessageError):
        one.feed(data)


@given(st.integers(1, len(ANSWERS) - 1), st.integers(0, 255))
def test_damage_is_a_known_error(at: int, byte: int) -> None:
    data = bytearray(ANSWERS)
    data[at] = byte
    one = Conversation(lambda _: None)
    for _ in range(2):
        one.request("x", None, lambda _: None, streaming=True)
    with contextlib.suppress(MessageError):
        one.feed(bytes(data))
