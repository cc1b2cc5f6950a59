"""Textual's driver, made to notice that the terminal is gone, or is not read any more.

Textual's writing thread would die of the one, and the app wait for ever for room in its queue.
"""

from __future__ import annotations

import os
import select
import signal
import termios
import threading
import time
from typing import IO, TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.tui.guard import Guard

_PATIENCE = 1.0
"""Seconds in which a terminal has to take something when we want to end."""
_HASTE = 0.05
"""The same once it has not."""


class _Terminal:
    """A file that takes everything, and tells once if it leads nowhere any more."""

    def __init__(self, file: IO[str], gone: Callable[[], None]) -> None:
        self._file = file
        self._gone: Callable[[], None] | None = gone

    def write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError:
            self._lost()

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._lost()

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def _lost(self) -> None:
        gone, self._gone = self._gone, None
        if gone is not None:
            gone()


class TerminalDriver(LinuxDriver):
    """A driver that sends us SIGHUP, as the system does, when nothing can be written any more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._terminal = _Terminal(self._file, self._hang_up)  # type: ignore[arg-type]
        self._file = self._terminal  # type: ignore[assignment]
        self._guard: Guard | None = getattr(self._app, "guard", None)
        self._dropped = False
        self._ending = False

    def _hang_up(self) -> None:
        os.kill(os.getpid(), signal.SIGHUP)

    def start_application_mode(self) -> None:
        """Take the terminal."""
        if self._guard is not None:
            self._guard.tell(shown=True)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        """Leave the terminal; what it does not take the guard writes, once we are gone."""
        super().stop_application_mode()
        if self._guard is not None and not self._dropped:
            self._guard.tell(shown=False)

    def end_soon(self) -> None:
        """From now on drop what the terminal does not take: a writer that waits for it goes on."""
        if not self._ending:
            self._ending = True
            threading.Thread(target=self._drop_unread, name="drop-unread", daemon=True).start()

    def _drop_unread(self) -> None:
        fd, patience = self._terminal.fileno(), _PATIENCE
        while True:
            if select.select([], [fd], [], patience)[1]:
                time.sleep(_HASTE)
                continue
            self._dropped, patience = True, _HASTE
            try:
                termios.tcflush(fd, termios.TCOFLUSH)
                # This makes room but wakes nobody who waits for it; output that goes on does.
                termios.tcflow(fd, termios.TCOOFF)
                termios.tcflow(fd, termios.TCOON)
            except termios.error:
                return  # it is gone, which writers notice
