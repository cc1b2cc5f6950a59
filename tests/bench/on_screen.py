"""Time what a user sees: the program on a terminal of its own, from a key to what it paints.

The clock stops when bytes have come that make the screen of an emulator show what was waited for.
"""

from __future__ import annotations

import os
import select
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests import support
from tests.tui.on_terminal import OnTerminal

if TYPE_CHECKING:
    from collections.abc import Callable

_TICKS = os.sysconf("SC_CLK_TCK")
_WHOLE = 0.002
"""Seconds without bytes after which a frame, which comes in pieces, is taken for whole."""
_PAGE = os.sysconf("SC_PAGESIZE")


class OnScreen(OnTerminal):
    """A program on a terminal; its arguments are those of OnTerminal."""

    def until(self, shown: Callable[[str], object], patience: float = support.PATIENCE) -> float:
        """Return when (time.monotonic) the bytes came that made the screen show something.

        Args:
            shown: tells whether a screen's text is the one that is waited for.
            patience: seconds after which it is given up.

        Raises:
            AssertionError: it was not shown in time.
        """
        now = time.monotonic()
        deadline = now + patience
        while not shown(self.screen()):
            assert now < deadline, f"waited {patience} s:\n{self.screen()}"
            self._read(0.05)
            now = time.monotonic()
            while select.select([self._fd], [], [], _WHOLE)[0]:
                self._read(0)
                now = time.monotonic()
        return now

    def after(self, keys: str, shown: Callable[[str], object]) -> float:
        """Type keys; return the seconds until the screen shows something."""
        begin = time.monotonic()
        self.type(keys)
        return self.until(shown) - begin

    def search(self, pattern: str, found: str) -> float:
        """Search in the Output view; return the seconds until all is searched and `found` shown."""
        self.after("/", lambda screen: "regular expression" in screen)
        return self.after(
            f"{pattern}\r", lambda screen: found in screen and f"{found}…" not in screen
        )

    def idle(self, seconds: float) -> None:
        """Let some time pass, in which the screen is kept up to date."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def cpu(self) -> float:
        """Return the seconds of CPU that the program has used, without its children."""
        stat = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / _TICKS

    def rss(self) -> float:
        """Return the memory that the program has resident, in MiB."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE / (1 << 20)


def shows(*texts: str) -> Callable[[str], bool]:
    """Return what tells whether all of these are on a screen."""
    return lambda screen: all(text in screen for text in texts)


def percentile(seconds: list[float], part: float) -> float:
    """Return what `part` of some times do not exceed, in milliseconds."""
    return sorted(seconds)[int(len(seconds) * part)] * 1e3


def tell(what: str, figure: str, target: str) -> None:
    """Print a figure beside its target."""
    print(f"{what:<52} {figure:>24}   target {target}", flush=True)
