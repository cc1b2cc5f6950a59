"""A reactor in a thread, and a server on it, for tests that call it from outside."""

from __future__ import annotations

import errno
import os
import queue
import socket
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.rpc.server import Client, Server
from fluxstart_tui.rpc.services import Request, Services

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fluxstart_tui.rfc.message import Message

T = TypeVar("T")
PATIENCE = 30.0


class Loop:
    """Runs a reactor in a thread; whatever touches it is done there."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.error: BaseException | None = None
        """What has left the loop: nothing should."""
        self.reactor.add_reader(self._wake, self._work)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.reactor.run()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.error = error

    def _work(self) -> None:
        os.eventfd_read(self._wake)
        while not self._jobs.empty():
            self._jobs.get()()

    def do(self, job: Callable[[], T]) -> T:
        """Have something done in the loop and return what comes of it."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 - handed to the test
                future.set_exception(error)

        self._jobs.put(run)
        os.eventfd_write(self._wake, 1)
        return future.result(PATIENCE)

    def stop(self) -> None:
        """End the thread; fail if something has left the loop."""
        if self._thread.is_alive():
            self.do(self.reactor.stop)
        self._thread.join()
        self.reactor.close()
        os.close(self._wake)
        if self.error is not None:
            raise self.error


class Echo:
    """A server with a few methods, and what has happened to it.

    `echo` answers with its payload; `fail` with {"errnum", "text"}; `count` streams {"n": 0} to
    {"n": N - 1} for {"n": N} and ends; `flood` streams {"size"} bytes again and again up to {"n"};
    `never` keeps its requests in `parked`.
    """

    def __init__(self, path: Path, size_max: int = 1 << 20) -> None:
        self.path = str(path)
        self.log: queue.Queue[tuple[Any, ...]] = queue.Queue()
        self.parked: queue.Queue[Request] = queue.Queue()
        self.loop = Loop()
        services = Services()
        services.add("echo", lambda request: request.respond(request.unpack()))
        services.add("fail", self._fail)
        services.add("count", self._count)
        services.add("flood", self._flood)
        services.add("never", self.parked.put)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.server = self.loop.do(
            lambda: Server(
                self.loop.reactor,
                self.listener,
                services,
                joined=lambda client: self.log.put(("joined", client.uuid, client.pid)),
                left=lambda client, errnum: self.log.put(("left", client.uuid, errnum)),
                dropped=self._dropped,
                size_max=size_max,
            )
        )

    def __enter__(self) -> Echo:
        return self

    def __exit__(self, *_: object) -> None:
        if self.loop.error is None:
            self.loop.do(self.server.close)
        self.listener.close()
        self.loop.stop()

    def next(self, kind: str) -> tuple[Any, ...]:
        """Wait for something to happen and return what is known of it."""
        while True:
            entry = self.log.get(timeout=PATIENCE)
            if entry[0] == kind:
                return entry[1:]

    def hang_up(self) -> None:
        """Close all connections, as if the server had died and come back."""

        def close() -> None:
            for client in self.server.clients:
                client.close()

        self.loop.do(close)

    def connect(self) -> socket.socket:
        """Return a bare connection that was let in."""
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(self.path)
        assert sock.recv(1) == b"\0"
        return sock

    def _dropped(self, client: Client, arrived: Message) -> None:
        self.log.put(("dropped", client.uuid, arrived.type))

    def _fail(self, request: Request) -> None:
        payload = request.unpack()
        raise RpcError(payload["errnum"], payload.get("text"))

    def _count(self, request: Request) -> None:
        for n in range(request.unpack()["n"]):
            request.respond({"n": n})
        request.fail(errno.ENODATA)

    def _flood(self, request: Request) -> None:
        payload = request.unpack()
        for _ in range(payload["n"]):
            request.respond({"data": "x" * payload["size"]})
        request.end()
