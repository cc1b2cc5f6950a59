"""What time it is in a session: now, or in a replay wherever one has gone to."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """Tells the time of a session."""

    def now(self) -> float:
        """Return seconds since the session's start."""


class LiveClock:
    """The present time.

    Args:
        start: when the session began, as its header says (RFC 3339); "" if that is not known.
    """

    def __init__(self, start: str) -> None:
        try:
            began = datetime.fromisoformat(start).timestamp()
        except ValueError:
            began = time.time()
        # Monotonic from now on, whatever happens to the wall clock.
        self._offset = (time.time() - began) - time.monotonic()

    def now(self) -> float:
        """Return seconds since the session's start."""
        return max(0.0, time.monotonic() + self._offset)


class ReplayClock:
    """A time that is played, paused and moved.

    Args:
        end: time of the last event in seconds.
        monotonic: seconds that never go back; tests inject their own.
    """

    SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 60.0)

    def __init__(self, end: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.end = end
        self.playing = False
        self.speed = 1.0
        self._at = end
        self._since = self._monotonic()

    def now(self) -> float:
        """Return seconds since the session's start; playing stops at the end."""
        if self.playing:
            at = self._at + (self._monotonic() - self._since) * self.speed
            if at < self.end:
                return at
            self._at, self.playing = self.end, False
        return self._at

    def seek(self, t: float) -> None:
        """Go to a time."""
        self._at = min(max(t, 0.0), self.end)
        self._since = self._monotonic()

    def play(self) -> None:
        """Go on from here; from the beginning if this is the end."""
        self.seek(0.0 if self.now() >= self.end else self.now())
        self.playing = True

    def pause(self) -> None:
        """Stop the time."""
        self.seek(self.now())
        self.playing = False

    def faster(self, steps: int) -> None:
        """Change the speed by so many steps of SPEEDS; negative ones make it slower."""
        self.seek(self.now())
        at = self.SPEEDS.index(self.speed) + steps
        self.speed = self.SPEEDS[min(max(at, 0), len(self.SPEEDS) - 1)]
