"""A terminal with its keyboard and its mouse; views/terminal.py has all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxstart_tui.tui import keymap
from fluxstart_tui.tui.terminal import caption, handover, keys
from fluxstart_tui.tui.terminal.mouse import Mouse
from fluxstart_tui.tui.terminal.pane import Pane
from fluxstart_tui.tui.terminal.program import Program, ProgramFeed
from fluxstart_tui.tui.terminal.stream import TtyStream

if TYPE_CHECKING:
    from textual import events

    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.terminal.emulator import Emulator
    from fluxstart_tui.tui.terminal.typist import Typist


_PAGES = {"pageup": -1, "pagedown": 1, "home": -(1 << 20), "end": 1 << 20}


class TerminalScreen(Pane, can_focus=True):
    """Shows a terminal and sends what is typed.

    Keys go to the program while it is captured, which Enter or a click begin and ctrl+] ends; the
    keys that are not ours go on to the view otherwise.

    Args:
        model: what there is to see.
        rank: whose terminal.
        typist: takes input and size; None if nobody does.
    """

    def __init__(self, model: Model, rank: int = 0, typist: Typist | Program | None = None) -> None:
        super().__init__(model, rank, typist)
        self._mouse = Mouse(self._terminal, self.type)

    def look(self) -> None:
        """Take what is new of the tty stream and repaint the rows that it changed."""
        if self.captured and not self.alive:
            self.capture(captured=False)  # nobody would get the keys
        super().look()

    def capture(self, *, captured: bool) -> None:
        """Have keys go to the program, or to the app again."""
        captured = captured and self._typist is not None and self.alive
        captured = captured and self._terminal is not None
        if captured != self.captured:
            self.captured = captured
            self.set_class(captured, "-captured")
            if self._terminal is not None:
                self.type(self._terminal.focus(gained=captured))
            self.refresh()
        self._say()

    def on_blur(self) -> None:
        """Let the keys go."""
        self.capture(captured=False)

    async def on_key(self, event: events.Key) -> None:
        """Send a key to the program, or do what it means here."""
        if self._scrolled_by(event.key):
            event.stop()
        elif event.key in keymap.of(self.app).keys("terminal.leave"):
            event.stop()
            event.prevent_default()
            self.capture(captured=not self.captured)
        elif self.captured and self._terminal is not None:
            event.stop()
            event.prevent_default()
            press = keys.press(event.key, event.character)
            if press is not None:
                self._begin_input()
                self.type(self._terminal.key(press))
        elif event.key in keymap.of(self.app).keys("terminal.type"):
            # Not left to the view: what is typed right after it is for the program.
            event.stop()
            event.prevent_default()
            self.capture(captured=True)

    def _begin_input(self) -> None:
        assert self._terminal is not None
        self._notice = ""
        self._terminal.unselect()
        self._terminal.scroll(None)

    def _scrolled_by(self, key: str) -> bool:
        name = key.removeprefix("shift+")
        if self._terminal is None or name not in _PAGES or (name == key and self.captured):
            return False
        step = _PAGES[name]
        self._terminal.scroll(step if abs(step) > 1 else step * max(1, self.size.height - 1))
        self.look()
        return True

    def on_paste(self, event: events.Paste) -> None:
        """Type what is pasted."""
        if self.captured and self._terminal is not None:
            event.stop()
            self._begin_input()
            self.type(self._terminal.paste(event.text))

    async def hand_over(self) -> None:
        """Give the program the real terminal until ctrl+] is typed there."""
        if self._typist is None or not self.alive:
            return
        typist, stream = self._typist, TtyStream(self.model.spool, self.rank, window=1 << 16)

        def ended() -> bool:
            self.model.poll()
            return self.model.ended

        await handover.hand_over(self.app, stream, typist.type, typist.resize, ended)
        if self.size.width:
            typist.resize(*self.size)

    # The mouse

    def _moused(self, event: events.MouseEvent) -> None:
        event.stop()
        x, y = event.get_content_offset_capture(self)
        press = keys.pointed(event, x, y)
        if press is None:
            return
        pressed = press.action == keys.PRESS and press.button in (1, 2, 3)
        if pressed:
            self.focus()
            self.capture_mouse()
            if not self.captured:
                self.capture(captured=True)
        elif press.action == keys.RELEASE:
            self.release_mouse()
        text = self._mouse.handle(press, captured=self.captured)
        if text:
            self.app.copy_to_clipboard(text)
            self._notice = f"copied {len(text)} characters"
        if press.button or self._notice:
            self.look()

    on_mouse_down = on_mouse_up = on_mouse_move = _moused
    on_mouse_scroll_up = on_mouse_scroll_down = _moused
    on_mouse_scroll_left = on_mouse_scroll_right = _moused


class ProgramScreen(TerminalScreen):
    """Shows a helper program.

    Args:
        model: the session, on which the program does not depend.
        name: what it is called.
        program: the program.
    """

    def __init__(self, model: Model, name: str, program: Program) -> None:
        self._label = name
        self.program = program
        super().__init__(model, 0, program)
        program.readable = self.wake

    @property
    def label(self) -> str:
        """What it is called."""
        return self._label

    def make_feed(self, terminal: Emulator) -> ProgramFeed:
        """Return what feeds the emulator."""
        return ProgramFeed(self.program, terminal)

    def state(self) -> str:
        """Say how the program is."""
        return f"{caption.ended(self.program.code)} · x closes" if self.program.ended else ""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return not self.program.ended

    async def hand_over(self) -> None:
        """Do nothing: what it has written is not kept."""
