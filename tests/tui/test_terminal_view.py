"""The Terminal view with real programs on a real pty."""

from __future__ import annotations

import asyncio
import errno
import os
import termios
from typing import TYPE_CHECKING, Any

import pytest
from textual.events import MouseMove

from fluxstart_tui.session import events
from fluxstart_tui.session.reader import Session
from fluxstart_tui.tui.clock import ReplayClock
from fluxstart_tui.tui.model import Model
from fluxstart_tui.tui.terminal import emulator
from fluxstart_tui.tui.terminal.screen import TerminalScreen
from tests.tui.terminal_relay import (
    BASH,
    Recording,
    Relay,
    TerminalApp,
    body,
    played,
    running,
    shows,
    type_,
    until,
    wheel,
)

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

LEAVE = "ctrl+right_square_bracket"


@pytest.fixture(autouse=True)
def _emulator() -> None:
    try:
        emulator.create(80, 24)
    except emulator.UnavailableError as error:
        pytest.skip(f"there is no terminal emulator: {error}")


def test_one_chord_leaves_and_the_frame_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, app, relay):
            await shows(pilot, "$")
            await pilot.press("1", "q")
            await until(pilot, lambda _: relay.typed == b"1q")
            await pilot.press(LEAVE)
            text = await shows(pilot, "Enter or click: keys go to the program")
            assert text.splitlines()[0].startswith("╭─")
            await pilot.press("1", "q", "ctrl+c")
            assert relay.typed == b"1q"
            assert app.released_keys == ["1", "q", "ctrl+c"]
            await pilot.press("enter")
            await shows(pilot, "ctrl+] leaves")
            await pilot.press(LEAVE)
            await pilot.click(app.terminal, offset=(5, 5))
            await shows(pilot, "ctrl+] leaves")
            assert relay.typed == b"1q"

    played(story)


def test_scrollback_and_the_way_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, app, _):
            await type_(pilot, "seq 200\n")
            await shows(pilot, "┃200", "┃$")
            await pilot.press("shift+pageup")
            top = int(body(await shows(pilot, "lines back", "┃160"))[0])
            wheel(app, down=False)
            wheel(app, down=False)
            await until(pilot, lambda text: body(text)[0] == str(top - 6))
            await pilot.press("shift+home")
            await shows(pilot, "seq 200")
            await pilot.press("x")
            text = await shows(pilot, "$ x")
            assert "lines back" not in text

    played(story)


def test_text_is_selected_with_the_mouse_and_copied(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, app, _):
            await type_(pilot, "clear; echo some words here\n")
            await until(pilot, lambda text: body(text)[0] == "some words here")
            await pilot.mouse_down(app.terminal, offset=(6, 1))
            await pilot.hover(app.terminal, offset=(10, 1))
            await drag(pilot, app, 10, 1)
            await pilot.mouse_up(app.terminal, offset=(10, 1))
            assert app.copied == "words"
            await shows(pilot, "copied 5 characters")
            await pilot.double_click(app.terminal, offset=(2, 1))
            assert app.copied == "some"

    played(story)


async def drag(pilot: Pilot[Any], app: TerminalApp, x: int, y: int) -> None:
    event = MouseMove(app.terminal, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y)
    app.terminal.post_message(event)
    await pilot.pause()


def test_resizing_reaches_the_program(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, _, relay):
            await shows(pilot, "$")
            await pilot.resize_terminal(120, 40)
            await type_(pilot, "stty size\n")
            await shows(pilot, "┃38 118")
            assert ("start.resize", {"rows": 38, "cols": 118}) in relay.calls

    played(story)


def test_what_a_program_says_is_never_markup(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, app, _):
            await type_(pilot, "printf '\\e]2;[red]title[/] [/nothing]\\a[b]x[/b]\\a'\n")
            await shows(pilot, "[red]title[/] [/nothing]", "[b]x[/b]$")
            await until(pilot, lambda _: app.bells == 1)

    played(story)


def test_trouble_with_input_is_said_in_the_frame(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, _, relay):
            await shows(pilot, "$")
            relay.refuse = errno.EIO
            await pilot.press("a")
            await shows(pilot, "✗ input failed: Input/output error")
            relay.refuse = 0
            await pilot.press("b")
            await until(pilot, lambda text: "input failed" not in text and "$ b" in text)

    played(story)


def test_it_may_get_a_size_before_it_is_mounted(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, app, _):
            await shows(pilot, "$")
            screen = TerminalScreen(app.terminal.model)
            app.screen.mount(screen)
            screen.fit(40, 10)  # no message has been handled since
            screen.look()
            await pilot.pause()
            assert app.terminal.is_running

    played(story)


def test_nobody_complains_of_a_size_when_the_instance_has_ended(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, _, relay):
            await shows(pilot, "$")
            relay.refuse = errno.ENOENT
            await pilot.resize_terminal(90, 30)
            await shows(pilot, "✗ the terminal's size can not be set")
            relay.event(events.End(0))
            await until(pilot, lambda text: "✗" not in text and "has ended" in text)

    played(story)


def test_a_program_that_has_ended_is_said_to_and_an_interrupt_still_goes(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, app, relay):
            await shows(pilot, "$")
            relay.event(events.Program("ended", 3, "bash"))
            await shows(pilot, "the initial program has ended with code 3")
            await pilot.press("ctrl+c")
            await until(pilot, lambda _: relay.typed == b"\x03")
            relay.event(events.End(3))
            await shows(pilot, "to look at only")
            await pilot.press("q")
            assert app.released_keys == ["q"]

    played(story)


def test_who_attaches_late_sees_the_screen_and_answers_no_old_questions(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write(b"\x1b[6n\x1b[?1049h\x1b[2J\x1b[5;5Hfull screen", t=-60.0)
    recording.close()

    class Silent:
        calls: list[str] = []

        async def call(self, topic: str, payload: Any = None) -> dict[str, Any]:
            self.calls.append(topic)
            return {}

    async def story() -> None:
        app = TerminalApp(recording.model(), Silent())
        async with app.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "full screen", "has not started")
        assert set(Silent.calls) == {"start.resize"}

    played(story)


def test_a_replay_goes_back_and_forth_and_takes_no_keys(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    for t in range(1, 6):
        recording.write(b"second %d\r\n" % t, t=float(t), apart=True)
    recording.close()

    async def story() -> None:
        clock = ReplayClock(6.0)
        app = TerminalApp(Model(Session(str(tmp_path)), clock))
        async with app.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "as recorded", "second 5")
            clock.seek(2.5)
            text = await until(pilot, lambda text: "second 3" not in text)
            assert "second 2" in text
            clock.seek(4.0)
            await shows(pilot, "second 4")
            app.view.focus_main()
            await pilot.press("7")
            assert app.released_keys == ["7"]

    played(story)


def test_a_replay_has_the_sizes_that_the_terminal_had(tmp_path: Path) -> None:
    """Lines wrap where they did; of a larger one the part with the cursor is shown."""
    recording = Recording(tmp_path)
    recording.recorder.event(0.5, events.Winsize(0, 10, 20))
    recording.recorder.event(0.6, events.Winsize(1, 5, 5))
    recording.write(b"a" * 15 + b"b" * 10 + b"\r\n", t=1.0, apart=True)
    recording.recorder.event(2.0, events.Winsize(0, 50, 70))
    recording.write(b"\x1b[2J\x1b[H" + b"c" * 60 + b"\x1b[50;1Hlast", t=3.0, apart=True)
    recording.recorder.event(4.0, events.Winsize(0, 10**9, 0))
    recording.close()

    async def story() -> None:
        clock = ReplayClock(6.0)
        app = TerminalApp(Model(Session(str(tmp_path)), clock))
        async with app.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "last")
            clock.seek(1.5)
            text = await until(pilot, lambda text: "last" not in text and "aaa" in text)
            assert body(text)[:2] == ["a" * 15 + "b" * 5, "b" * 5]
            await pilot.resize_terminal(100, 30)
            await shows(pilot, "a" * 15 + "b" * 5 + " ")
            clock.seek(5.0)
            text = await shows(pilot, "last")
            assert body(text)[-1] == "last"

    played(story)


def test_without_an_emulator_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: int) -> None:
        raise emulator.UnavailableError("No module named 'pyghostty'")

    async def story() -> None:
        async with running(tmp_path, BASH) as (pilot, app, _):
            await shows(pilot, "no terminal emulator", "No module named 'pyghostty'", "o   hands")
            await pilot.press("7")
            assert app.released_keys == ["7"]

    monkeypatch.setattr(emulator, "create", none)
    played(story)


def test_the_real_terminal_can_be_handed_over(tmp_path: Path) -> None:
    from fluxstart_tui.tui.terminal import handover
    from fluxstart_tui.tui.terminal.stream import TtyStream
    from fluxstart_tui.tui.terminal.typist import Typist

    relay = Relay(tmp_path, BASH)
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    termios.tcsetwinsize(theirs, (24, 80))

    async def story() -> None:
        typist = Typist(relay, lambda _: None)
        stream = TtyStream(relay.model().spool)
        task = asyncio.create_task(
            handover.relay(theirs, theirs, stream, typist.type, typist.resize, lambda: False)
        )
        seen = b""

        async def until_seen(wanted: bytes) -> None:
            nonlocal seen
            for _ in range(250):
                try:
                    seen += os.read(ours, 65536)
                except BlockingIOError:
                    await asyncio.sleep(0.02)
                if wanted in seen:
                    return
            raise AssertionError(seen)

        await until_seen(b"ctrl+] leaves")
        os.write(ours, b"echo $((6*7))\r")
        await until_seen(b"42")
        os.write(ours, b"exit\x1d")
        await asyncio.wait_for(task, 5)
        await until_seen(b"\x1b[?1049l")
        typist.close()

    try:
        played(story)
    finally:
        relay.close()
        os.close(ours)
        os.close(theirs)
