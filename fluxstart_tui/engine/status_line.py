"""Have somebody's words on how far an instance has come printed on stderr (`--progress`)."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from fluxstart_tui.engine.stage import Stage
    from fluxstart_tui.session.events import Event

    class Teller(Protocol):
        """Puts progress in words; times are seconds since the session's begin."""

        def take(self, timed: Sequence[tuple[float, Event]]) -> None:
            """Take what has happened."""

        def lines(self, now: float) -> list[str]:
            """Return what is new, for a log."""

        def status(self, now: float) -> str:
            """Return what is so now in one line, for a terminal."""

    MakeTeller = Callable[[dict[str, Any]], Teller]
    """Given what the session begins with."""

_PERIOD = 0.1
"""Seconds between two looks at what has happened."""


class StatusLine:
    """Prints lines in a log, and on a terminal one line that changes in its place.

    What brokers print stays as it is: nothing is put behind the beginning of a line of theirs.

    Args:
        stage: what the instance runs on.
        teller: puts progress in words.
    """

    def __init__(self, stage: Stage, teller: Teller) -> None:
        self._stage = stage
        self._teller = teller
        self._output = stage.outputs[1]
        self._terminal = os.isatty(2)
        self._seen = 0
        self._waiting: list[str] = []
        self._look()

    def _look(self) -> None:
        self._take()
        now = self._stage.record.now()
        if self._terminal:
            self._output.status(self._cut(self._teller.status(now)).encode())
        elif self._output.between_lines:
            self._print()
        self._timer = self._stage.reactor.call_later(_PERIOD, self._look)

    def _take(self) -> None:
        events = self._stage.record.events
        if len(events) > self._seen:
            self._teller.take(events[self._seen :])
            self._seen = len(events)
        if not self._terminal:
            self._waiting += self._teller.lines(self._stage.record.now())

    def _cut(self, text: str) -> str:
        try:
            return text[: os.get_terminal_size(2).columns - 1]
        except OSError:
            return text[:79]

    def _print(self) -> None:
        if self._waiting:
            self._output.write("".join(f"{line}\n" for line in self._waiting).encode())
            self._waiting.clear()

    def close(self) -> None:
        """Print what is left to say, behind a line that nobody will end any more."""
        self._timer.cancel()
        self._take()
        self._output.status(b"")
        if self._waiting and not self._output.between_lines:
            self._output.write(b"\n")
        self._print()
