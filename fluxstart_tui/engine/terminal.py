"""Keep the terminal as it was found (flux-start.c: restore_termios)."""

from __future__ import annotations

import os
import signal
import termios

from fluxstart_tui.engine import processes
from fluxstart_tui.engine.errors import LaunchError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Terminal:
    """Settings of the terminal on stdin, saved at once.

    Raises:
        LaunchError: it has been hung up.
    """

    def __init__(self) -> None:
        try:
            self._attributes = termios.tcgetattr(0)
        except termios.error as error:
            raise LaunchError(f"tcgetattr: {error.args[1]}") from error
        # Restoring from the background must not stop us.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)

    @property
    def attributes(self) -> list[Any]:
        """What tcgetattr(3) gave, with the control characters as numbers."""
        *flags, characters = self._attributes
        return [
            *flags,
            [value if isinstance(value, int) else ord(value) for value in characters],
        ]

    def restore(self) -> None:
        """Give the terminal back as it was, unless it is gone or somebody else's by now."""
        own = os.getpgrp()
        try:
            foreground = os.tcgetpgrp(0)
            if foreground != own:
                if any(process.pgrp == foreground for process in processes.table().values()):
                    return
                os.tcsetpgrp(0, own)  # what had the foreground was the instance's and has ended
        except OSError:
            pass  # a terminal, but not the controlling one
        try:
            termios.tcsetattr(0, termios.TCSAFLUSH, self._attributes)
        except termios.error:
            pass
