"""What the start service may do to an instance that a launcher has started."""

from __future__ import annotations

import errno
import signal

from fluxstart_tui.engine.start_control import Held, Position
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fluxstart_tui.engine.launched import Launched
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.session.said import Reader


class LaunchControl:
    """The commands of `start_service.Control`; what only our own PMI or terminals could do is not.

    Args:
        launched: the launcher.
        record: has the session.
        info: what start.info answers.
        reader: knows the size.
    """

    def __init__(
        self,
        launched: Launched,
        record: Record,
        info: dict[str, Any],
        reader: Reader,
    ) -> None:
        self._launched = launched
        self._record = record
        self._info = info
        self._reader = reader

    @property
    def size(self) -> int:
        """Number of ranks as far as it is known."""
        return self._reader.size

    def pid(self, rank: int) -> int:
        """Return the pid of a broker on this host, -1 if it is not known to run here."""
        return self._launched.local.pids.get(rank, -1)

    def exit_rc(self, rank: int) -> int:  # noqa: ARG002 - Control's
        """Return 0: only the launcher knows how a broker has ended."""
        return 0

    def start(self, rank: int) -> None:
        """Refuse: the launcher starts brokers."""
        raise RpcError(errno.ENOTSUP, f"rank {rank} is started by the launcher")

    def signal(self, ranks: frozenset[int], signum: int, by: str) -> frozenset[int]:
        """Signal those of `ranks` that run on this host, and return them.

        Raises:
            RpcError: EINVAL, there is no such signal; ENOTSUP, none of them is here.
        """
        if not 0 < signum < signal.NSIG:
            raise RpcError(errno.EINVAL)
        sent = self._launched.local.signal(ranks, signum, by)
        if not sent:
            raise RpcError(errno.ENOTSUP, "no such broker is known to run on this host")
        return sent

    def info(self) -> dict[str, Any]:
        """Return what start.info answers."""
        recorder = self._record.recorder
        return {
            **self._info,
            "size": self.size,
            "timer": None,
            "recording": recorder is not None and recorder.error is None,
        }

    def position(self) -> Position | None:
        """Return how far the session can be read, None if nothing is recorded."""
        recorder = self._record.recorder
        return None if recorder is None else Position(*recorder.position)

    def extend_timer(self, seconds: float, by: str) -> float:  # noqa: ARG002 - Control's
        """Refuse: there is no exit timer."""
        raise RpcError(errno.EINVAL, "the exit timer does not run")

    def cancel_timer(self, by: str) -> None:  # noqa: ARG002 - Control's
        """Refuse: there is no exit timer."""
        raise RpcError(errno.EINVAL, "the exit timer does not run")

    def fire_timer(self, by: str) -> frozenset[int]:
        """Kill the launcher and what it runs on this host."""
        ranks = frozenset(self._launched.local.pids)
        self._launched.kill(by)
        return ranks

    def input(self, rank: int, data: bytes, done: Callable[[int], None]) -> None:  # noqa: ARG002 - Control's
        """Refuse: brokers have no terminal of ours."""
        raise RpcError(errno.ENOTSUP, f"rank {rank} has no terminal of ours")

    def resize(self, rank: int, rows: int, cols: int) -> None:  # noqa: ARG002 - Control's
        """Refuse: brokers have no terminal of ours."""
        raise RpcError(errno.ENOTSUP, f"rank {rank} has no terminal of ours")

    def resume(self, rank: int) -> None:
        """Refuse: brokers have no terminal of ours."""
        raise RpcError(errno.ENOTSUP, f"rank {rank} has no terminal of ours")

    def hold(self, ranks: frozenset[int], *, barrier: bool) -> Held:  # noqa: ARG002 - Control's
        """Refuse: the launcher serves PMI."""
        raise RpcError(errno.ENOTSUP, "the launcher serves PMI")

    def release(self, ranks: frozenset[int], *, barrier: bool) -> Held:  # noqa: ARG002 - Control's
        """Refuse: the launcher serves PMI."""
        raise RpcError(errno.ENOTSUP, "the launcher serves PMI")

    def shutdown(self, by: str) -> None:
        """Begin the launcher's own kind of end."""
        self._launched.interrupt(signal.SIGTERM, by)
