"""The client's side with asyncio."""

from __future__ import annotations

import asyncio
import errno
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fluxstart_tui.rpc import aio
from fluxstart_tui.rpc.aio import Client
from fluxstart_tui.rpc.errors import RpcError
from tests.rpc.loop import Echo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path


@pytest.fixture
def echo(scene: Path) -> Iterator[Echo]:
    """Give a server."""
    with Echo(scene / "s") as one:
        yield one


def run(path: str, body: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        client = Client(path, **options)
        try:
            await asyncio.wait_for(body(client), 30)
        finally:
            client.close()

    asyncio.run(main())


async def errnum(call: Awaitable[object]) -> int:
    with pytest.raises(RpcError) as caught:
        await call
    return caught.value.errnum


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_calls(echo: Echo) -> None:
    """Concurrent calls share one connection, made by the first."""

    async def body(client: Client) -> None:
        assert not client.connected
        answers = await asyncio.gather(*(client.call("echo", {"n": n}) for n in range(20)))
        assert answers == [{"n": n} for n in range(20)]
        assert len(echo.server.clients) == 1
        with pytest.raises(RpcError, match="no such thing") as caught:
            await client.call("fail", {"errnum": 22, "text": "no such thing"})
        assert caught.value.errnum == 22

    run(f"local://{echo.path}", body)


def test_streams(echo: Echo) -> None:
    """A stream is iterated over; its end is the loop's end, an error is raised."""

    async def body(client: Client) -> None:
        assert [one["n"] async for one in client.stream("count", {"n": 5})] == [0, 1, 2, 3, 4]
        assert await errnum(anext(client.stream("no.such"))) == errno.ENOSYS

    run(echo.path, body)


def test_leaving_a_stream_cancels_it(echo: Echo) -> None:
    """The service is told by the method given."""

    async def body(client: Client) -> None:
        stream = client.stream("never", cancel="never")
        task = asyncio.ensure_future(anext(stream))
        await until(lambda: echo.parked.qsize() == 1)
        task.cancel()
        await until(lambda: echo.parked.qsize() == 2)
        request, cancel = echo.parked.get(), echo.parked.get()
        assert cancel.unpack() == {"matchtag": request.message.matchtag}

    run(echo.path, body)


def test_a_stream_that_nobody_takes_is_given_up(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its backlog is bounded, and calls are answered meanwhile."""
    monkeypatch.setattr(aio, "_UNREAD_MAX", 10)

    async def body(client: Client) -> None:
        stream = client.stream("count", {"n": 1000})
        assert await anext(stream) == {"n": 0}
        assert await client.call("echo") == {}
        got: list[int] = []

        async def take_all() -> None:
            async for one in stream:
                got.append(one["n"])  # noqa: PERF401 - what came before the error counts

        assert await errnum(take_all()) == errno.ENOBUFS
        assert got == list(range(1, len(got) + 1))

    run(echo.path, body)


def test_timeouts(echo: Echo) -> None:
    """A call given up is an error of its own; the client goes on."""

    async def body(client: Client) -> None:
        assert await errnum(client.call("never", timeout=0.05)) == errno.ETIMEDOUT
        assert await client.call("echo", timeout=30) == {}

    run(echo.path, body)


def test_the_server_goes_and_comes_back(echo: Echo) -> None:
    """What is under way fails; the next call connects again."""

    async def body(client: Client) -> None:
        call = asyncio.ensure_future(client.call("never"))
        stream = asyncio.ensure_future(anext(client.stream("never")))
        await until(lambda: echo.parked.qsize() == 2)
        echo.hang_up()
        assert [await errnum(call), await errnum(stream)] == [errno.ECONNRESET] * 2
        assert not client.connected
        assert await client.call("echo") == {}
        assert client.connected

    run(echo.path, body)


def test_nobody_there(scene: Path) -> None:
    """The reason is raised, also for paths that can be none."""

    async def body(client: Client) -> None:
        assert await errnum(client.call("echo")) in (errno.ENOENT, errno.EINVAL)

    run(str(scene / "s"), body, retries=1)
    run("x" * 200, body)


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [(b"\x01", errno.EPERM), (b"", errno.ECONNRESET), (b"\0garbage!", errno.EPROTO)],
    ids=["refused", "closed", "garbage"],
)
def test_servers_that_are_none(scene: Path, sent: bytes, wanted: int) -> None:
    """Each is an error of the call."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        writer.close()

    async def body(client: Client) -> None:
        async with await asyncio.start_unix_server(serve, str(scene / "s")):
            assert await errnum(client.call("echo")) == wanted

    run(str(scene / "s"), body)


def test_closed_for_good(echo: Echo) -> None:
    """What is under way fails, and so does what comes after."""

    async def body(client: Client) -> None:
        call = asyncio.ensure_future(client.call("never"))
        await until(lambda: not echo.parked.empty())
        client.close()
        assert await errnum(call) == errno.ECONNRESET
        assert await errnum(client.call("echo")) == errno.ENOTCONN

    run(echo.path, body)


def test_nothing_else_imports_asyncio() -> None:
    """The reactor's side stays light."""
    code = (
        "import sys, fluxstart_tui.rpc.client, fluxstart_tui.rpc.server,"
        " fluxstart_tui.engine.start_service\n"
        "print({'asyncio', 'json', 'pathlib', 'argparse'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
