"""Keys, mouse and paste as a program wants them that runs in a terminal of Ghostty's."""

from __future__ import annotations

import weakref
from typing import Any

from pyghostty import ffi, lib
from pyghostty.core import check, init_sized

from fluxstart_tui.tui.terminal import keys
from fluxstart_tui.tui.terminal.keys import ALT, CTRL, SHIFT, KeyPress, MousePress

_ROOM = 256

_NAMES = {"up": "ARROW_UP", "down": "ARROW_DOWN", "left": "ARROW_LEFT", "right": "ARROW_RIGHT"}
_NAMES |= {"pageup": "PAGE_UP", "pagedown": "PAGE_DOWN"}

_BUTTONS = {1: "LEFT", 2: "MIDDLE", 3: "RIGHT", 4: "FOUR", 5: "FIVE", 6: "SIX", 7: "SEVEN"}

_ACTIONS = {keys.PRESS: "PRESS", keys.RELEASE: "RELEASE", keys.MOTION: "MOTION"}

_SAME = {"i": "tab", "m": "enter", "[": "escape"}
"""Characters that with ctrl are another key, unless a program wants them told apart."""


class Encoder:
    """Encodes what is typed and pointed at for a terminal.

    Args:
        terminal: its handle, which knows what the program has asked for.
    """

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal
        self._keys = self._new("GhosttyKeyEncoder", "key_encoder")
        self._key = self._new("GhosttyKeyEvent", "key_event")
        self._mouse = self._new("GhosttyMouseEncoder", "mouse_encoder")
        self._pointer = self._new("GhosttyMouseEvent", "mouse_event")
        self._space = ffi.new(f"char[{_ROOM}]")
        self._length = ffi.new("size_t*")
        self._cell = (1, 1)

    def _new(self, kind: str, name: str) -> Any:
        handle = ffi.new(f"{kind}*")
        check(getattr(lib, f"ghostty_{name}_new")(ffi.NULL, handle), name)
        weakref.finalize(self, getattr(lib, f"ghostty_{name}_free"), handle[0])
        return handle[0]

    def resize(self, columns: int, rows: int, width: int, height: int) -> None:
        """Take note of the size in cells and of a cell's in pixels."""
        self._cell = width, height
        size = init_sized("GhosttyMouseEncoderSize")
        size.screen_width, size.screen_height = columns * width, rows * height
        size.cell_width, size.cell_height = width, height
        option = lib.GHOSTTY_MOUSE_ENCODER_OPT_SIZE
        lib.ghostty_mouse_encoder_setopt(self._mouse, option, size)
        track = ffi.new("bool*", True)  # a motion within a cell is none
        option = lib.GHOSTTY_MOUSE_ENCODER_OPT_TRACK_LAST_CELL
        lib.ghostty_mouse_encoder_setopt(self._mouse, option, track)

    def key(self, press: KeyPress, *, kitty: bool) -> bytes:
        """Return what a terminal sends for a key.

        Args:
            press: the key.
            kitty: whether the program wants all keys told apart.
        """
        if not kitty:
            press = _plain(press)
        name = _NAMES.get(press.name, press.name.upper()) or "UNIDENTIFIED"
        if press.character == " ":
            name = "SPACE"
        event, text = self._key, press.character.encode("utf-8", "replace")
        unshifted = press.character.lower()
        lib.ghostty_key_encoder_setopt_from_terminal(self._keys, self._terminal)
        lib.ghostty_key_event_set_action(event, lib.GHOSTTY_KEY_ACTION_PRESS)
        lib.ghostty_key_event_set_key(
            event, getattr(lib, f"GHOSTTY_KEY_{name}", lib.GHOSTTY_KEY_UNIDENTIFIED)
        )
        lib.ghostty_key_event_set_mods(event, press.modifiers)
        # The shift that makes an A of an a is not to be told once more.
        used = SHIFT if press.character and not press.modifiers & CTRL else 0
        lib.ghostty_key_event_set_consumed_mods(event, used & press.modifiers)
        lib.ghostty_key_event_set_utf8(event, text, len(text))
        code = ord(unshifted) if len(unshifted) == 1 else 0
        lib.ghostty_key_event_set_unshifted_codepoint(event, code)
        return self._encoded(lib.ghostty_key_encoder_encode, self._keys, event)

    def pointer(self, press: MousePress) -> bytes:
        """Return what a terminal sends for the mouse, b"" if the program does not want it."""
        event = self._pointer
        lib.ghostty_mouse_encoder_setopt_from_terminal(self._mouse, self._terminal)
        lib.ghostty_mouse_event_set_action(
            event, getattr(lib, f"GHOSTTY_MOUSE_ACTION_{_ACTIONS[press.action]}")
        )
        if press.button in _BUTTONS:
            button = getattr(lib, f"GHOSTTY_MOUSE_BUTTON_{_BUTTONS[press.button]}")
            lib.ghostty_mouse_event_set_button(event, button)
        else:
            lib.ghostty_mouse_event_clear_button(event)
        held = ffi.new("bool*", press.action != keys.RELEASE and press.button in (1, 2, 3))
        option = lib.GHOSTTY_MOUSE_ENCODER_OPT_ANY_BUTTON_PRESSED
        lib.ghostty_mouse_encoder_setopt(self._mouse, option, held)
        lib.ghostty_mouse_event_set_mods(event, press.modifiers)
        width, height = self._cell
        place = {"x": (press.x + 0.5) * width, "y": (press.y + 0.5) * height}
        lib.ghostty_mouse_event_set_position(event, ffi.new("GhosttyMousePosition*", place)[0])
        return self._encoded(lib.ghostty_mouse_encoder_encode, self._mouse, event)

    def _encoded(self, encode: Any, encoder: Any, event: Any) -> bytes:
        if encode(encoder, event, self._space, _ROOM, self._length):
            return b""
        return bytes(ffi.buffer(self._space, self._length[0])[:])

    def paste(self, text: str, *, bracketed: bool) -> bytes:
        """Return what a terminal sends for text that is pasted.

        Args:
            text: the text; what could end the brackets or be a command is taken out.
            bracketed: whether the program wants to know what was pasted.
        """
        data = text.replace("\r\n", "\n").encode("utf-8", "replace")
        source = ffi.new("char[]", data)
        room = len(data) + 64
        space = ffi.new(f"char[{room}]")
        encode = lib.ghostty_paste_encode
        if encode(source, len(data), bracketed, space, room, self._length):
            return b""
        return bytes(ffi.buffer(space, self._length[0])[:])


def _plain(press: KeyPress) -> KeyPress:
    """Return the key that programs know which have asked for nothing special.

    Otherwise shift+enter or ctrl+i would be sequences that they print.
    """
    name, character, bits = press
    if name in ("enter", "escape"):
        return KeyPress(name, "", bits & ALT)
    if name == "tab":
        return KeyPress(name, "", bits & (ALT | SHIFT))
    if name == "backspace":
        return KeyPress(name, "", bits & (ALT | CTRL))
    if character and bits & CTRL:
        if character.lower() in _SAME:
            return KeyPress(_SAME[character.lower()], "", bits & ALT)
        return KeyPress("", character.lower(), bits & (ALT | CTRL))
    return press
