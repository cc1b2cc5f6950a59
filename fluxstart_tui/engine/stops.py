"""Look whether a program was stopped on one of our terminals, where no shell would continue it."""

from __future__ import annotations

from fluxstart_tui.session.events import Stopped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluxstart_tui.engine.console import Console
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.reactor import Reactor

_PERIOD = 0.5
"""Seconds between two looks: nobody but the program's parent, a broker, is told of it (wait(2))."""


class Stops:
    """Records when a program stops, and when it goes on.

    Args:
        reactor: the engine's loop.
        record: takes the events.
        consoles: the terminals, by rank.
    """

    def __init__(self, reactor: Reactor, record: Record, consoles: Mapping[int, Console]) -> None:
        self._reactor = reactor
        self._record = record
        self._consoles = consoles
        self._seen: dict[int, int] = {}
        self._known: dict[int, int] = {}
        self._timer = reactor.call_later(_PERIOD, self._look)

    def close(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        for rank, console in self._consoles.items():
            group = console.stopped_foreground() or 0
            # Once is not enough: who first reads from a terminal is stopped for an instant.
            lasts = group == self._seen.get(rank, 0)
            self._seen[rank] = group
            if lasts and group != self._known.get(rank, 0):
                self._known[rank] = group
                self._record.event(Stopped(rank, group))
        self._timer = self._reactor.call_later(_PERIOD, self._look)
