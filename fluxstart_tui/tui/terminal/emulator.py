"""What the Terminal view wants of a terminal emulator, whichever it is.

Coordinates are (column, row) from 0 in the rows that are shown, which may be scrolled back.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from rich.segment import Segment
    from rich.style import Style

    from fluxstart_tui.tui.terminal.keys import KeyPress, MousePress

    Row = list[Segment]
    """Pieces of text that have a style each; as wide as the terminal."""

COLUMNS_MIN, COLUMNS_MAX = 2, 1000
ROWS_MIN, ROWS_MAX = 1, 1000


class UnavailableError(Exception):
    """There is no emulator on this machine; the text says why."""


class Cursor(NamedTuple):
    """Where the cursor is shown."""

    x: int
    y: int
    shape: str = "block"
    """block, bar, underline or hollow."""


class Scroll(NamedTuple):
    """Which of a terminal's rows are shown."""

    total: int
    """Rows there are, with those that have been scrolled out."""
    offset: int
    """The first row that is shown."""
    rows: int
    """Rows that are shown."""

    @property
    def back(self) -> int:
        """How many rows there are below those that are shown."""
        return max(0, self.total - self.rows - self.offset)


class Emulator(Protocol):
    """A terminal without a screen: bytes go in, rows come out. Nothing it is fed does harm."""

    columns: int
    rows: int
    title: str
    """What the program calls itself, "" if it has not said."""
    bells: int
    """How often it has rung the bell."""

    def feed(self, data: bytes) -> bytes:
        """Take output of the program; return what a terminal answers to it."""

    def reset(self) -> None:
        """Forget everything but the size."""

    def resize(self, columns: int, rows: int) -> bytes:
        """Change the size; return what a terminal tells a program that wants to know."""

    def restyle(self, base: Style) -> None:
        """Set the style of what has no colours of its own."""

    def changed(self) -> list[tuple[int, Row]]:
        """Return the rows that differ from what was returned before, by their number."""

    def cursor(self) -> Cursor | None:
        """Return the cursor, None if it is hidden or scrolled away."""

    def mode(self, number: int) -> bool:
        """Tell whether the program has set a DEC private mode."""

    @property
    def mouse(self) -> bool:
        """Whether the program wants the mouse."""

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown, which has no scrollback."""

    def key(self, press: KeyPress) -> bytes:
        """Return what a terminal sends for a key."""

    def pointer(self, press: MousePress) -> bytes:
        """Return what a terminal sends for the mouse, b"" if the program does not want it."""

    def paste(self, text: str) -> bytes:
        """Return what a terminal sends for text that is pasted."""

    def focus(self, *, gained: bool) -> bytes:
        """Return what a terminal sends when it gets or loses the focus, mostly nothing."""

    def scroll(self, lines: int | None) -> None:
        """Show rows so much further down, which a negative number makes up; None: the last."""

    @property
    def scrolled(self) -> Scroll:
        """Which rows are shown."""

    def select(self, x: int, y: int, what: str = "cell") -> None:
        """Begin a selection at a cell; `what` is cell, word or line."""

    def extend(self, x: int, y: int) -> None:
        """Have the selection reach to a cell."""

    def unselect(self) -> None:
        """Select nothing."""

    def selected(self, y: int) -> tuple[int, int] | None:
        """Return the first and the last column that is selected in a row."""

    def selection(self) -> str:
        """Return the text that is selected, "" if there is none."""

    def text(self) -> str:
        """Return the text of the rows that are shown."""


def create(columns: int, rows: int, scrollback: int = 10_000) -> Emulator:
    """Make the emulator that this machine has.

    Args:
        columns: width in cells.
        rows: height in cells.
        scrollback: lines that are kept when they have been scrolled out.

    Raises:
        UnavailableError: it has none.
    """
    try:
        # libghostty comes with Linux wheels for x86_64 and aarch64; its absence is nothing unusual.
        module = importlib.import_module("fluxstart_tui.tui.terminal.ghostty")
    except (ImportError, OSError, AttributeError) as error:
        raise UnavailableError(str(error)) from None
    made: Emulator = module.GhosttyEmulator(columns, rows, scrollback)
    return made


def preload() -> None:
    """Load the emulator, which takes a quarter of a second; from a thread, while nobody waits."""
    with contextlib.suppress(UnavailableError):
        create(COLUMNS_MIN, ROWS_MIN)
