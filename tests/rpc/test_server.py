"""The server's side: who is let in and who is dropped; nothing a client does ends the loop."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.blocking import Client
from tests.rpc.loop import Echo

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def echo(scene: Path) -> Iterator[Echo]:
    """Give a server."""
    with Echo(scene / "s") as one:
        yield one


@pytest.fixture(scope="module")
def lasting() -> Iterator[Echo]:
    """Give a server that many examples share."""
    with tempfile.TemporaryDirectory(prefix="fs-") as name, Echo(Path(name) / "s") as one:
        yield one


def framed(topic: str, payload: bytes | None = None, **fields: int) -> bytes:
    return message.encode_framed(message.request(topic, payload, matchtag=1, **fields))


def test_clients_come_and_go(echo: Echo) -> None:
    """Each has a name and a pid, and its end is noticed."""
    with Client(echo.path) as client:
        uuid, pid = echo.next("joined")
        assert client.call("echo", {"a": 1}) == {"a": 1}
    assert (len(uuid), uuid[14], pid) == (36, "4", os.getpid())
    assert echo.next("left") == (uuid, errno.ECONNRESET)
    assert echo.server.clients == set()


def test_strangers_are_refused(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user gets the byte EPERM and nothing else."""
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(echo.path)
        assert sock.recv(9) == bytes((errno.EPERM,))
    monkeypatch.undo()
    assert echo.log.empty()


def test_descriptors_are_left_to_us(echo: Echo) -> None:
    """A client that would take one of our last descriptors is told so; room again lets others in.

    Clients that find none at all wait, and the loop does not spin meanwhile.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    top = max(map(int, os.listdir("/proc/self/fd")))
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        for sock in (first, second):
            sock.settimeout(30)
        fillers = [os.dup(0)]
        while fillers[-1] <= top:  # so that the lowest free number is a high one
            fillers.append(os.dup(0))
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (fillers[-1] + 8, hard))
            first.connect(echo.path)
            assert first.recv(9) == bytes((errno.EMFILE,))
            assert first.recv(9) == b""  # its descriptor is free again, and ours to fill
            with contextlib.suppress(OSError):
                while True:
                    fillers.append(os.dup(0))
            second.connect(echo.path)
            echo.loop.do(lambda: None)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for fd in fillers:
                os.close(fd)
        assert second.recv(1) == b"\0"


def test_many_clients(echo: Echo) -> None:
    """A hundred at once are served."""
    clients = [Client(echo.path) for _ in range(100)]
    for number, client in enumerate(clients):
        assert client.call("echo", {"n": number}) == {"n": number}
    for client in clients:
        client.close()
    for _ in clients:
        echo.next("left")


def test_one_that_does_not_read_is_dropped(echo: Echo) -> None:
    """Its backlog is bounded, and others do not notice."""
    with echo.connect() as sock, Client(echo.path) as other:
        sock.sendall(framed("flood", message.text_payload('{"n": 400, "size": 65536}')))
        assert echo.next("left")[1] == errno.ENOBUFS
        assert other.call("echo", {}) == {}


def test_one_that_reads_late_gets_everything(echo: Echo) -> None:
    """What waits for a slow reader is kept up to the limit."""
    with Client(echo.path) as client:
        stream = client.stream("flood", {"n": 200, "size": 50_000})
        first = next(stream)
        echo.loop.do(lambda: None)
        assert len([first, *stream]) == 200


def test_answers_to_one_that_has_gone_are_dropped(echo: Echo) -> None:
    """A request may outlive its sender; it can be asked whether somebody is there."""
    with echo.connect() as sock:
        sock.sendall(framed("never"))
        request = echo.parked.get(timeout=30)
        live = [request.live]
    echo.next("left")
    assert [*live, request.live] == [True, False]
    echo.loop.do(request.respond)


def test_what_is_no_request_is_dropped(echo: Echo) -> None:
    """Responses and events from clients are not for us."""
    with echo.connect() as sock:
        sock.sendall(message.encode_framed(message.Message(message.EVENT, "x")))
        assert echo.next("dropped")[1] == message.EVENT


def test_responses_are_routed_back(echo: Echo) -> None:
    """Topic, matchtag and the routes sent are returned; routing is always enabled."""
    with echo.connect() as sock:
        for routes in (None, [], ["a", "b"]):
            request = message.request("echo", matchtag=7)
            request.routes = routes
            sock.sendall(message.encode_framed(request))
            (answer,) = message.Decoder().feed(sock.recv(999))
            assert (answer.topic, answer.matchtag, answer.routes) == ("echo", 7, routes or [])
            assert (answer.userid, answer.rolemask, answer.text) == (os.getuid(), 5, "{}")


def test_no_answer_where_none_is_wanted(echo: Echo) -> None:
    """NORESPONSE is honoured for errors too."""
    with echo.connect() as sock:
        sock.sendall(framed("no.such", flags=message.NORESPONSE) + framed("echo"))
        (answer,) = message.Decoder().feed(sock.recv(999))
        assert answer.topic == "echo"


def test_text_that_utf8_has_not(echo: Echo) -> None:
    """Names of files and clients' words may hold lone surrogates; they are escaped."""
    with echo.connect() as sock:
        sock.sendall(framed("echo", b'{"a":"\\ud800"}\0'))
        (answer,) = message.Decoder().feed(sock.recv(999))
        assert answer.text == '{"a":"\\ud800"}'


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"\xff\0", b"[]\0", b"{\0", b"[" * 99999 + b"\0", b"{}\0\0"]
)
def test_what_is_no_payload(echo: Echo, payload: bytes) -> None:
    """It is answered with EPROTO."""
    with echo.connect() as sock:
        sock.sendall(framed("echo", payload))
        (answer,) = message.Decoder().feed(sock.recv(999))
        assert answer.errnum == errno.EPROTO


def alive(lasting: Echo) -> None:
    with Client(lasting.path) as client:
        assert client.call("echo", {"still": "there"}) == {"still": "there"}


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_random_bytes_end_only_their_connection(lasting: Echo, data: bytes) -> None:
    with lasting.connect() as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""
    alive(lasting)


_VALID = framed("echo", b'{"a":1}\0') + framed("count", b'{"n":2}\0', flags=message.STREAMING)


@given(
    st.integers(0, len(_VALID) - 1),
    st.integers(0, 255),
    st.integers(0, len(_VALID)),
)
@settings(max_examples=150, deadline=None)
def test_damaged_and_truncated_frames(lasting: Echo, at: int, byte: int, length: int) -> None:
    data = bytearray(_VALID)
    data[at] = byte
    with lasting.connect() as sock, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(data[:length])
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(9999):
            pass
    alive(lasting)


def test_a_message_too_long_is_not_stored(echo: Echo) -> None:
    """The length alone ends the connection."""
    with echo.connect() as sock:
        sock.sendall(framed("x")[:4] + (1 << 30).to_bytes(4, "big"))
        assert sock.recv(1) == b""
    assert echo.next("left")[1] == errno.EPROTO
