"""What the start service may have done to a running instance."""

from __future__ import annotations

import errno
import os
import signal
import time

from fluxstart_tui.engine.start_control import Position
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from fluxstart_tui.engine.console import Console
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.engine.start_control import Held
    from fluxstart_tui.engine.supervisor import Supervisor


class Commands:
    """The commands of `start_service.Control`, carried out by the engine's rooms.

    Args:
        supervisor: has the brokers.
        record: has the session.
        consoles: the terminals of ours that ranks run on.
        info: what start.info answers.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        record: Record,
        consoles: Mapping[int, Console],
        info: dict[str, Any],
    ) -> None:
        self._supervisor = supervisor
        self._record = record
        self._consoles = consoles
        self._info = info

    @property
    def size(self) -> int:
        """Number of ranks."""
        return len(self._supervisor.brokers)

    def pid(self, rank: int) -> int:
        """Return the pid of a broker, -1 if it does not run."""
        return self._supervisor.pids.get(rank, -1)

    def exit_rc(self, rank: int) -> int:
        """Return the exit code of the broker's last end (128 + signal), 0 if there was none."""
        return self._supervisor.exit_codes.get(rank, 0)

    def start(self, rank: int) -> None:
        """Start a broker that does not run, with the argv that it had.

        Raises:
            OSError: it can not be started.
            RpcError: EBUSY, the instance is ending.
        """
        if self._supervisor.ending:
            raise RpcError(errno.EBUSY, "the instance is ending")
        self._supervisor.start(self._supervisor.brokers[rank])

    def signal(self, ranks: frozenset[int], signum: int, by: str) -> frozenset[int]:
        """Signal those of `ranks` that run, and return them.

        Raises:
            RpcError: EINVAL, there is no such signal.
        """
        if not 0 < signum < signal.NSIG:
            raise RpcError(errno.EINVAL)
        return self._supervisor.signal(ranks, signum, by)

    def info(self) -> dict[str, Any]:
        """Return what start.info answers."""
        left = self._supervisor.timer.left
        return {
            **self._info,
            "timer": left if left is not None and left < float("inf") else None,
            "recording": self._record.recorder is not None and self._record.recorder.error is None,
            "ptys": {str(rank): one.describe() for rank, one in self._consoles.items()},
        }

    def position(self) -> Position | None:
        """Return how far the session can be read, None if nothing is recorded."""
        recorder = self._record.recorder
        return None if recorder is None else Position(*recorder.position)

    def extend_timer(self, seconds: float, by: str) -> float:  # noqa: ARG002 - Control's
        """Move the exit timer's deadline; return the seconds left.

        Raises:
            RpcError: EINVAL, none runs.
        """
        left = self._supervisor.timer.extend(seconds)
        if left is None:
            raise RpcError(errno.EINVAL, "the exit timer does not run")
        return left

    def cancel_timer(self, by: str) -> None:  # noqa: ARG002 - Control's
        """Disarm the exit timer.

        Raises:
            RpcError: EINVAL, none runs.
        """
        if not self._supervisor.timer.cancel():
            raise RpcError(errno.EINVAL, "the exit timer does not run")

    def fire_timer(self, by: str) -> frozenset[int]:
        """Kill now whom the exit timer would kill, armed or not; return the ranks."""
        return self._supervisor.fire_timer("user", by)

    def input(self, rank: int, data: bytes, done: Callable[[int], None]) -> None:
        """Type `data` into a rank's terminal; `done` is told 0 or an errno.

        Raises:
            RpcError: ENOTSUP, it has none of ours.
        """
        self._terminal(rank).input(data, done)

    def resize(self, rank: int, rows: int, cols: int) -> None:
        """Give a rank's terminal a size.

        Raises:
            RpcError: ENOTSUP, there is none of ours.
        """
        self._terminal(rank).resize(rows, cols)

    def resume(self, rank: int) -> None:
        """Continue the program that has a rank's terminal.

        Raises:
            RpcError: ENOTSUP, there is none of ours; EINVAL, it is not stopped, or by a shell.
        """
        terminal = self._terminal(rank)
        if terminal.stopped_foreground() is None:
            raise RpcError(errno.EINVAL, f"no program on the terminal of rank {rank} is stopped")
        terminal.resume_foreground()

    def _terminal(self, rank: int) -> Console:
        console = self._consoles.get(rank)
        if console is None:
            raise RpcError(errno.ENOTSUP, f"rank {rank} has no terminal of ours")
        return console

    def hold(self, ranks: frozenset[int], *, barrier: bool) -> Held:
        """Hold ranks in PMI, and the barrier if `barrier`; return all that is held.

        Raises:
            RpcError: ENOTSUP, this is normal mode, in which there is no PMI of ours.
        """
        if self._info["mode"] == "normal":
            raise RpcError(errno.ENOTSUP, "the broker is a singleton: it boots without PMI")
        pmi = self._supervisor.pmi
        if ranks:
            pmi.hold(ranks)
        if barrier:
            pmi.hold_barrier(held=True)
        return pmi.held

    def release(self, ranks: frozenset[int], *, barrier: bool) -> Held:
        """Let go; return what is still held."""
        pmi = self._supervisor.pmi
        if ranks:
            pmi.release(ranks)
        if barrier:
            pmi.hold_barrier(held=False)
        return pmi.held

    def shutdown(self, by: str) -> None:
        """Begin an orderly end, as SIGTERM to the engine does."""
        self._supervisor.interrupt(signal.SIGTERM, by)


def header(began: float, about: dict[str, Any]) -> dict[str, Any]:
    """Return what a session begins with and start.info answers, beside what is particular to it.

    Args:
        began: when the record began, in seconds since 1970: times of events count from it.
        about: what only the caller knows: mode, size, rundir, broker, options.
    """
    from fluxstart_tui import __version__

    day = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(began))
    start = f"{day}.{int(began % 1 * 1e6):06d}+00:00"
    return {
        "format": 1,
        "program": f"fluxstart-tui {__version__}",
        "host": os.uname().nodename,
        "uid": os.getuid(),
        "pid": os.getpid(),
        "start": start,
        "terminals": "",
        **about,
    }
