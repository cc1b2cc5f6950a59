"""Feeds an emulator from a session, live or replayed."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

from fluxstart_tui.session.events import Winsize
from fluxstart_tui.tui.terminal.stream import TtyStream

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeGuard

    from fluxstart_tui.session.events import Event
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

_SIZE_MAX = 1000
"""Rows or columns: a journal may name any number."""


class Synchronized:
    """Tells when an emulator's screen is whole.

    Args:
        emulator: what is fed.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._held = 0.0

    def paintable(self) -> bool:
        """Tell whether the screen may be painted: the program is not amidst changing it."""
        if not self._emulator.mode(_SYNCHRONIZED):
            self._held = 0.0
            return True
        now = time.monotonic()
        self._held = self._held or now
        return now - self._held > _HOLD


class Feed(Synchronized):
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
        super().__init__(emulator)
        self._model = model
        self._rank = rank
        self._answer = answer
        self._stream = TtyStream(model.spool, rank)
        self._reached = float("-inf")
        self._size: tuple[float, int, int] | None = None
        self._seen = 0  # events of a replay in which there may be sizes
        # Then somebody may have given it a size before us, which we do not know.
        self._attached = model.now > _YOUNG
        self._unsure = float("inf")
        self.any = False
        """Whether there was any output."""
        sizes = (event for _, event in reversed(model.events) if self._is_size(event))
        if model.replay is None and (size := next(sizes, None)) is not None:
            emulator.resize(size.columns, size.rows)

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
            if self._model.replay is not None:
                self._replay_sizes(t)
            self._reply(t, self._emulator.feed(data))
        if self._model.replay is not None and not self.behind:
            fed |= self._replay_sizes(self._model.now)
        if self._size is not None and not self.behind:
            fed |= self._resize(self._model.now - _SETTLED)
        return fed

    def _reply(self, t: float, answer: bytes) -> None:
        if answer and self._model.now - t < _FRESH:
            self._answer(answer)

    def resize(self, columns: int, rows: int, *, told: bool) -> None:
        """Change the size.

        What was written for the old size is still fed to a terminal of the old one: it may be on
        its way yet. A replay has the sizes that were recorded, if there are any.

        Args:
            columns: width in cells.
            rows: height in cells.
            told: whether the program is told too, and paints for the new size from now on.
        """
        if told:
            self._size = self._model.now, columns, rows
        elif self._model.replay is None or not any(self._is_size(e) for _, e in self._model.events):
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

    def _is_size(self, event: Event) -> TypeGuard[Winsize]:
        """Tell whether a recorded event is a size of this terminal's, and one that can be."""
        return (
            isinstance(event, Winsize)
            and event.rank == self._rank
            and 0 < event.columns <= _SIZE_MAX
            and 0 < event.rows <= _SIZE_MAX
        )

    def _replay_sizes(self, until: float) -> bool:
        """Take the sizes that a terminal which is replayed had; tell whether there were any."""
        changed = False
        for t, event in islice(self._model.events, self._seen, None):
            if t > until:
                break
            self._seen += 1
            if self._is_size(event):
                self._emulator.resize(event.columns, event.rows)
                changed = True
        return changed

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
        self._seen = 0
        self.any = False

    @property
    def settled(self) -> bool:
        """Whether the size is known to be right."""
        return self._size is None and self._unsure == float("inf")
