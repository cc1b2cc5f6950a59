"""What the emulator makes of a program's output."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from fluxstart_tui.tui.terminal.emulator import Cursor, Emulator, UnavailableError, create
from fluxstart_tui.tui.terminal.paint import Picture


def made(columns: int = 20, rows: int = 4) -> Emulator:
    try:
        return create(columns, rows)
    except UnavailableError as error:
        pytest.skip(f"there is no terminal emulator: {error}")


def harmless(text: str) -> bool:
    """Tell whether a text can be written to a real terminal."""
    text = text.replace("\u200d", "")
    return not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {unicodedata.category(c) for c in text}


def styles(terminal: Emulator, row: int = 0) -> list[tuple[str, str]]:
    """Return the pieces of a row and their styles."""
    segments = dict(terminal.changed())[row]
    return [(segment.text.rstrip(), str(segment.style)) for segment in segments]


@pytest.mark.parametrize(
    ("sequence", "style"),
    [
        ("31", "color(1)"),
        ("94", "color(12)"),
        ("38;5;208", "color(208)"),
        ("38;2;1;2;3", "#010203"),
        ("48;5;22", "on color(22)"),
        ("48:2::1:2:3", "on #010203"),
        ("1;3", "bold italic"),
        ("2;9", "dim strike"),
        ("4", "underline"),
        ("4:3", "underline"),
        ("21", "underline underline2"),
        ("7", "reverse"),
        ("8", "conceal"),
        ("53", "overline"),
    ],
)
def test_attributes_and_colours_are_kept(sequence: str, style: str) -> None:
    terminal = made()
    terminal.feed(f"a\x1b[{sequence}mtext\x1b[0mz".encode())
    expected = {str(Style.parse(style))}
    assert {its for text, its in styles(terminal) if text == "text"} == expected


def test_erased_cells_keep_the_background() -> None:
    terminal = made()
    terminal.feed(b"\x1b[44mx\x1b[K")
    assert styles(terminal) == [("x", "on color(4)"), ("", "on color(4)")]


def test_only_rows_that_have_changed_are_returned() -> None:
    terminal = made()
    terminal.feed(b"one\r\ntwo")
    assert [y for y, _ in terminal.changed()] == [0, 1, 2, 3]
    assert terminal.changed() == []
    terminal.feed(b"!")
    assert [y for y, _ in terminal.changed()] == [1]


def test_wide_and_combined_characters_take_their_cells() -> None:
    terminal = made()
    terminal.feed("漢字 e\u0301 👍🏽 ─┐ \u200bx".encode())
    (_, row), *_ = terminal.changed()
    text = "".join(segment.text for segment in row)
    assert sum(cell_len(segment.text) for segment in row) == 20
    assert text.startswith("漢字 e\u0301 ")


def test_the_alternate_screen_comes_and_goes() -> None:
    terminal = made()
    terminal.feed(b"shell\x1b[?1049h\x1b[2J\x1b[Hvim")
    terminal.changed()
    assert (terminal.alternate, terminal.text().split()) == (True, ["vim"])
    terminal.feed(b"\x1b[?1049l")
    terminal.changed()
    assert (terminal.alternate, terminal.text().split()) == (False, ["shell"])


def test_the_scrollback_is_bounded_and_can_be_looked_at() -> None:
    made()
    terminal = create(20, 4, scrollback=100)
    for number in range(50):
        terminal.feed(f"line {number}\r\n".encode())
    assert terminal.scrolled.back == 0
    terminal.scroll(-10)
    terminal.changed()
    assert terminal.text().splitlines()[0] == "line 37"
    assert terminal.scrolled.back == 10
    assert terminal.cursor() is None
    terminal.feed(b"more\r\n" * 3)
    terminal.changed()
    assert terminal.text().splitlines()[0] == "line 37"  # what one reads does not move
    terminal.scroll(None)
    assert terminal.scrolled.back == 0


def test_resizing_reflows_lines() -> None:
    terminal = made()
    terminal.feed(b"0123456789abcdefghij")
    terminal.resize(10, 4)
    terminal.changed()
    assert terminal.text().splitlines()[:2] == ["0123456789", "abcdefghij"]
    terminal.resize(20, 4)
    terminal.changed()
    assert terminal.text().splitlines()[0] == "0123456789abcdefghij"


@pytest.mark.parametrize("size", [(0, 0), (-5, 3), (100000, 100000), (1, 1)])
def test_no_size_does_harm(size: tuple[int, int]) -> None:
    terminal = made()
    terminal.resize(*size)
    terminal.feed("漢字\r\nabc".encode())
    terminal.changed()


def test_questions_are_answered() -> None:
    terminal = made()
    assert terminal.feed(b"ab\x1b[6n") == b"\x1b[1;3R"
    assert terminal.feed(b"\x1b[5n") == b"\x1b[0n"
    assert terminal.feed(b"\x1b[c").startswith(b"\x1b[?62")
    assert terminal.feed(b"\x1b[18t") == b"\x1b[8;4;20t"
    terminal.restyle(Style.parse("#ffffff on #102030"))
    assert b"1010/2020/3030" in terminal.feed(b"\x1b]11;?\x07")
    assert len(terminal.feed(b"\x1b[c" * 100_000)) < 70_000


def test_cursor_title_and_bell() -> None:
    terminal = made()
    terminal.feed(b"ab\x07\x1b]2;my [b]title[/b]\x07\x1b[4 q")
    terminal.changed()
    assert terminal.cursor() == Cursor(2, 0, "underline")
    assert terminal.title == "my [b]title[/b]"
    assert terminal.bells == 1
    terminal.feed(b"\x1b[?25l")
    terminal.changed()
    assert terminal.cursor() is None


def test_focus_is_told_to_who_wants_to_know() -> None:
    terminal = made()
    assert terminal.focus(gained=True) == b""
    terminal.feed(b"\x1b[?1004h")
    assert terminal.focus(gained=True) == b"\x1b[I"
    assert terminal.focus(gained=False) == b"\x1b[O"


def test_selection_by_cells_words_and_lines() -> None:
    terminal = made()
    terminal.feed(b"some words here\r\nand a line\r\n")
    assert terminal.selection() == ""
    terminal.select(2, 0)
    terminal.extend(2, 1)
    terminal.changed()
    assert terminal.selection() == "me words here\nand"
    assert terminal.selected(0) == (2, 19)
    assert terminal.selected(1) == (0, 2)
    terminal.select(6, 0, "word")
    assert terminal.selection() == "words"
    terminal.select(6, 0, "line")
    assert terminal.selection() == "some words here"
    terminal.unselect()
    terminal.changed()
    assert terminal.selection() == ""
    assert terminal.selected(0) is None


def test_the_picture_marks_selection_and_cursor() -> None:
    terminal = made()
    picture = Picture(terminal)
    terminal.feed("漢字\x1b[1;1H".encode())
    assert picture.update() == {0, 1, 2, 3}
    line = picture.line(0, solid=True)
    assert next((s.text, bool(s.style and s.style.reverse)) for s in line) == ("漢", True)
    assert line.cell_length == 20
    terminal.select(2, 0)
    terminal.extend(5, 0)
    assert 0 in picture.update()
    marked = [s.text for s in picture.line(0, solid=False) if s.style and s.style.reverse]
    assert "".join(marked).startswith("字")
    assert picture.line(99, solid=True).cell_length == 20


def test_nothing_that_a_program_writes_reaches_the_real_terminal_raw() -> None:
    terminal = made(80, 24)
    terminal.feed(
        "\x1b[2 q\x9b31m\x85\u202e\u2066bidi \x1b_Gi=1,a=T,t=f;L2V0Yy9wYXNzd2Q=\x1b\\".encode()
    )
    terminal.feed(bytes(range(256)) * 3)
    for _, row in terminal.changed():
        for segment in row:
            assert harmless(segment.text)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300) | st.sampled_from([
    b"\x1b[", b"\x1b]0;", b"\x1b]52;c;", b"\x1bP", b"\x1b[?1049h", b"\x1b[?1006;1003h", b"\x1b[2J",
    b"\x1b[999999999A", b"\x1b[38;2;", b"\x1b[8;1000;1000t", b"\x1b_G", b"\x1b]8;;http://x\x07",
    b"\xff\xfe", "👨‍👩‍👧‍👦".encode(), b"\x1b[65535X", b"\x1b[2;3r", b"\x1b#8", b"\x1b[5;5H\x1b[1J",
]), max_size=20), st.integers(2, 60), st.integers(1, 20))  # fmt: skip
def test_arbitrary_output_does_no_harm(pieces: list[bytes], columns: int, rows: int) -> None:
    terminal = made(40, 10)
    picture = Picture(terminal)
    for number, piece in enumerate(pieces):
        assert isinstance(terminal.feed(piece), bytes)
        if number == len(pieces) // 2:
            terminal.resize(columns, rows)
            terminal.select(3, 3)
            terminal.scroll(-2)
        terminal.extend(number, number)
        picture.update()
        for y in range(terminal.rows):
            line = picture.line(y, solid=True)
            assert sum(cell_len(segment.text) for segment in line) == terminal.columns
            assert harmless("".join(segment.text for segment in line))
    assert terminal.selection().__class__ is str
    assert isinstance(terminal.title, str)
