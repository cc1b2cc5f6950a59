"""Gives the terminal back if the UI is killed, which leaves it no time to do so itself."""

from __future__ import annotations

import contextlib
import os
import select
import termios
from functools import partial
from typing import TYPE_CHECKING

from fluxstart_tui.tui.child import Child

if TYPE_CHECKING:
    from typing import Any

_SHOWN, _LEFT = b"+", b"-"
_LEAVE = (
    b"\x18"  # CAN: ends a sequence that was cut
    b"\x1b[<u\x1b[?1049l"  # the keyboard protocol is the alternate screen's
    b"\x1b[?1000;1002;1003;1004;1006;1015;1016;2026;2048l\x1b[?7;25h\x1b[0m"
    b"fluxstart-tui was killed\r\n"
)
"""Ends what Textual's driver asks of a terminal, and says why."""
_NO_PASTE = b"\x1b[?2004l"
"""Ends bracketed paste, which a shell that has the terminal again may have begun for itself."""
_PATIENCE = 1.0


class Guard:
    """A process of its own that waits for our end, while the UI is on the terminal.

    It is made before the terminal is set to anything; without a name of the terminal there is none.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._shown = False
        try:
            # Opened anew: what blocks nobody here does not have to be shared with a shell.
            flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
            terminal = os.open(os.ttyname(0), flags)
        except OSError:
            return
        theirs, self._pipe = os.pipe2(os.O_CLOEXEC)
        work = partial(_watch, termios.tcgetattr(0), os.getppid(), os.getpgrp())
        self._child = Child(work, theirs, terminal)
        os.close(theirs)
        os.close(terminal)

    def tell(self, *, shown: bool) -> None:
        """Tell whether the UI is on the terminal, and has to leave it."""
        self._shown = shown
        if self._child is not None:
            with contextlib.suppress(OSError):  # it was killed: then nobody guards
                os.write(self._pipe, _SHOWN if shown else _LEFT)

    def close(self) -> None:
        """End it, unless it has to leave the terminal: then it does so after our last word."""
        if self._child is not None and not self._shown:
            os.close(self._pipe)
            self._child.wait(_PATIENCE)


def _watch(attributes: list[Any], parent: int, group: int, pipe: int) -> int:
    """Wait for the UI's end, and leave the terminal, which is descriptor 2, if it has not.

    Args:
        attributes: the terminal's settings before the UI.
        parent: pid of who has started the UI.
        group: process group of the UI.
        pipe: ends with the UI.
    """
    shown = False
    while said := os.read(pipe, 64):
        shown = said.endswith(_SHOWN)
    if not shown:
        return 0
    with contextlib.suppress(OSError, termios.error, ValueError):  # it is gone, or who has it is
        _write(_LEAVE)  # at once: a shell's prompt would be lost with our screen
        # Another session's terminal does not tell who has it; its processes do (proc(5)).
        with open(f"/proc/{parent}/stat", encoding="ascii", errors="replace") as file:
            foreground = int(file.read().rpartition(")")[2].split()[5])
        if foreground == group:  # else a shell has it again, and has set it to its own taste
            termios.tcsetattr(2, termios.TCSANOW, attributes)
            _write(_NO_PASTE)
    return 0


def _write(data: bytes) -> None:
    if not select.select([], [2], [], 0)[1]:
        termios.tcflush(2, termios.TCOFLUSH)  # nobody reads: what was painted gives way
    os.write(2, data)
