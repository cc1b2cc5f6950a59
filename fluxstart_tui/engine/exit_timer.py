"""When brokers that outlive the others are to be killed (flux-start(1), --test-exit-timeout).

Pure policy: told of exits and signals with the time, it says when the deadline is.
"""

from __future__ import annotations


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
        due = bool(running) and (
            0 not in running if self._leader_only else len(running) < self._size
        )
        if not due and not (self._ordered and running):
            self.deadline = None
        elif self.deadline is None:
            self.deadline = now + self._timeout

    def end_ordered(self, now: float) -> None:
        """Start the timer since somebody wants the instance to end.

        A program that ignores SIGHUP lets no broker exit, so exits alone would never start it.
        """
        self._ordered = True
        if self.deadline is None:
            self.deadline = now + self._timeout
