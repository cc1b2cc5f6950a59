"""What a key, the mouse or a paste is to a program that runs in the Terminal view."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from fluxstart_tui.tui.terminal import keys
from fluxstart_tui.tui.terminal.emulator import Emulator, UnavailableError, create
from fluxstart_tui.tui.terminal.keys import CTRL, SHIFT, KeyPress, MousePress

KEYS = [
    ("a", "a", b"a"),
    ("A", "A", b"A"),
    ("é", "é", "é".encode()),
    ("full_stop", ".", b"."),
    ("space", " ", b" "),
    ("plus", "+", b"+"),
    ("enter", "\r", b"\r"),
    ("tab", "\t", b"\t"),
    ("shift+tab", None, b"\x1b[Z"),
    ("escape", "\x1b", b"\x1b"),
    ("backspace", "\x7f", b"\x7f"),
    ("ctrl+backspace", None, b"\x08"),
    ("ctrl+a", "\x01", b"\x01"),
    ("ctrl+c", "\x03", b"\x03"),
    ("ctrl+z", "\x1a", b"\x1a"),
    ("ctrl+at", "\x00", b"\x00"),
    ("ctrl+space", None, b"\x00"),
    ("ctrl+backslash", "\x1c", b"\x1c"),
    ("ctrl+underscore", "\x1f", b"\x1f"),
    ("ctrl+shift+a", None, b"\x01"),
    ("ctrl+i", None, b"\t"),
    ("ctrl+m", None, b"\r"),
    ("shift+enter", None, b"\r"),
    ("alt+a", "a", b"\x1ba"),
    ("alt+shift+a", "A", b"\x1bA"),
    ("alt+full_stop", None, b"\x1b."),
    ("alt+enter", None, b"\x1b\r"),
    ("alt+backspace", None, b"\x1b\x7f"),
    ("alt+ctrl+a", None, b"\x1b\x01"),
    ("up", None, b"\x1b[A"),
    ("left", None, b"\x1b[D"),
    ("ctrl+right", None, b"\x1b[1;5C"),
    ("ctrl+shift+left", None, b"\x1b[1;6D"),
    ("alt+up", None, b"\x1b[1;3A"),
    ("home", None, b"\x1b[H"),
    ("end", None, b"\x1b[F"),
    ("pageup", None, b"\x1b[5~"),
    ("delete", None, b"\x1b[3~"),
    ("ctrl+delete", None, b"\x1b[3;5~"),
    ("insert", None, b"\x1b[2~"),
    ("f1", None, b"\x1bOP"),
    ("f4", None, b"\x1bOS"),
    ("f5", None, b"\x1b[15~"),
    ("f10", None, b"\x1b[21~"),
    ("f12", None, b"\x1b[24~"),
    ("shift+f5", None, b"\x1b[15;2~"),
]  # fmt: skip


@pytest.fixture
def terminal() -> Emulator:
    try:
        return create(80, 24)
    except UnavailableError as error:
        pytest.skip(f"there is no terminal emulator: {error}")


@pytest.mark.parametrize(("key", "character", "expected"), KEYS)
def test_a_key_is_what_xterm_sends(
    terminal: Emulator, key: str, character: str | None, expected: bytes
) -> None:
    press = keys.press(key, character)
    assert press is not None
    assert terminal.key(press) == expected
    assert keys.legacy(press) == expected


def test_arrows_follow_the_application_mode(terminal: Emulator) -> None:
    terminal.feed(b"\x1b[?1h")
    assert (
        terminal.key(KeyPress("up")) == b"\x1bOA" == keys.legacy(KeyPress("up"), application=True)
    )
    assert terminal.key(KeyPress("up", "", CTRL)) == b"\x1b[1;5A"


def test_a_program_may_have_all_keys_told_apart(terminal: Emulator) -> None:
    terminal.feed(b"\x1b[>1u")
    assert terminal.key(KeyPress("enter", "", SHIFT)) == b"\x1b[13;2u"
    assert terminal.key(KeyPress("", "i", CTRL)) == b"\x1b[105;5u"


@pytest.mark.parametrize("key", ["<ignore>", "caps_lock", "left_shift", ""])
def test_keys_that_type_nothing_send_nothing(key: str) -> None:
    press = keys.press(key, None)
    assert press is None or keys.legacy(press) == b""


@given(st.text(max_size=20), st.none() | st.text(max_size=3))
def test_no_key_does_harm(key: str, character: str | None) -> None:
    press = keys.press(key, character)
    if press is not None:
        keys.legacy(press)


@given(
    st.sampled_from(sorted(keys.NAMED)) | st.just(""),
    st.text(max_size=2),
    st.integers(0, 15),
    st.sampled_from([b"", b"\x1b[>31u", b"\x1b[?1h\x1b=", b"\x1b[>4;2m"]),
)
def test_no_key_harms_the_emulator(name: str, character: str, bits: int, modes: bytes) -> None:
    try:
        terminal = create(80, 24)
    except UnavailableError as error:
        pytest.skip(f"there is no terminal emulator: {error}")
    terminal.feed(modes)
    assert isinstance(terminal.key(KeyPress(name, character, bits)), bytes)


def test_paste_is_bracketed_if_the_program_wants_to_know(terminal: Emulator) -> None:
    assert terminal.paste("one\ntwo") == b"one\rtwo"
    terminal.feed(b"\x1b[?2004h")
    assert terminal.paste("one\ntwo") == b"\x1b[200~one\ntwo\x1b[201~"


def test_what_is_pasted_can_not_end_the_paste(terminal: Emulator) -> None:
    terminal.feed(b"\x1b[?2004h")
    pasted = terminal.paste("a\x1b[201~rm -rf\n")
    assert pasted.count(b"\x1b") == 2
    assert pasted.endswith(b"\x1b[201~")


def test_the_mouse_is_reported_as_the_program_asks(terminal: Emulator) -> None:
    left = MousePress(keys.PRESS, 1, 4, 2)
    assert (terminal.mouse, terminal.pointer(left)) == (False, b"")
    terminal.feed(b"\x1b[?1000h")
    assert (terminal.mouse, terminal.pointer(left)) == (True, b"\x1b[M %#")
    terminal.feed(b"\x1b[?1006h")
    assert terminal.pointer(left) == b"\x1b[<0;5;3M"
    assert terminal.pointer(left._replace(action=keys.RELEASE)) == b"\x1b[<0;5;3m"
    assert terminal.pointer(left._replace(button=3)) == b"\x1b[<2;5;3M"
    assert terminal.pointer(left._replace(button=4)) == b"\x1b[<64;5;3M"
    assert terminal.pointer(left._replace(button=5)) == b"\x1b[<65;5;3M"
    assert terminal.pointer(left._replace(modifiers=CTRL)) == b"\x1b[<16;5;3M"
    assert terminal.pointer(MousePress(keys.MOTION, 1, 6, 2)) == b""
    terminal.feed(b"\x1b[?1002h")
    assert terminal.pointer(MousePress(keys.MOTION, 1, 7, 2)) == b"\x1b[<32;8;3M"
    assert terminal.pointer(MousePress(keys.MOTION, 0, 8, 2)) == b""
    terminal.feed(b"\x1b[?1003h")
    assert terminal.pointer(MousePress(keys.MOTION, 0, 9, 2)) == b"\x1b[<35;10;3M"


def test_mouse_events_are_translated() -> None:
    def event(kind: type[events.MouseEvent], button: int = 0) -> events.MouseEvent:
        return kind(None, 0, 0, 0, 0, button, True, False, True)

    bits = SHIFT | CTRL
    assert keys.pointed(event(events.MouseDown, 1), 3, 4) == MousePress(1, 1, 3, 4, bits)
    assert keys.pointed(event(events.MouseUp, 3), 3, 4) == MousePress(0, 3, 3, 4, bits)
    assert keys.pointed(event(events.MouseMove), 3, 4) == MousePress(2, 0, 3, 4, bits)
    assert keys.pointed(event(events.MouseScrollUp), 3, 4) == MousePress(1, 4, 3, 4, bits)
    assert keys.pointed(event(events.MouseScrollRight), 3, 4) == MousePress(1, 7, 3, 4, bits)
