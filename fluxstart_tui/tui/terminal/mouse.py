"""The mouse on a terminal: for the program if it wants it, else to select and to scroll."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fluxstart_tui.tui.terminal import keys
from fluxstart_tui.tui.terminal.keys import KeyPress

if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.tui.terminal.emulator import Emulator
    from fluxstart_tui.tui.terminal.keys import MousePress

_LINES = 3
"""Lines that a notch of the wheel scrolls."""

_DOUBLE = 0.5
"""Seconds between two clicks that make a double one."""

_ALTERNATE_SCROLL = 1007
_WHEEL_UP, _WHEEL_DOWN = 4, 5


class Mouse:
    """Decides what the mouse does.

    Args:
        terminal: what it is on; None if there is no emulator.
        type_: sends bytes to the program.
    """

    def __init__(self, terminal: Emulator | None, type_: Callable[[bytes], None]) -> None:
        self._terminal = terminal
        self._type = type_
        self._selecting = ""
        self._at = (0, 0)
        self._moved = False
        self._clicks, self._clicked = 0, 0.0

    def handle(self, press: MousePress, *, captured: bool) -> str:
        """Do what the mouse asks for.

        Args:
            press: what it did.
            captured: whether the program gets what is typed.

        Returns:
            The text that has been selected with this, "" if none has.
        """
        terminal = self._terminal
        if terminal is None:
            return ""
        shift = press.modifiers & keys.SHIFT
        if captured and terminal.mouse and not shift and not self._selecting:
            self._type(terminal.pointer(press))
        elif press.button in (_WHEEL_UP, _WHEEL_DOWN):
            self._wheel(terminal, up=press.button == _WHEEL_UP, captured=captured)
        elif press.button == 1 and press.action == keys.PRESS:
            self._begin(terminal, press)
        elif self._selecting and press.action == keys.MOTION:
            self._extend(terminal, press)
        elif self._selecting and press.action == keys.RELEASE:
            return self._end(terminal)
        return ""

    def _wheel(self, terminal: Emulator, *, up: bool, captured: bool) -> None:
        if not terminal.alternate:
            terminal.scroll(-_LINES if up else _LINES)
        elif captured and terminal.mode(_ALTERNATE_SCROLL):
            # There is no scrollback here, and a pager knows what to do with arrows.
            self._type(terminal.key(KeyPress("up" if up else "down")) * _LINES)

    def _begin(self, terminal: Emulator, press: MousePress) -> None:
        terminal.unselect()
        clicks = self._count(press)
        self._selecting = {1: "cell", 2: "word"}.get(clicks, "line")
        self._moved = clicks > 1
        if clicks > 1:
            terminal.select(press.x, press.y, self._selecting)

    def _count(self, press: MousePress) -> int:
        """Return how often a cell has been clicked in a row."""
        now, at = time.monotonic(), (press.x, press.y)
        again = at == self._at and now - self._clicked < _DOUBLE
        self._clicks = self._clicks + 1 if again else 1
        self._clicked, self._at = now, at
        return self._clicks

    def _extend(self, terminal: Emulator, press: MousePress) -> None:
        if (press.x, press.y) == self._at:
            return
        if not self._moved:
            terminal.select(*self._at)
        self._at, self._moved = (press.x, press.y), True
        # Beyond an edge there is more to select.
        if press.y < 0 or press.y >= terminal.rows:
            terminal.scroll(-1 if press.y < 0 else 1)
        terminal.extend(press.x, press.y)

    def _end(self, terminal: Emulator) -> str:
        self._selecting = ""
        return terminal.selection() if self._moved else ""
