"""The time that an instance has as a whole (`--timeout`)."""

from __future__ import annotations

from fluxstart_tui.rfc import fsd
from fluxstart_tui.session.events import Timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fluxstart_tui.engine.stage import Stage


class Deadline:
    """Ends an instance that takes too long; first it is recorded what it hung in.

    Args:
        stage: what it runs on.
        after: seconds that it has.
        pids: pids of the brokers that run on this host, by rank; it is looked at when time is up.
        expired: told to end the instance, with what wants it so.
    """

    def __init__(
        self,
        stage: Stage,
        after: float,
        pids: Mapping[int, int],
        expired: Callable[[str], None],
    ) -> None:
        self._stage = stage
        self._after = after
        self._pids = pids
        self._expired = expired
        left = stage.record.start + after - stage.reactor.now()
        self._timer = stage.reactor.call_later(left, self._expire)

    def close(self) -> None:
        """Let it take the time that it needs from now on."""
        self._timer.cancel()

    def _expire(self) -> None:
        from fluxstart_tui.engine import capture  # most instances end in time

        record = self._stage.record
        ranks = capture.suspicious(self._pids, record.events)
        for probe in capture.looks(self._pids, ranks):
            record.event(probe)
        record.event(Timeout(self._after))
        for stack in capture.stacks(self._pids, ranks):
            record.event(stack)
        option = f"--timeout={fsd.format(self._after)}"
        self._stage.messages.say(f"{option}: time is up, the instance is told to end")
        self._expired(option)
