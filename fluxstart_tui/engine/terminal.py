"""Keep the terminal as it was found (flux-start.c: restore_termios), or raw for a while."""

from __future__ import annotations

import os
import signal
import termios

from fluxstart_tui.engine import processes
from fluxstart_tui.engine.errors import LaunchError
from fluxstart_tui.engine.output import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fluxstart_tui.engine.output import Buffer


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
        self._raw: list[Any] = []
        """What it has been set to last, when it was made raw."""
        self.is_raw = False
        """Whether it does nothing to the bytes that are written to it, by our doing."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when what is to be restored is no more what was found at first."""
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

    def is_ours(self) -> bool:
        """Tell whether it is ours to read and to set."""
        try:
            return os.tcgetpgrp(0) == os.getpgrp()
        except OSError:
            return True  # a terminal, but not the controlling one: nobody else claims it

    def copy_to(self, fd: int) -> None:
        """Give another terminal the settings that this one had."""
        termios.tcsetattr(fd, termios.TCSANOW, self._attributes)

    def make_raw(self) -> None:
        """Pass every byte on as it comes, both ways (cfmakeraw(3)).

        VMIN is 0, so that a read never waits, even if somebody else has taken what was there. This
        does for a terminal, which others share, what O_NONBLOCK would do for a file of our own.
        """
        found = _attributes()
        # A job that comes from the background finds the shell's own settings at first.
        if found and found not in (self._attributes, self._raw):
            self._attributes = found
            self.on_change()
        iflag, oflag, cflag, lflag, *speeds, characters = self._attributes
        iflag &= ~(termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP)
        iflag &= ~(termios.INLCR | termios.IGNCR | termios.ICRNL | termios.IXON)
        lflag &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
        characters = list(characters)
        characters[termios.VMIN] = characters[termios.VTIME] = 0
        cflag = cflag & ~(termios.CSIZE | termios.PARENB) | termios.CS8
        raw = [iflag, oflag & ~termios.OPOST, cflag, lflag, *speeds, characters]
        # Neither waits for output that nobody takes nor drops what was typed ahead.
        self.is_raw = self._set(termios.TCSANOW, raw)
        self._raw = _attributes()

    def leave(self) -> None:
        """Give it back for a while, as it was found."""
        self.is_raw = False
        self._set(termios.TCSANOW, self._attributes)

    def restore(self) -> None:
        """Give the terminal back as it was, unless it is gone or somebody else's by now."""
        self.is_raw = False
        own = os.getpgrp()
        try:
            foreground = os.tcgetpgrp(0)
            if foreground != own:
                if any(process.pgrp == foreground for process in processes.table().values()):
                    return
                os.tcsetpgrp(0, own)  # what had the foreground was the instance's and has ended
        except OSError:
            pass  # a terminal, but not the controlling one
        self._set(termios.TCSAFLUSH, self._attributes)

    def _set(self, when: int, attributes: list[Any]) -> bool:
        try:
            termios.tcsetattr(0, when, attributes)
        except termios.error:
            return False
        return True


def _attributes() -> list[Any]:
    """Return the present settings, nothing if the terminal is gone."""
    try:
        return termios.tcgetattr(0)
    except termios.error:
        return []


class TerminalOutput(Output):
    """Output to our terminal, which may be raw.

    Args:
        fd: leads to the terminal.
        terminal: the same terminal; tells whether it is raw.
        drained: called in the writing thread whenever the backlog has become small again.
    """

    def __init__(
        self, fd: int, terminal: Terminal, drained: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(fd, drained)
        self._terminal = terminal

    def write(self, *pieces: Buffer) -> None:
        """Write text, in which a newline means a new line."""
        if self._terminal.is_raw:
            pieces = (b"".join(pieces).replace(b"\n", b"\r\n"),)
        super().write(*pieces)

    def write_processed(self, data: bytes) -> None:
        """Write what another terminal has processed already."""
        super().write(data if self._terminal.is_raw else data.replace(b"\r\n", b"\n"))
