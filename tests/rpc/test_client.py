"""The client's side on a reactor: answers, streams, and every way to get none."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any

import pytest

from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.client import Client
from fluxstart_tui.rpc.errors import RpcError
from tests.rpc.loop import Echo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Answer = dict[str, Any] | RpcError


class Asked:
    """A client and what its callbacks were told, errors as their errnum."""

    def __init__(self, path: str, **options: Any) -> None:
        self.reactor = Reactor()
        self.told: list[object] = []
        self.closed: list[int] = []
        self.client = Client(
            self.reactor, path, on_close=lambda error: self.closed.append(error.errnum), **options
        )

    def take(self, answer: Answer) -> None:
        self.told.append(answer.errnum if isinstance(answer, RpcError) else answer)

    def until(self, condition: Callable[[], object]) -> None:
        end = self.reactor.now() + 30
        while not condition():
            assert self.reactor.now() < end
            self.reactor.run_once(0.2)

    def close(self) -> None:
        self.client.close()
        self.reactor.close()


@pytest.fixture
def echo(scene: Path) -> Iterator[Echo]:
    """Give a server."""
    with Echo(scene / "s") as one:
        yield one


@pytest.fixture
def asked(echo: Echo) -> Iterator[Asked]:
    """Give a client of it."""
    one = Asked(echo.path)
    yield one
    one.close()


def test_calls_are_answered_each(asked: Asked) -> None:
    """Several may be under way; who they are for is told by the matchtag."""
    for n in range(3):
        asked.client.call("echo", {"n": n}, asked.take)
    assert asked.told == []
    asked.until(lambda: len(asked.told) == 3)
    assert asked.told == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_an_error_has_number_and_text(asked: Asked) -> None:
    """A service's error arrives as it was raised."""
    errors: list[Answer] = []
    asked.client.call("fail", {"errnum": 22, "text": "no such thing"}, errors.append)
    asked.client.call("fail", {"errnum": 3}, errors.append)
    asked.client.call("no.such", None, errors.append)
    asked.until(lambda: len(errors) == 3)
    assert [(one.errnum, one.text) for one in errors if isinstance(one, RpcError)] == [
        (22, "no such thing"),
        (3, None),
        (38, "No service matching no.such is registered"),
    ]


def test_a_stream_ends_with_enodata(asked: Asked) -> None:
    """All answers come in order, the end last."""
    asked.client.stream("count", {"n": 3}, asked.take)
    asked.until(lambda: errno.ENODATA in asked.told)
    assert asked.told == [{"n": 0}, {"n": 1}, {"n": 2}, errno.ENODATA]


def test_a_call_that_is_not_answered_in_time(asked: Asked) -> None:
    """It is given up; the connection and other calls go on."""
    asked.client.call("never", None, asked.take, timeout=0.05)
    asked.client.stream("never", None, asked.take, timeout=0.05)
    asked.until(lambda: len(asked.told) == 2)
    asked.client.call("echo", {}, asked.take, timeout=30)
    asked.until(lambda: len(asked.told) == 3)
    assert asked.told == [errno.ETIMEDOUT, errno.ETIMEDOUT, {}]


def test_late_answers_are_not_taken_for_others(asked: Asked, echo: Echo) -> None:
    """What was given up may still be answered."""
    asked.client.call("never", None, asked.take, timeout=0.05)
    asked.until(lambda: asked.told)
    request = echo.parked.get(timeout=30)
    echo.loop.do(lambda: request.respond({"late": True}))
    asked.client.call("echo", {}, asked.take)
    asked.until(lambda: len(asked.told) == 2)
    assert asked.told == [errno.ETIMEDOUT, {}]


def test_cancel(asked: Asked, echo: Echo) -> None:
    """A cancelled call is silent, and the service can be told."""
    call = asked.client.stream("never", None, asked.take, timeout=30)
    asked.until(lambda: not echo.parked.empty())
    asked.client.cancel(call, "never")
    asked.until(lambda: echo.parked.qsize() == 2)
    stream, cancel = echo.parked.get(), echo.parked.get()
    assert cancel.message.flags & message.NORESPONSE
    assert cancel.unpack() == {"matchtag": stream.message.matchtag}
    echo.loop.do(lambda: stream.respond({"late": True}))
    asked.client.call("echo", {}, asked.take)
    asked.until(lambda: asked.told)
    assert asked.told == [{}]


def test_the_server_goes(asked: Asked, echo: Echo) -> None:
    """What is under way fails, then on_close is told, and later calls fail too."""
    asked.client.call("never", None, asked.take)
    asked.client.stream("never", None, asked.take)
    asked.until(lambda: echo.parked.qsize() == 2)
    echo.loop.do(echo.server.close)
    asked.until(lambda: asked.closed)
    assert (asked.told, asked.client.open) == ([errno.ECONNRESET] * 2, False)
    asked.client.call("echo", None, asked.take)
    assert len(asked.told) == 2
    asked.until(lambda: len(asked.told) == 3)


def test_callbacks_may_close(asked: Asked, echo: Echo) -> None:
    """Once closed, a client is silent, even in the middle of its end."""

    def take(answer: Answer) -> None:
        asked.take(answer)
        asked.client.close()

    asked.client.call("never", None, take)
    asked.client.call("never", None, take)
    asked.until(lambda: echo.parked.qsize() == 2)
    echo.hang_up()
    asked.until(lambda: asked.told)
    asked.reactor.run_once(0.01)
    assert (asked.told, asked.closed) == ([errno.ECONNRESET], [])


def test_the_socket_comes_late(scene: Path) -> None:
    """The client tries again, as Flux's connector does."""
    asked = Asked(f"local://{scene}/s")
    asked.client.call("echo", {"n": 1}, asked.take)
    asked.reactor.run_once(0.001)
    with Echo(scene / "s"):
        asked.until(lambda: asked.told)
        assert asked.told == [{"n": 1}]
        asked.close()


@pytest.mark.parametrize(
    ("name", "options", "wanted"),
    [
        ("s", {"retries": 0}, errno.ENOENT),
        ("s", {"retries": 2}, errno.ENOENT),
        ("x" * 200, {}, errno.EINVAL),
        ("", {"retries": 0}, errno.ECONNREFUSED),
    ],
    ids=["missing", "retried", "too long", "a directory"],
)
def test_nobody_there(scene: Path, name: str, options: dict[str, Any], wanted: int) -> None:
    """The reason is told, and not before the caller holds the client."""
    asked = Asked(f"{scene}/{name}", **options)
    asked.client.call("echo", None, asked.take)
    assert (asked.told, asked.closed) == ([], [])
    asked.until(lambda: asked.closed)
    assert (asked.told, asked.closed) == ([wanted], [wanted])
    asked.close()


def test_the_environment_says_how_often(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FLUX_LOCAL_CONNECTOR_RETRY_COUNT is Flux's own; delays double from 16 ms up to 2 s."""
    from fluxstart_tui.rpc.connect import delays

    monkeypatch.delenv("FLUX_LOCAL_CONNECTOR_RETRY_COUNT", raising=False)
    assert list(delays()) == [0.016, 0.032, 0.064, 0.128, 0.256]
    monkeypatch.setenv("FLUX_LOCAL_CONNECTOR_RETRY_COUNT", "9")
    assert list(delays())[-2:] == [2.0, 2.0]
    monkeypatch.setenv("FLUX_LOCAL_CONNECTOR_RETRY_COUNT", "many")
    assert len(list(delays())) == 5


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (b"\x01", errno.EPERM),
        (b"\x26", errno.ENOSYS),
        (b"", errno.ECONNRESET),
        (b"\0", errno.ECONNRESET),
        (b"\0garbage that is no message", errno.EPROTO),
        (b"\0\x12\x00\xee\xff\x00\x00\x00\x4e", errno.ECONNRESET),
        (b"\0\x12\x00\xee\xff\xff\xff\xff\xff", errno.EPROTO),
    ],
    ids=["refused", "no service", "closed", "closed later", "garbage", "half", "endless"],
)
def test_servers_that_are_none(scene: Path, sent: bytes, wanted: int) -> None:
    """Each is an error of the call and the end of the client, never an exception in the loop."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(scene / "s"))
        listener.listen()
        asked = Asked(str(scene / "s"))
        asked.client.call("echo", None, asked.take)
        peer = listener.accept()[0]
        peer.send(sent)
        peer.shutdown(socket.SHUT_WR)
        asked.until(lambda: asked.closed)
        assert (asked.told, asked.closed) == ([wanted], [wanted])
        asked.close()
        peer.close()


@pytest.mark.parametrize("payload", [b"[1]\0", b'"x"\0', b"{\0", b"{}", b"\xff\0"])
def test_answers_that_are_no_object(scene: Path, payload: bytes) -> None:
    """They fail the call alone."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(scene / "s"))
        listener.listen()
        asked = Asked(str(scene / "s"))
        asked.client.call("echo", None, asked.take)
        peer = listener.accept()[0]
        request = message.request("echo", matchtag=1)
        peer.send(b"\0" + message.encode_framed(message.response(request, payload)))
        asked.until(lambda: asked.told)
        assert (asked.told, asked.client.open) == ([errno.EPROTO], True)
        asked.close()
        peer.close()
