"""When brokers that outlive the others are to be killed (flux-start(1), --test-exit-timeout).

Pure policy: told of exits and signals with the time, it says when the deadline is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


class ExitTimer:
    """The exit timer and the exit code of a test instance (flux-start.c: update_timer).

    Args:
        mode: `any` or `leader` (--test-exit-mode).
        timeout: seconds from the event that starts the timer; may be infinite.
        size: number of brokers of the instance.
    """

    def __init__(self, mode: str, timeout: float, size: int) -> None:
        self._leader_only = mode == "leader"
        self._timeout = timeout
        self._size = size
        self._ordered = False
        self._cancelled = False
        self.deadline: float | None = None
        """Time at which the brokers still running are to be killed, or None."""
        self.exit_code = 0

    def exited(self, rank: int, code: int, running: set[int], now: float) -> None:
        """Take the end of a broker.

        Args:
            rank: the broker's rank.
            code: its exit code, 128+signal if it was killed.
            running: ranks that still run. One that was never started counts as not running.
            now: the time.
        """
        if not self._leader_only:
            self.exit_code = max(self.exit_code, code)
        elif rank == 0:
            self.exit_code = code
        if not self._due(running):
            self.deadline = None
            self._cancelled = False
        elif self.deadline is None and not self._cancelled:
            self.deadline = now + self._timeout

    def _due(self, running: Collection[int]) -> bool:
        if not running:
            return False
        lacking = 0 not in running if self._leader_only else len(running) < self._size
        return lacking or self._ordered

    def started(self, running: Collection[int]) -> None:
        """Take the start of a broker while the instance runs: there may be nobody lacking now."""
        if not self._due(running):
            self.deadline = None
            self._cancelled = False

    def extend(self, seconds: float, now: float) -> float | None:
        """Move the deadline by some seconds, but not into the past; return it, None without one."""
        if self.deadline is not None:
            self.deadline = max(now, self.deadline + seconds)
        return self.deadline

    def cancel(self) -> bool:
        """Do without a deadline until the reason for it has gone once; return if there was one."""
        ran = self.deadline is not None
        self.deadline = None
        self._cancelled = self._cancelled or ran
        return ran

    def end_ordered(self, now: float) -> None:
        """Start the timer since somebody wants the instance to end.

        A program that ignores SIGHUP lets no broker exit, so exits alone would never start it.
        """
        self._ordered = True
        self._cancelled = False
        if self.deadline is None:
            self.deadline = now + self._timeout
