"""Lines with escape sequences as text with colours."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from fluxstart_tui.tui import ansi

NASTY = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.text(max_size=8).map(str.encode),
        st.sampled_from(
            [b"\x1b[", b"\x1b[31m", b"\x1b[38;5;300m", b"\x1b[38;2;1;2;3m", b"\x1b[48:2::9:8:7m",
             b"\x1b]0;title\x07", b"\x1b]8;;http://x\x1b\\", b"\x1b(B", b"\t", b"\r", b"\x9b1m",
             b"\x1b[99999999999m", b"\x1b[2J", b"\x1bc", "漢字".encode(), "\u202e".encode()]
        ),
    ),
    max_size=12,
).map(b"".join)  # fmt: skip


@given(NASTY)
def test_nothing_survives_that_a_terminal_would_obey(data: bytes) -> None:
    painted = ansi.paint(data)
    assert not any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in painted.text)
    assert painted.width == cell_len(painted.text)
    for begin, end, _ in painted.runs:
        assert 0 <= begin < end <= len(painted.text)


@given(NASTY, st.integers(0, 20), st.integers(0, 20))
def test_segments_are_the_text(data: bytes, begin: int, length: int) -> None:
    painted = ansi.paint(data)
    segments = painted.segments(Style(), [(begin, begin + length, Style(reverse=True))])
    assert "".join(segment.text for segment in segments) == painted.text


@given(NASTY, st.integers(2, 9))
@example(b"\x01\x01\x010\xef\xb8\x8f", 2)
def test_wrapped_rows_fit_and_lose_nothing(data: bytes, width: int) -> None:
    painted = ansi.paint(data)
    begins = ansi.cuts(painted, width)
    ends = [*begins[1:], len(painted.text)]
    parts = [painted.text[begin:end] for begin, end in zip(begins, ends, strict=True)]
    assert "".join(parts) == painted.text
    assert all(cell_len(part) <= width for part in parts)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain [brackets] [/b]", "plain [brackets] [/b]"),
        (b"a\tb", "a       b"),
        (b"10%\r55%\r100%\r", "100%"),
        (b"done\r\x1b[K", "done"),
        (b"\x1b]0;title\x07text\x1b[2J", "text"),
        (b"a\x08b\x7f", "a␈b␡"),
        ("\u202eevil".encode(), "evil"),
        (b"\xff", "\ufffd"),
        (b"x" * 20000, "x" * ansi.LONGEST + "…"),
    ],
)
def test_control_characters_are_shown_or_left_out(data: bytes, text: str) -> None:
    assert ansi.plain(data) == text


@pytest.mark.parametrize(
    ("codes", "style"),
    [
        ("31", "red"),
        ("1;32", "bold green"),
        ("1;31;22;39", "not bold not dim default"),
        ("38;5;208", "color(208)"),
        ("48;2;10;20;30", "on rgb(10,20,30)"),
        ("38:2::10:20:30", "rgb(10,20,30)"),
        ("97;44", "bright_white on blue"),
    ],
)
def test_colours_are_kept(codes: str, style: str) -> None:
    painted = ansi.paint(f"\x1b[{codes}mx\x1b[0my".encode())
    first, second = painted.segments(Style())
    assert first.style is not None
    assert first.style.render("x") == Style.parse(style).render("x")
    assert second == Segment("y", Style())


def test_a_cell_is_a_character() -> None:
    painted = ansi.paint("a漢字b".encode())
    assert [ansi.column(painted, cell) for cell in range(8)] == [0, 1, 1, 2, 2, 3, 4, 4]
