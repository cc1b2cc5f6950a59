"""The PMI-1 server answers as flux start's does, and nothing a client sends breaks it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.rfc import pmi1

DATA = Path(__file__).parent.parent / "data" / "pmi-wire-probe.txt"


class Recorder:
    """Effects that are written down."""

    def __init__(self) -> None:
        self.sent: dict[int, bytes] = {}
        self.ended: list[int] = []
        self.aborts: list[tuple[int, int, bytes]] = []
        self.phases: list[tuple[int, str]] = []
        self.barriers = 0

    def reply(self, client: int, data: bytes) -> None:
        self.sent[client] = self.sent.get(client, b"") + data

    def finalized(self, client: int) -> None:
        self.ended.append(client)

    def aborted(self, client: int, code: int, message: bytes) -> None:
        self.aborts.append((client, code, message))

    def entered(self, client: int, phase: str) -> None:
        self.phases.append((client, phase))

    def released(self) -> None:
        self.barriers += 1

    def take(self, client: int) -> bytes:
        return self.sent.pop(client, b"")


def server(size: int = 1) -> tuple[pmi1.Server, Recorder]:
    effects = Recorder()
    mapping = f"(vector,(0,1,{size}))"
    return pmi1.Server(size, [("PMI_process_mapping", mapping)], effects), effects


def dialogue() -> list[tuple[bytes, bytes | None]]:
    """Return the recorded (request, reply) pairs of the one long conversation; None is silence."""
    text = DATA.read_text().split("=== -s1\n")[1]
    pairs: list[tuple[bytes, bytes | None]] = []
    for block in text.split("[r0] > ")[1:]:
        request, reply = block.splitlines()[:2]
        if request.endswith("'") and reply.endswith(("'", ")")):  # others were cut when recorded
            taken = ast.literal_eval(reply[7:]) if reply.endswith("'") else None
            pairs.append((ast.literal_eval(request), taken))
    return pairs


def test_a_recorded_conversation_gets_the_recorded_answers() -> None:
    """Every request that was put to the real server gets the same answer from ours."""
    core, effects = server()
    pairs = dialogue()
    assert len(pairs) > 35
    for request, reply in pairs:
        try:
            core.receive(0, request)
        except pmi1.ProtocolError:
            pytest.fail(f"{request!r} was refused")
        if reply is not None:
            assert effects.take(0) == reply, request
    assert effects.ended == [0]


def refused() -> list[bytes]:
    """Return the requests that the real server did not survive."""
    parts = DATA.read_text().split("Protocol error\n[r0] > ")[1:]
    return [ast.literal_eval(part.partition("\n")[0]) for part in parts]


@pytest.mark.parametrize("line", refused())
def test_malformed_requests_end_that_conversation_only(line: bytes) -> None:
    """What made the real server exit is an error of that client; others are served on."""
    core, effects = server(2)
    with pytest.raises(pmi1.ProtocolError):
        core.receive(0, line)
    core.drop(0)
    core.receive(1, b"cmd=get_appnum\n")
    assert effects.take(1) == b"cmd=appnum rc=0 appnum=0\n"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"cmd=put kvsname=- key=%b value=v\n" % (b"k" * 63), 0),
        (b"cmd=put kvsname=- key=%b value=v\n" % (b"k" * 64), 5),
        (b"cmd=put kvsname=%b key=k value=v\n" % (b"n" * 63), 0),
        (b"cmd=put kvsname=%b key=k value=v\n" % (b"n" * 64), 8),
        (b"cmd=put kvsname=- key=k value=%b\n" % (b"v" * 1023), 0),
        (b"cmd=put kvsname=- key=k value=%b\n" % (b"v" * 1024), 7),
    ],
)
def test_length_limits(request_: bytes, code: int) -> None:
    """Names, keys and values are limited as get_maxes says, counting a NUL."""
    core, effects = server()
    core.receive(0, request_)
    assert effects.take(0) == b"cmd=put_result rc=%d\n" % code


def test_get_length_limits() -> None:
    """A get is refused with the codes of a put."""
    core, effects = server()
    core.receive(0, b"cmd=get kvsname=- key=%b\n" % (b"k" * 64))
    assert effects.take(0) == b"cmd=get_result rc=5\n"
    core.receive(0, b"cmd=get kvsname=%b key=k\n" % (b"n" * 64))
    assert effects.take(0) == b"cmd=get_result rc=8\n"


def test_barrier_releases_all_when_the_last_has_entered() -> None:
    """Nobody leaves a barrier before everybody is in it, twice in a row."""
    core, effects = server(3)
    for _ in range(2):
        for rank in (2, 0):
            core.receive(rank, b"cmd=barrier_in\n")
            assert effects.sent == {}
        core.receive(1, b"cmd=barrier_in\n")
        assert effects.sent == dict.fromkeys(range(3), b"cmd=barrier_out rc=0\n")
        effects.sent.clear()


def test_a_put_is_seen_by_gets_that_were_answered_before() -> None:
    """Remembered replies are forgotten when the KVS changes."""
    core, effects = server(2)
    ask = b"cmd=get kvsname=- key=k\n"
    for value in (b"one", b"two"):
        core.receive(0, b"cmd=put kvsname=- key=k value=%b\n" % value)
        for rank in (1, 1, 0):
            core.receive(rank, ask)
            assert effects.take(rank).endswith(b"rc=0 value=%b\n" % value)


def test_gets_in_one_go_are_answered_in_one_go() -> None:
    core, effects = server()
    replies = []
    effects.reply = lambda client, data: replies.append(data)  # type: ignore[method-assign]
    gets = []
    for rank in range(300):
        core.receive(0, b"cmd=put kvsname=- key=%d value=%d\n" % (rank, rank))
        gets.append(b"cmd=get kvsname=- key=%d\n" % rank)
    answers = [b"cmd=get_result rc=0 value=%d\n" % rank for rank in range(300)]
    for cut in (0, 1, 5000):
        replies.clear()
        stream = b"".join(gets)
        core.receive(0, stream[:cut] or gets[0])
        core.receive(0, stream[cut:])
        whole = b"".join(replies)
        assert whole.endswith(b"".join(answers))
    assert len(replies) == 2  # by now all have been answered once
    # what was never asked before is answered among what was
    core.receive(0, gets[7] + b"cmd=get_appnum\n" + gets[8])
    assert replies[2:] == [answers[7], b"cmd=appnum rc=0 appnum=0\n", answers[8]]


def test_abort_carries_code_and_message() -> None:
    """Both spellings of the exit code are taken, and the defaults are flux start's."""
    core, effects = server()
    core.receive(0, b"cmd=abort\ncmd=abort exitcode=7\ncmd=abort exit_code=8 error_msg=it broke\n")
    assert effects.aborts == [(0, 1, b"aborted"), (0, 7, b"aborted"), (0, 8, b"it broke")]


def test_an_endless_line_is_refused() -> None:
    """A client can not make the server store more than a line may hold."""
    core, _ = server()
    core.receive(0, b"x" * pmi1.LINE_MAX)
    with pytest.raises(pmi1.ProtocolError):
        core.receive(0, b"x")


@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=60)), max_size=20))
def test_any_bytes_are_answered_or_refused(chunks: list[tuple[int, bytes]]) -> None:
    """Bytes from nowhere raise ProtocolError or nothing, and the server still serves."""
    core, effects = server(4)
    for client, data in chunks:
        try:
            core.receive(client, data)
        except pmi1.ProtocolError:
            core.drop(client)
    core.receive(3, b"cmd=get_universe_size\n")
    assert effects.take(3).endswith(b"cmd=universe_size rc=0 size=4\n")


REQUESTS = st.sampled_from(
    [
        request
        for request, reply in dialogue()
        if reply and request.startswith(b"cmd=") and b"finalize" not in request
    ]
)


@given(st.lists(REQUESTS, max_size=8), st.data())
def test_how_bytes_are_cut_makes_no_difference(requests: list[bytes], data: st.DataObject) -> None:
    """A conversation gets the same replies whether it comes whole or in pieces, traced or not."""
    stream = b"".join(requests)
    whole, whole_effects = server()
    whole.receive(0, stream)
    pieces, pieces_effects = server()
    traced: list[bytes] = []
    pieces._trace = lambda _client, side, line: traced.append(side.encode() + line)
    at = 0
    while at < len(stream):
        cut = data.draw(st.integers(at + 1, len(stream)))
        pieces.receive(0, stream[at:cut])
        at = cut
    assert pieces_effects.sent == whole_effects.sent
    replies = b"".join(line[1:] for line in traced if line[:1] == b"S")
    assert replies == whole_effects.sent.get(0, b"")


@given(st.binary())
def test_a_traced_line_is_one_harmless_line(line: bytes) -> None:
    """A trace never moves a cursor and never spans lines."""
    traced = pmi1.trace_line("C", line)
    assert traced.endswith(b"\n")
    assert traced[:-1].decode("ascii").isprintable()


@given(
    st.text(
        alphabet=st.characters(codec="ascii", exclude_characters=" \n\t\r\v\f\0="),
        min_size=1,
        max_size=63,
    ),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=200),
)
def test_what_is_put_is_got(key: str, value: str) -> None:
    """Client encoding, server and client decoding agree for any key and value."""
    core, effects = server()
    core.receive(0, pmi1.request("put", kvsname="-", key=key, value=value))
    assert pmi1.expect(effects.take(0), "put_result") == 0
    core.receive(0, pmi1.request("get", kvsname="-", key=key))
    reply = effects.take(0)
    assert pmi1.expect(reply, "get_result") == 0
    found = pmi1.text(reply, b"value")
    assert found == value.encode().removesuffix(b" found=TRUE").removesuffix(b" found=TRUE")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"cmd=put_result rc=0\n", 0),
        (b"cmd=put_result\n", 0),
        (b"cmd=put_result rc=-1 msg=no\n", -1),
        (b"cmd=put_result msg=x rc=5\n", 5),
    ],
)
def test_return_codes_of_replies(line: bytes, code: int) -> None:
    """The code is found wherever it stands, and where old Hydra leaves it out it is success."""
    assert pmi1.expect(line, "put_result") == code


def test_a_wrong_reply_is_an_error() -> None:
    """A reply to something else is not taken."""
    with pytest.raises(pmi1.ProtocolError):
        pmi1.expect(b"cmd=get_result rc=0\n", "put_result")
