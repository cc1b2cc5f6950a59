"""What the start service asks of the engine."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Control(Protocol):
        """What can be done to a running instance; the supervisor implements it.

        Ranks that it is given exist. `by` names who wants it, such as
        `start.kill from python3, pid 4711`. Any method may raise RpcError(errnum, text), which the
        client is answered with.
        """

        @property
        def size(self) -> int:
            """Number of ranks."""

        def pid(self, rank: int) -> int:
            """Return the pid of a broker, -1 if it does not run."""

        def exit_rc(self, rank: int) -> int:
            """Return the exit code of the broker's last end (128 + signal), 0 if there was none."""

        def start(self, rank: int) -> None:
            """Start a broker that does not run, with the argv that it had.

            Raises:
                OSError: it can not be started.
            """

        def signal(self, ranks: frozenset[int], signum: int, by: str) -> frozenset[int]:
            """Signal those of `ranks` that run, and return them; EINVAL for an unknown signal."""

        def info(self) -> dict[str, Any]:
            """Return what start.info answers (see StartService), less what the service adds."""

        def position(self) -> Position | None:
            """Return how far the session can be read, None if nothing is recorded."""

        def extend_timer(self, seconds: float, by: str) -> float:
            """Move the exit timer's deadline; return the seconds left; EINVAL if none runs."""

        def cancel_timer(self, by: str) -> None:
            """Disarm the exit timer; EINVAL if none runs."""

        def fire_timer(self, by: str) -> frozenset[int]:
            """Kill now whom the exit timer would kill, armed or not; return the ranks."""

        def input(self, rank: int, data: bytes, done: Callable[[int], None]) -> None:
            """Type `data` into a rank's terminal; ENOTSUP if it has none of ours.

            Args:
                rank: whose terminal.
                data: bytes to write to the terminal.
                done: to be called once, with 0 when they are written or with an errno.
            """

        def resize(self, rank: int, rows: int, cols: int) -> None:
            """Give a rank's terminal a size; ENOTSUP if it has none of ours."""

        def resume(self, rank: int) -> None:
            """Continue the program that has a rank's terminal; EINVAL if it is not stopped."""

        def hold(self, ranks: frozenset[int], *, barrier: bool) -> Held:
            """Hold ranks in PMI, and the barrier if `barrier`; return all that is held."""

        def release(self, ranks: frozenset[int], *, barrier: bool) -> Held:
            """Let go; return what is still held."""

        def shutdown(self, by: str) -> None:
            """Begin an orderly end, as SIGTERM to the engine does."""


class Position(NamedTuple):
    """How far a session can be read."""

    journal: int
    """Bytes of events.jsonl."""
    segment: int
    """Number of the newest segment of output."""
    records: int
    """Records of that segment's index."""


class Held(NamedTuple):
    """What is held in PMI."""

    ranks: frozenset[int]
    barrier: bool
