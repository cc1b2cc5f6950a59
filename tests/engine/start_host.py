"""A start service over real child processes, without the rest of an engine."""

from __future__ import annotations

import errno
import os
import queue
import signal
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Any

from fluxstart_tui.engine.start_control import Held, Position
from fluxstart_tui.engine.start_service import StartService
from fluxstart_tui.engine.start_socket import StartSocket
from fluxstart_tui.rpc.blocking import Client
from fluxstart_tui.rpc.errors import RpcError
from tests.rpc.loop import PATIENCE, Loop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NO_TERMINAL = RpcError(errno.ENOTSUP, "rank 0 has no terminal of ours")


class Host:
    """Implements start_control.Control; `said` has the lines for the user, `asked` the rest.

    Args:
        place: where the socket is to be.
        size: number of ranks.
        argv: what a broker is.
        running: ranks that are started.
    """

    def __init__(
        self,
        place: Path,
        size: int = 2,
        argv: tuple[str, ...] = ("sleep", "1000"),
        running: tuple[int, ...] = (0, 1),
    ) -> None:
        self.path = f"{place}/start"
        self.size = size
        self.argv = argv
        self.said: queue.Queue[str] = queue.Queue()
        self.asked: queue.Queue[tuple[Any, ...]] = queue.Queue()
        self.where: Position | None = None
        self.held = Held(frozenset(), barrier=False)
        self.remaining: float | None = None
        self.typing: list[Callable[[int], None]] = []
        self.terminal = False
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._codes: dict[int, int] = {}
        self.loop = Loop()
        self.socket = StartSocket(self.path)
        for rank in running:
            self.loop.do(partial(self.start, rank))
        self.service = self.loop.do(
            lambda: StartService(
                self.loop.reactor,
                self.socket.listener,
                self,
                self,  # type: ignore[arg-type] # all of Messages that is used
                verbose=True,
            )
        )

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        if self.loop.error is None:
            self.loop.do(self.service.close)
        self.loop.stop()
        self.socket.close()
        for child in self._children.values():
            child.kill()
            child.wait()

    def client(self) -> Client:
        """Return a client."""
        return Client(self.path, timeout=PATIENCE)

    def hear(self) -> str:
        """Return the next line for the user."""
        return self.said.get(timeout=PATIENCE)

    def hear_all(self, last: str) -> list[str]:
        """Return lines for the user up to one that begins with `last`, names of clients as X."""
        lines: list[str] = []
        while not (lines and lines[-1].startswith(last)):
            words = self.hear().split()
            lines.append(" ".join("X" if len(w) == 5 and set(w) <= HEX else w for w in words))
        return lines

    def grow(self, journal: int, segment: int = 0, records: int = 0) -> None:
        """Have the session grown."""

        def grow() -> None:
            self.grow_unsaid(journal, segment, records)
            self.service.grew()

        self.loop.do(grow)

    def grow_unsaid(self, journal: int, segment: int = 0, records: int = 0) -> None:
        """Have the session grown without the service knowing yet; only in the loop."""
        self.where = Position(journal, segment, records)

    # What StartService calls.

    def say(self, text: str) -> None:
        self.said.put(text)

    def pid(self, rank: int) -> int:
        child = self._children.get(rank)
        return -1 if child is None else child.pid

    def exit_rc(self, rank: int) -> int:
        return self._codes.get(rank, 0)

    def start(self, rank: int) -> None:
        child = subprocess.Popen(self.argv)
        self._children[rank] = child
        pidfd = os.pidfd_open(child.pid)

        def exited() -> None:
            self.loop.reactor.remove_reader(pidfd)
            os.close(pidfd)
            code = child.wait()
            del self._children[rank]
            self._codes[rank] = code if code >= 0 else 128 - code
            self.service.exited(rank)

        self.loop.reactor.add_reader(pidfd, exited)

    def signal(self, ranks: frozenset[int], signum: int, by: str) -> frozenset[int]:
        reached = frozenset(ranks & self._children.keys())
        for rank in reached:
            self._children[rank].send_signal(signum)
        self.asked.put(("signal", ranks, signum, by))
        return reached

    def info(self) -> dict[str, Any]:
        return {"program": "fluxstart-tui test", "size": self.size, "session": None}

    def position(self) -> Position | None:
        return self.where

    def extend_timer(self, seconds: float, by: str) -> float:
        if self.remaining is None:
            raise RpcError(errno.EINVAL, "the exit timer does not run")
        self.remaining += seconds
        return self.remaining

    def cancel_timer(self, by: str) -> None:
        if self.remaining is None:
            raise RpcError(errno.EINVAL, "the exit timer does not run")
        self.remaining = None

    def fire_timer(self, by: str) -> frozenset[int]:
        return self.signal(frozenset(range(self.size)), signal.SIGKILL, by)

    def input(self, rank: int, data: bytes, done: Callable[[int], None]) -> None:
        if not self.terminal:
            raise NO_TERMINAL
        self.typing.append(done)
        self.asked.put(("input", rank, data))

    def resize(self, rank: int, rows: int, cols: int) -> None:
        if not self.terminal:
            raise NO_TERMINAL
        self.asked.put(("resize", rank, rows, cols))

    def resume(self, rank: int) -> None:
        if not self.terminal:
            raise NO_TERMINAL
        self.asked.put(("resume", rank))

    def hold(self, ranks: frozenset[int], *, barrier: bool) -> Held:
        self.held = Held(self.held.ranks | ranks, self.held.barrier or barrier)
        return self.held

    def release(self, ranks: frozenset[int], *, barrier: bool) -> Held:
        self.held = Held(self.held.ranks - ranks, self.held.barrier and not barrier)
        return self.held

    def shutdown(self, by: str) -> None:
        self.asked.put(("shutdown", by))


HEX = set("0123456789abcdef")
