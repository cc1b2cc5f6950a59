"""Keys and the mouse as Textual tells of them, in the words of terminals.

Textual names a key `ctrl+shift+left` or, for a character, after its Unicode name. What bytes it is
depends on what the program has asked for, which the emulator knows; where there is none, `legacy`
has what a plain xterm sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual import events
from textual.keys import REPLACED_KEYS, key_to_character

if TYPE_CHECKING:
    from textual.events import MouseEvent

SHIFT, CTRL, ALT, SUPER = 1, 2, 4, 8

_MODIFIERS = {"shift": SHIFT, "ctrl": CTRL, "alt": ALT, "meta": ALT, "super": SUPER}

NAMED = frozenset(
    ("up", "down", "left", "right", "home", "end", "insert", "delete", "pageup", "pagedown")
) | {"enter", "tab", "backspace", "escape", *(f"f{number}" for number in range(1, 26))}
"""Keys that are no characters."""

_ALIASES = {
    "return": "enter",
    "ctrl-at": "ctrl+at",
    "newline": "ctrl+j",
    "ctrl+space": "ctrl+at",
}

PRESS, RELEASE, MOTION = 1, 0, 2


class KeyPress(NamedTuple):
    """A key with its modifiers."""

    name: str
    """One of NAMED, or "" for a character."""
    character: str = ""
    """The character, as it would be typed with the modifiers but ctrl and alt."""
    modifiers: int = 0


class MousePress(NamedTuple):
    """The mouse at a cell."""

    action: int
    """PRESS, RELEASE or MOTION."""
    button: int
    """0 for none, 1 left, 2 middle, 3 right, 4 and 5 wheel up and down, 6 and 7 left and right."""
    x: int
    y: int
    modifiers: int = 0


def press(key: str, character: str | None) -> KeyPress | None:
    """Translate a key event; None for one that is of no use to a program.

    Args:
        key: the event's key.
        character: the event's character.
    """
    key = _ALIASES.get(key, key)
    *modifiers, name = key.split("+")
    if not name:  # the key is a plus sign itself
        name, modifiers = "+", [modifier for modifier in modifiers if modifier]
    bits = 0
    for modifier in modifiers:
        bits |= _MODIFIERS.get(modifier, 0)
    if name in NAMED:
        return KeyPress(name, "", bits)
    # ctrl+a comes with \x01 as its character, alt+a with "a"
    typed = character if character is not None and character.isprintable() else None
    typed = (
        typed
        or key_to_character(REPLACED_KEYS.get(name, name))
        or (" " if name == "space" else None)
    )
    if not typed:
        return None
    if bits & SHIFT and len(typed) == 1 and typed.islower():
        typed = typed.upper()
    return KeyPress("", typed, bits)


_BUTTONS = {1: 1, 2: 2, 3: 3}

_WHEEL: list[tuple[type[MouseEvent], int]] = [
    (events.MouseScrollUp, 4),
    (events.MouseScrollDown, 5),
    (events.MouseScrollLeft, 6),
    (events.MouseScrollRight, 7),
]


def pointed(event: MouseEvent, x: int, y: int) -> MousePress | None:
    """Translate a mouse event at a cell; None for one that terminals do not report."""
    bits = SHIFT * event.shift | ALT * event.meta | CTRL * event.ctrl
    for kind, button in _WHEEL:
        if isinstance(event, kind):
            return MousePress(PRESS, button, x, y, bits)
    button = _BUTTONS.get(event.button, 0)
    if isinstance(event, events.MouseMove):
        return MousePress(MOTION, button, x, y, bits)
    if isinstance(event, events.MouseDown) and button:
        return MousePress(PRESS, button, x, y, bits)
    if isinstance(event, events.MouseUp) and button:
        return MousePress(RELEASE, button, x, y, bits)
    return None


_LETTERS = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}
_LETTERS |= {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_NUMBERS = {"insert": 2, "delete": 3, "pageup": 5, "pagedown": 6, "f5": 15}
_FUNCTIONS = 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34  # from F6 on
_NUMBERS |= {f"f{number}": code for number, code in enumerate(_FUNCTIONS, 6)}
_PLAIN = {"enter": b"\r", "tab": b"\t", "backspace": b"\x7f", "escape": b"\x1b"}


def legacy(press: KeyPress, *, application: bool = False) -> bytes:
    """Return what an xterm sends for a key when a program has asked for nothing special.

    Args:
        press: the key.
        application: whether it has asked for the application mode of cursor keys.
    """
    name, bits = press.name, press.modifiers
    code = 1 + (bits & SHIFT) + (2 if bits & ALT else 0) + (4 if bits & CTRL else 0)
    if name in _PLAIN:
        plain = _PLAIN[name]
        if name == "tab" and bits & SHIFT:
            plain = b"\x1b[Z"
        elif name == "backspace" and bits & CTRL:
            plain = b"\x08"
        return b"\x1b" + plain if bits & ALT else plain
    if name in _LETTERS:
        if code > 1:
            return f"\x1b[1;{code}{_LETTERS[name]}".encode()
        single = application or name[0] == "f"
        return f"\x1b{'O' if single else '['}{_LETTERS[name]}".encode()
    if name in _NUMBERS:
        modifiers = f";{code}" if code > 1 else ""
        return f"\x1b[{_NUMBERS[name]}{modifiers}~".encode()
    data = press.character.encode("utf-8", "replace")
    if bits & CTRL:
        data = control(press.character) or data
    return b"\x1b" + data if bits & ALT and data else data


_CONTROLS = {" ": 0, "2": 0, "3": 27, "4": 28, "5": 29, "6": 30, "7": 31, "8": 127, "?": 127}
_CONTROLS |= {"/": 31, "-": 31}


def control(character: str) -> bytes:
    """Return the control character that a character makes, b"" if it makes none."""
    if len(character) != 1:
        return b""
    if character in _CONTROLS:
        return bytes([_CONTROLS[character]])
    code = ord(character.upper())
    return bytes([code & 0x1F]) if 0x40 <= code <= 0x5F else b""
