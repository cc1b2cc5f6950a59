"""Feeds an emulator from a session, live or replayed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fluxstart_tui.tui.terminal.stream import TtyStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.terminal.emulator import Emulator

_FRESH = 3.0
"""Seconds after which a program's question is not answered any more: who opens or attaches late
reads questions that were answered, or given up, long ago."""

_SETTLED = 0.06
"""Seconds after which no output comes any more that was written before."""

_YOUNG = 5.0
"""Age of a session in seconds up to which nobody has seen it before us."""

_HOLD = 0.1
"""Seconds for which a program may keep the screen from being painted (mode 2026)."""

_SYNCHRONIZED = 2026


class Feed:
    """What a rank's terminal shows at the model's time.

    Args:
        model: the session and its time.
        rank: whose terminal.
        emulator: gets the bytes.
        answer: takes what the terminal answers to the program.
    """

    def __init__(
        self, model: Model, rank: int, emulator: Emulator, answer: Callable[[bytes], object]
    ) -> None:
        self._model = model
        self._rank = rank
        self._emulator = emulator
        self._answer = answer
        self._stream = TtyStream(model.spool, rank)
        self._reached = float("-inf")
        self._held = 0.0
        self._size: tuple[float, int, int] | None = None
        # Then somebody may have given it a size before us, which we do not know.
        self._attached = model.now > _YOUNG
        self._unsure = float("inf")
        self.any = False
        """Whether there was any output."""

    @property
    def behind(self) -> bool:
        """Whether there is more to be fed at once."""
        return self._stream.behind

    def pump(self, seconds: float) -> bool:
        """Feed what has come since, for about so many seconds; tell whether anything has."""
        until = self._until()
        fed = False
        for t, data in self._stream.read(seconds, until):
            fed = self.any = True
            self._resize(t)
            self._reply(t, self._emulator.feed(data))
        if self._size is not None and not self.behind:
            fed |= self._resize(self._model.now - _SETTLED)
        return fed

    def _reply(self, t: float, answer: bytes) -> None:
        if answer and self._model.now - t < _FRESH:
            self._answer(answer)

    def resize(self, columns: int, rows: int, *, told: bool) -> None:
        """Change the size.

        What was written for the old size is still fed to a terminal of the old one: it may be on
        its way yet.

        Args:
            columns: width in cells.
            rows: height in cells.
            told: whether the program is told too, and paints for the new size from now on.
        """
        if told:
            self._size = self._model.now, columns, rows
        else:
            self._emulator.resize(columns, rows)
            self.restart()

    def _resize(self, t: float) -> bool:
        """Take the new size if what was written at `t` is for it."""
        if self._size is None or t < self._size[0]:
            return False
        (_, columns, rows), self._size = self._size, None
        self._reply(self._model.now, self._emulator.resize(columns, rows))
        if self._attached:
            self._unsure = self._model.now + 2 * _SETTLED
            self._attached = False
        return True

    def garbled(self) -> bool:
        """Tell, once, whether a full screen may be garbled, since its size was not known."""
        if self._model.now < self._unsure:
            return False
        self._unsure = float("inf")
        return self._emulator.alternate

    def _until(self) -> float | None:
        replay = self._model.replay
        if replay is None:
            return None
        now = replay.now()
        if now < self._reached:
            self.restart()
        self._reached = now
        return None if now >= replay.end else now

    def restart(self) -> None:
        """Begin again with the first byte."""
        self._emulator.reset()
        self._stream = TtyStream(self._model.spool, self._rank)
        self.any = False

    @property
    def settled(self) -> bool:
        """Whether the size is known to be right."""
        return self._size is None and self._unsure == float("inf")

    def paintable(self) -> bool:
        """Tell whether the screen may be painted: the program is not amidst changing it."""
        if not self._emulator.mode(_SYNCHRONIZED):
            self._held = 0.0
            return True
        now = time.monotonic()
        self._held = self._held or now
        return now - self._held > _HOLD
