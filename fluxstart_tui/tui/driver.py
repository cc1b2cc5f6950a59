"""Textual's driver, made to notice that the terminal is gone.

Textual's writing thread would die of it, and the app wait for ever for room in its queue.
"""

from __future__ import annotations

import os
import signal
from typing import IO, TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from collections.abc import Callable


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
        self._file = _Terminal(self._file, self._hang_up)  # type: ignore[assignment,arg-type]

    def _hang_up(self) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
