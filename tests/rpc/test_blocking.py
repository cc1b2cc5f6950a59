"""The client's side for commands, which wait."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.rpc.blocking import Client
from fluxstart_tui.rpc.errors import RpcError
from tests.rpc.loop import Echo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def echo(scene: Path) -> Iterator[Echo]:
    """Give a server."""
    with Echo(scene / "s") as one:
        yield one


def errnum(call: Callable[[], object]) -> int:
    with pytest.raises(RpcError) as caught:
        call()
    return caught.value.errnum


def test_calls_and_streams(echo: Echo) -> None:
    """Answers are returned, streams iterated over, errors raised."""
    with Client(f"local://{echo.path}") as client:
        assert client.call("echo", {"a": "b"}) == {"a": "b"}
        assert [one["n"] for one in client.stream("count", {"n": 3})] == [0, 1, 2]
        assert errnum(lambda: client.call("fail", {"errnum": 3})) == 3
        assert errnum(lambda: next(client.stream("no.such"))) == errno.ENOSYS
        assert errnum(lambda: client.call("never", timeout=0.05)) == errno.ETIMEDOUT
        assert client.call("echo", timeout=30) == {}


def test_the_server_goes(echo: Echo) -> None:
    """An end in the middle is an error."""
    with Client(echo.path) as client:
        client.call("echo")
        echo.hang_up()
        assert errnum(lambda: client.call("echo")) in (errno.ECONNRESET, errno.EPIPE)


def test_nobody_there(scene: Path) -> None:
    """The reason is raised at once, or after the retries."""
    assert errnum(lambda: Client(str(scene / "s"), retries=1)) == errno.ENOENT
    assert errnum(lambda: Client("x" * 200)) == errno.EINVAL


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [(b"\x01", errno.EPERM), (b"\0garbage!", errno.EPROTO), (b"\0", errno.ECONNRESET)],
    ids=["refused", "garbage", "closed"],
)
def test_servers_that_are_none(scene: Path, sent: bytes, wanted: int) -> None:
    """Each is an error."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(scene / "s"))
        listener.listen()
        import threading

        def serve() -> None:
            peer = listener.accept()[0]
            peer.send(sent)
            peer.shutdown(socket.SHUT_WR)
            peer.recv(1)
            peer.close()

        thread = threading.Thread(target=serve)
        thread.start()

        def ask() -> None:
            with Client(str(scene / "s"), timeout=30) as client:
                client.call("echo")

        assert errnum(ask) == wanted
        thread.join()


def test_silence(scene: Path) -> None:
    """A server that lets nobody in is given up."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(scene / "s"))
        listener.listen()
        assert errnum(lambda: Client(str(scene / "s"), timeout=0.05)) == errno.ETIMEDOUT
