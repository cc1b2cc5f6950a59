"""Real programs on a real pty in the Terminal view."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest
from textual.events import Paste

from fluxstart_tui.tui.terminal import emulator
from tests.tui.terminal_relay import BASH, body, played, running, screen, shows, type_, until, wheel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _emulator() -> None:
    try:
        emulator.create(80, 24)
    except emulator.UnavailableError as error:
        pytest.skip(f"there is no terminal emulator: {error}")


def test_bash_with_readline(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, _, relay):
            text = await shows(pilot, "$")
            assert text.splitlines()[0].startswith("┏━ ⌨ keys go to the program · ctrl+] leaves ━")
            await type_(pilot, "echo wrong")
            await pilot.press("ctrl+w", "r", "i", "g", "h", "t", "left", "left", "home")
            await pilot.press("ctrl+right", "ctrl+k")
            await type_(pilot, " $((6*7)) $COLUMNS $LINES\n")
            await shows(pilot, "42")
            await type_(pilot, "echo $COLUMNS $LINES\n")
            await shows(pilot, "\n┃78 22 ")  # the program has the size that we have
            await pilot.press("up", "up", "enter", "ctrl+r")
            await shows(pilot, "(reverse-i-search)")
            await pilot.press("ctrl+c")
            await type_(pilot, "sh -c 'echo go; sleep 100'\n")
            await shows(pilot, "\n┃go")
            await pilot.press("ctrl+c")
            await type_(pilot, "echo $?\n")
            await shows(pilot, "┃130")
            assert relay.calls[0][0] == "start.resize"

    played(story)


@pytest.mark.skipif(shutil.which("vim") is None, reason="there is no vim on PATH")
def test_vim_on_the_alternate_screen(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, app, _):
            await type_(pilot, "vim -Nu NONE --cmd 'set ruler showmode' file\n")
            await shows(pilot, "~", "[New]")
            await type_(pilot, "ihello\nworld")
            await pilot.press("escape", "up", "A", "!", "escape")
            text = await shows(pilot, "hello!", "world")
            assert body(text)[:3] == ["hello!", "world", "~"]
            await pilot.press("colon")
            await type_(pilot, "wq\n")
            text = await shows(pilot, "$ vim")  # the shell's screen is back
            assert "world" not in text
            await until(pilot, lambda _: (tmp_path / "file").exists())
            assert (tmp_path / "file").read_text() == "hello!\nworld\n"
            assert not app.terminal._terminal.alternate  # type: ignore[union-attr]

    played(story)


def test_vim_gets_the_mouse_and_a_paste(tmp_path: Path) -> None:
    async def story() -> None:
        argv = ["vim", "-Nu", "NONE", "--cmd", "set mouse=a ttymouse=sgr autoindent"]
        async with running(tmp_path, argv) as (pilot, app, _):
            await shows(pilot, "~")
            await type_(pilot, "i")
            app.terminal.on_paste(paste("  one\n  two\n    three\n"))
            text = await shows(pilot, "three")
            assert body(text)[:3] == ["  one", "  two", "    three"]  # not indented twice
            await pilot.press("escape")
            await pilot.click(app.terminal, offset=(4, 2))
            await type_(pilot, "ix")
            await shows(pilot, "txwo")

    played(story)


def paste(text: str) -> Paste:
    return Paste(text)


def test_less_scrolls_with_the_wheel(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("".join(f"line {number}\n" for number in range(500)))

    async def story() -> None:
        async with running(tmp_path, ["less", "text"]) as (pilot, app, _):
            await shows(pilot, "line 0")
            await pilot.press("G")
            await shows(pilot, "line 499", "(END)")
            await pilot.press("g")
            await shows(pilot, "line 0")
            await pilot.press("pagedown")
            await until(pilot, lambda text: "line 0\n" not in text and "line 30" in text)
            await pilot.press("g")
            await shows(pilot, "line 0 ")
            assert app.terminal._terminal is not None
            wheel(app, down=True)
            await until(pilot, lambda text: "line 0 " not in text and "line 3 " in text)

    played(story)


def test_python_and_its_colours(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, ["python3", "-q"]) as (pilot, app, _):
            await shows(pilot, ">>>")
            await type_(pilot, "6*7\n")
            await shows(pilot, "\n┃42")
            await type_(pilot, "print('\\x1b[31mred\\x1b[0m')\n")
            await shows(pilot, "\n┃red")
            rows = [list(app.terminal.render_line(y)) for y in range(app.terminal.size.height)]
            styles = {s.style.color.number for row in rows for s in row
                      if s.text == "red" and s.style and s.style.color}  # fmt: skip
            assert styles == {1}
            await pilot.press("ctrl+d")

    played(story)


def test_gdb_with_readline(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, ["gdb", "-q", "-nx"]) as (pilot, _, _):
            await shows(pilot, "(gdb)", patience=10.0)
            await type_(pilot, "print 6*7\n")
            await shows(pilot, "$1 = 42")

    played(story)


def test_a_flood_is_followed(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, _, _):
            await type_(pilot, "seq 400000; echo END\n")
            begin = time.monotonic()
            await shows(pilot, "┃400000", "┃END", patience=10.0)
            assert time.monotonic() - begin < 10.0

    played(story)


def test_the_screen_of_vim_is_painted_as_vim_means_it(tmp_path: Path) -> None:
    (tmp_path / "box.txt").write_text("┌──────┐\n│ 漢字 │\n└──────┘\n")

    async def story() -> None:
        argv = ["vim", "-Nu", "NONE", "-R", "--cmd", "set ruler laststatus=2 number", "box.txt"]
        async with running(tmp_path, argv, (60, 12)) as (pilot, _, _):
            await until(pilot, lambda text: "All" in text)
            text = screen(pilot.app)
        assert text.splitlines()[:6] == [
            "┏━ ⌨ keys go to the program · ctrl+] leaves ━━━━━━━━━━━━━━━┓",
            "┃  1 ┌──────┐                                              ┃",
            "┃  2 │ 漢字 │                                              ┃",
            "┃  3 └──────┘                                              ┃",
            "┃~                                                         ┃",
            "┃~                                                         ┃",
        ]

    played(story)
