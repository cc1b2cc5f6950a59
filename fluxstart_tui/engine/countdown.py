"""The exit timer at work: its policy (exit_timer.py), an alarm, and what is told of it."""

from __future__ import annotations

import math

from fluxstart_tui.rfc import idset
from fluxstart_tui.session.events import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from fluxstart_tui.engine.exit_timer import ExitTimer
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.reactor import Timer as Alarm


class Countdown:
    """Keeps the exit timer's deadline, whatever it is, and records each change of it.

    Args:
        reactor: the engine's loop.
        record: told of the timer.
        policy: says when the deadline is.
        running: the ranks that run; it is looked at each time.
        expired: called at the deadline.
    """

    def __init__(
        self,
        reactor: Reactor,
        record: Record,
        policy: ExitTimer,
        running: Collection[int],
        expired: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._record = record
        self._policy = policy
        self._running = running
        self._expired = expired
        self._alarm: Alarm | None = None
        self._announced: float | None = None
        self._reason = ""
        self._over = False

    @property
    def left(self) -> float | None:
        """Seconds until the deadline, None if there is none."""
        deadline = self._policy.deadline
        return None if deadline is None or self._over else deadline - self._reactor.now()

    def exited(self, rank: int, code: int, how: str) -> None:
        """Take a broker's end; `how` it ended is a reason for the timer, in words."""
        self._policy.exited(rank, code, set(self._running), self._reactor.now())
        self._set(how)

    def started(self) -> None:
        """Take that a broker was started although others run."""
        self._policy.started(self._running)
        self._set("")

    def end_ordered(self, who: str) -> None:
        """Take that somebody wants the instance to end."""
        self._policy.end_ordered(self._reactor.now())
        self._set(who)

    def extend(self, seconds: float) -> float | None:
        """Move the deadline by some seconds; return those that are left, None without one."""
        self._policy.extend(seconds, self._reactor.now())
        self._set("")
        return self.left

    def cancel(self) -> bool:
        """Do without a deadline until there is a new reason for one; return if there was one."""
        ran = self._policy.cancel()
        self._set("")
        return ran

    def stop(self, *, fired: bool) -> None:
        """Have no deadline any more, since all have been killed, by the timer or otherwise."""
        self._over = True
        if fired:
            self._tell("fired", None)
            self._announced = None
        self._set("")

    def _set(self, why: str) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        deadline = None if self._over else self._policy.deadline
        if deadline is not None:
            self._alarm = self._reactor.call_later(deadline - self._reactor.now(), self._expired)
        if deadline == self._announced:
            return
        if deadline is None:
            action = "cancelled"
        elif self._announced is None:
            action, self._reason = "armed", why
        else:
            action = "extended"
        self._announced = deadline
        self._tell(action, deadline)

    def _tell(self, action: str, deadline: float | None) -> None:
        at = -1.0 if deadline is None or deadline == math.inf else deadline - self._record.start
        self._record.event(Timer(action, at, self._reason, idset.encode(self._running)))
