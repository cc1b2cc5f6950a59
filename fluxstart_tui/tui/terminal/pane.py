"""A rank's terminal as it is shown; views/terminal.py is what is typed on it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from fluxstart_tui.tui import keymap
from fluxstart_tui.tui.terminal import caption, emulator
from fluxstart_tui.tui.terminal.feed import Feed
from fluxstart_tui.tui.terminal.paint import Picture

if TYPE_CHECKING:
    from textual.timer import Timer

    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.terminal.emulator import Emulator
    from fluxstart_tui.tui.terminal.program import Program, ProgramFeed
    from fluxstart_tui.tui.terminal.typist import Typist

_FRAME = 0.008
"""Seconds of a frame that may go into feeding the emulator."""

_LATE = 0.1
"""Seconds that may go into what was there before the view was first shown."""

_HOT = 0.4
"""Seconds after a key for which its echo is looked out for."""

_LOOKOUT = 0.004
"""Seconds between two looks for an echo."""

_IDLE = 0.25
"""Seconds between two looks while another view is shown: programs want answers all the same."""

_SIZE = 80, 24
"""What the engine's terminal has until it is told another."""


class Pane(Widget):
    """Shows the session's tty stream of a rank.

    Args:
        model: what there is to see.
        rank: whose terminal; rank 0 has the initial program's.
        typist: takes input and size; None if nobody does.
    """

    DEFAULT_CSS = """
    Pane {
        height: 1fr;
        background: $background;
        color: $foreground;
        border: round $panel-lighten-2;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
        &.-captured {
            border: heavy $accent;
            border-title-color: $accent;
            border-title-style: bold;
            border-subtitle-color: $accent;
        }
    }
    """
    ALLOW_SELECT = False

    def __init__(self, model: Model, rank: int = 0, typist: Typist | Program | None = None) -> None:
        super().__init__()
        self.model = model
        self.rank = rank
        self.captured = False
        """Whether keys go to the program."""
        self._typist = typist
        self._terminal: Emulator | None = None
        self._feed: Feed | ProgramFeed | None = None
        self._picture: Picture | None = None
        self._missing = ""
        try:
            self._terminal = emulator.create(*_SIZE)
        except emulator.UnavailableError as error:
            self._missing = str(error)
        else:
            self._feed = self.make_feed(self._terminal)
            self._picture = Picture(self._terminal)
        if typist is not None:
            typist.failed = self._failed
        self._base = Style()
        self._fitted: tuple[int, int] | None = None
        self._shown = False
        self._above = 0
        self._said = ("", "")
        self._trouble: str | None = None
        self._notice = ""
        self._bells = 0
        self._hot_until = 0.0
        self._hot: Timer | None = None
        """Looks out for echoes, once it is mounted."""

    @property
    def label(self) -> str:
        """What it is called."""
        return f"rank {self.rank}" if self.rank else ""

    def make_feed(self, terminal: Emulator) -> Feed | ProgramFeed:
        """Return what feeds the emulator."""
        return Feed(self.model, self.rank, terminal, self.type)

    def state(self) -> str:
        """Say how the program is."""
        return caption.state(self.model, self.rank, captured=self.captured)

    @property
    def alive(self) -> bool:
        """Whether there is still somebody who could get what is typed."""
        return not self.model.ended

    def on_mount(self) -> None:
        """Begin to feed the emulator, shown or not."""
        # What is there already is looked at at once: we may have been woken before we were mounted.
        self._hot = self.set_interval(_LOOKOUT, self._look_out)
        self.set_interval(_IDLE, self._idle)

    def on_unmount(self) -> None:
        """Send nothing any more."""
        if self._typist is not None:
            self._typist.close()

    def type(self, data: bytes) -> None:
        """Send bytes to the program."""
        if data and self._typist is not None and self.alive:
            self._typist.type(data)
            self.wake()

    def look(self) -> None:
        """Take what is new of the tty stream and repaint the rows that it changed."""
        if self._feed is not None and self.size.width:
            self._feed.pump(_FRAME)
            self._paint()
            self._ring()
            if self._typist is not None and self._feed.garbled():
                self._typist.nudge()
        self._say()

    def _idle(self) -> None:
        if self._feed is not None and self._feed.pump(_FRAME) and self._feed.behind:
            self.wake()

    def wake(self) -> None:
        """Look out for output for a while."""
        self._hot_until = time.monotonic() + _HOT
        if self._hot is not None:
            self._hot.resume()

    def _look_out(self) -> None:
        assert self._hot is not None
        if self._feed is None:
            self._hot.pause()
            return
        if self._feed.pump(_FRAME) and self.is_on_screen:
            self._paint()
        if time.monotonic() > self._hot_until and not self._feed.behind:
            self._hot.pause()

    def _paint(self) -> None:
        if self._feed is None or self._picture is None or not self._feed.paintable():
            return
        rows = self._picture.update()
        above = self._picture.above(self.size.height)
        if rows and (not self._shown or above != self._above):
            self._shown, self._above = True, above
            self.refresh()
        elif rows:
            self.refresh(*(Region(0, y - above, self.size.width, 1) for y in rows))

    def render_line(self, y: int) -> Strip:
        """Return a row of the screen, with the selection and the cursor on it."""
        if self._picture is not None and self._feed is not None and self._feed.any:
            strip = self._picture.line(y + self._above, solid=self.captured)
        else:
            words = caption.missing(self._missing)
            if self._picture is not None:
                words = caption.empty(self.model)
            strip = Strip([Segment(words[y] if y < len(words) else "", self._base)])
        return strip.adjust_cell_length(self.size.width, self._base)

    def _say(self) -> None:
        """Put into the frame where keys go, and how the program is."""
        types = self._typist is not None
        title = caption.title(self.model, self.label, types=types, captured=self.captured)
        keys = keymap.of(self.app)
        title = keys.text(title)
        trouble = self._trouble and self.alive  # who is gone is told by the program's state
        parts = [f"✗ {self._trouble}" if trouble else "", self._notice]
        if self._terminal is not None:
            back = self._terminal.scrolled.back
            parts += [f"↑ {back} lines back · shift+End returns" if back else ""]
            parts += [keys.text(self.state()), self._terminal.title]
        below = " · ".join(part for part in parts if part)
        if self._said != (title, below):
            self._said = title, below
            # Text of a program is never markup.
            self.border_title, self.border_subtitle = Content(title), Content(below)

    def _ring(self) -> None:
        assert self._terminal is not None
        if self._terminal.bells != self._bells:
            self._bells = self._terminal.bells
            if self.captured:
                self.app.bell()

    def _failed(self, trouble: str | None) -> None:
        self._trouble = trouble
        self._say()

    def on_resize(self) -> None:
        """Give both terminals our size."""
        if self.size.width and self.size.height:
            self.fit(*self.size)

    def fit(self, columns: int, rows: int) -> None:
        """Give both terminals a size."""
        if self._fitted == (columns, rows):
            return
        self._fitted = columns, rows
        if self._feed is not None:
            if self._typist is not None:
                self._feed.pump(_LATE)
            self._feed.resize(columns, rows, told=self._typist is not None)
            self.wake()
        if self._typist is not None:
            self._typist.resize(columns, rows)

    def notify_style_update(self) -> None:
        """Take over the theme's colours."""
        super().notify_style_update()
        rich = self.rich_style
        base = Style(color=rich.color, bgcolor=rich.bgcolor)
        if base != self._base:
            self._base = base
            if self._picture is not None:
                self._picture.restyle(base)
