"""The terminal of rank 0 and the initial program, through an emulator of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from fluxstart_tui.tui.terminal import handover, keys
from fluxstart_tui.tui.terminal.mouse import Mouse
from fluxstart_tui.tui.terminal.pane import Pane
from fluxstart_tui.tui.terminal.stream import TtyStream

if TYPE_CHECKING:
    from textual import events

    from fluxstart_tui.tui.commands import Commands
    from fluxstart_tui.tui.model import Model

LEAVE = "ctrl+right_square_bracket"

_PAGES = {"pageup": -1, "pagedown": 1, "home": -(1 << 20), "end": 1 << 20}


class TerminalView(Pane, can_focus=True):
    """Shows the session's tty stream and sends what is typed to start.input.

    Keys go to the program while it is captured, which Enter or a click begin and ctrl+] ends; the
    keys that are not ours go on to the app otherwise.

    Args:
        model: what there is to see.
        commands: takes input and size; None for a recorded instance.
        rank: whose terminal; rank 0 has the initial program's.
    """

    TITLE: ClassVar[str] = "Terminal"
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("Enter, click", "keys go to the program"),
        ("ctrl+]", "leave: keys go to fluxstart-tui again"),
        ("shift+PgUp/PgDn/Home/End, wheel", "scroll back"),
        ("drag; shift+drag if the program has the mouse", "select and copy"),
        ("double, triple click", "select and copy a word, a line"),
        ("o, after ctrl+]", "hand over the real terminal until ctrl+]"),
    ]

    def __init__(self, model: Model, commands: Commands | None = None, rank: int = 0) -> None:
        super().__init__(model, commands, rank)
        self._mouse = Mouse(self._terminal, self.type)

    def look(self) -> None:
        """Take what is new of the tty stream and repaint the rows that it changed."""
        if self.captured and (self.model.ended or self._typist is None):
            self.capture(captured=False)  # nobody would get the keys
        super().look()

    def focus_main(self) -> None:
        """Have keys go to the program."""
        self.focus()
        self.capture(captured=True)

    def capture(self, *, captured: bool) -> None:
        """Have keys go to the program, or to the app again."""
        captured = captured and self._typist is not None and not self.model.ended
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
        elif event.key == LEAVE:
            event.stop()
            self.capture(captured=not self.captured)
        elif self.captured and self._terminal is not None:
            event.stop()
            event.prevent_default()
            press = keys.press(event.key, event.character)
            if press is not None:
                self._begin_input()
                self.type(self._terminal.key(press))
        elif event.key == "enter":
            event.stop()
            self.capture(captured=True)
        elif event.key == "o" and self._typist is not None:
            event.stop()
            await self.hand_over()

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
        if self._typist is None:
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
