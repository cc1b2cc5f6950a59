"""PMI conversations, cut into messages and mended."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.tap.wire import Bridge, Wire, printable

INIT = b"cmd=response_to_init rc=0 pmi_version=1 pmi_subversion=2\n"


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return the data in pieces."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in pairwise(edges)]


lines = st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b" ")), max_size=8)
places = st.lists(st.integers(0, 1000), max_size=8)


@given(lines, places)
def test_lines_come_out_whole_however_they_were_read(lines: list[bytes], at: list[int]) -> None:
    """PMI-1."""
    wire = Wire()
    found = [m for piece in cut(b"".join(b"%b\n" % line for line in lines), at)
             for m in wire.feed(piece)]  # fmt: skip
    assert found == lines
    assert wire.rest() == b""


@given(st.lists(st.binary(max_size=99), max_size=8), places)
def test_frames_come_out_whole(messages: list[bytes], at: list[int]) -> None:
    """PMI-2: six columns of length, then the message."""
    wire = Wire()
    wire.framed = True
    data = b"".join(b"%6d%b" % (len(message), message) for message in messages)
    assert [m for piece in cut(data, at) for m in wire.feed(piece)] == messages


@given(st.lists(st.binary(max_size=2000)), st.booleans())
def test_nothing_is_lost_or_kept_for_ever(pieces: list[bytes], framed: bool) -> None:
    """Whatever is said, it is shown or still to come."""
    wire = Wire()
    wire.framed = framed
    shown = b"".join(m for piece in pieces for m in wire.feed(piece)) + wire.rest()
    assert len(shown) <= sum(map(len, pieces))
    if not framed:
        assert shown == b"".join(pieces).replace(b"\n", b"")


def test_an_endless_line_is_shown_in_parts() -> None:
    """A client that sends no newline does not fill the memory."""
    wire = Wire()
    shown = sum(len(m) for _ in range(40) for m in wire.feed(b"x" * 65536))
    assert shown + len(wire.rest()) == 40 * 65536
    assert len(wire.rest()) <= 1 << 20


@given(places)
def test_the_bridge_mends_the_first_answer_only(at: list[int]) -> None:
    """MPICH 5's subversion 2 becomes 1; nothing else changes, wherever reads end."""
    data = INIT + b"cmd=get_result rc=0 value=pmi_subversion=2\n" + INIT
    bridge = Bridge()
    passed = b"".join(bridge.mend(piece) for piece in cut(data, at)) + bridge.rest()
    assert passed == data.replace(b"subversion=2", b"subversion=1", 1)


@given(st.binary(), places)
def test_the_bridge_lets_all_else_pass(data: bytes, at: list[int]) -> None:
    """What is no answer of PMI 1 comes through byte for byte."""
    for said in (data, b"cmd=response_to_init rc=0 pmi_version=2 pmi_subversion=0\n" + data):
        if not said.startswith(b"cmd=response_to_init ") or b"pmi_version=2" in said:
            bridge = Bridge()
            assert b"".join(bridge.mend(piece) for piece in cut(said, at)) + bridge.rest() == said


@given(st.binary())
def test_a_message_is_one_printable_line(message: bytes) -> None:
    """Whatever is in it."""
    assert printable(message).isprintable()
    assert printable(message).isascii()
