"""Try the launcher's PMI before any broker is started: `--preflight`."""

from __future__ import annotations

import signal

from fluxstart_tui.engine.orderly_end import TIMED_OUT
from fluxstart_tui.engine.record import Record
from fluxstart_tui.session.events import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.launched import Launched
    from fluxstart_tui.engine.stage import Stage
    from fluxstart_tui.session.said import Checker

_TICK = 0.25


class Preflight:
    """An exchange under the launcher of an instance that is still to be started.

    Its tasks are no ranks of the instance: of what happens to them only findings are recorded.

    Args:
        stage: what it runs on.
        launched: the instance's launcher, which takes signals and commands from the beginning.
        argv: the launcher's command with the exchange in the place of the broker.
        checker: understands what that prints.
    """

    def __init__(self, stage: Stage, launched: Launched, argv: list[str], checker: Checker) -> None:
        self._stage = stage
        self._launched = launched
        self._argv = argv
        self._checker = checker
        self._told = 0

    def passes(self) -> bool:
        """Do it and say what has come of it; tell whether the instance is to be started.

        Raises:
            LaunchError: the launcher can not be started.
        """
        record = Record(self._stage.reactor.now)
        record.reach_back(self._stage.record.began)
        exchange = self._launched.beside(self._argv, self._checker, record)
        self._watch(exchange)
        exchange.run()
        for t, event in record.events:
            if isinstance(event, Finding):
                self._stage.record.event(event, t)
        self._stage.messages.say(f"preflight: {self._checker.verdict()}")
        if self._launched.ended_by:
            self._launched.code = TIMED_OUT if self._launched.expired else exchange.code
        elif not self._checker.works:
            self._launched.code = 1
        return self._checker.works and not self._launched.ended_by

    def _watch(self, exchange: Launched) -> None:
        """End it when it is stuck, or as the instance is told to end."""
        if self._checker.hopeless and not exchange.ended_by:
            exchange.interrupt(signal.SIGTERM, "preflight")
        while self._told < self._launched.signals:
            self._told += 1
            exchange.interrupt(self._launched.ended_by, "preflight")
        if not exchange.ended:
            self._stage.reactor.call_later(_TICK, lambda: self._watch(exchange))
