"""What happens to an instance, kept for its post-mortem and, if it is recorded, written down."""

from __future__ import annotations

import time

from fluxstart_tui.session.events import Message, Sample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.session.events import Event
    from fluxstart_tui.session.recorder import Recorder

STDOUT, STDERR, TTY, PMI_CLIENT, PMI_SERVER, LOG, LAUNCHER = range(7)
"""Streams by number, as session/output.py names them."""

_PROGRAM = b"]: rc2.0: "
"""What a broker calls its initial program where it prints that it has failed."""

_KEPT = 100_000
"""Events kept in memory: a boot of 1,024 brokers makes a fifth of that."""


class Record:
    """Takes events and output from all rooms of the engine.

    Args:
        clock: seconds; the time of events counts from the moment this is made.
        recorder: writes a session, or None.
    """

    def __init__(self, clock: Callable[[], float], recorder: Recorder | None = None) -> None:
        self.clock = clock
        self.start = clock()
        """What the clock said when the record began."""
        self.began = time.time()
        """When that was, in seconds since 1970: the session's start, and what times that others
        have written on their records count from."""
        self.recorder = recorder
        self.events: list[tuple[float, Event]] = []
        """All events but samples, in order."""
        self.printed: tuple[float, bytes] | None = None
        """What rank 0 printed last of its initial program, and when, if that is recorded."""

    def reach_back(self, began: float) -> None:
        """Count time from an earlier moment, in seconds since 1970."""
        self.start -= self.began - began
        self.began = began

    def now(self) -> float:
        """Return the time in seconds since the record began."""
        return self.clock() - self.start

    def event(self, event: Event, at: float | None = None) -> None:
        """Take an event that happened now, or `at` seconds after the record began."""
        t = self.now() if at is None else at
        if len(self.events) < _KEPT and not isinstance(event, Sample):
            self.events.append((t, event))
        if self.recorder is not None:
            self.recorder.event(t, event)

    def message(self, text: str) -> None:
        """Take a line of the engine for the user."""
        self.event(Message(text))

    def data(self, rank: int, stream: int, data: bytes, at: float | None = None) -> None:
        """Take bytes of a stream of a rank that came now, or `at` seconds after the beginning."""
        if self.recorder is not None:
            t = self.clock() - self.start if at is None else at
            if not rank and _PROGRAM in data and stream in (STDERR, TTY):
                self.printed = t, data
            self.recorder.data(t, rank, stream, data)
