"""The Terminal view: how much output it takes, and how soon a key that is typed is seen.

Target: a key's echo is painted within 30 ms in 99 of 100 cases; flood.py measures that under load.
The instance is a real one, with an engine and a pty of its own; the app runs without a screen, so
that the time a terminal takes to draw is not in the figures.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.events import Key

from fluxstart_tui.tui.source import Live
from fluxstart_tui.tui.terminal.emulator import create
from fluxstart_tui.tui.terminal.paint import Picture
from tests.tui.terminal_relay import TerminalApp, shows, type_

if TYPE_CHECKING:
    from textual.screen import Screen

KEYS = 500
PAUSE = 0.03
SIZE = 120, 40


def coloured(size: int) -> bytes:
    """Return coloured log output of about so many bytes."""
    line = "\x1b[3{}m2026-01-01 12:00:00.{:06d}\x1b[0m \x1b[1mINFO\x1b[0m worker {}: something\r\n"
    lines = "".join(line.format(number % 8, number, number % 97) for number in range(5000))
    return lines.encode() * (size // len(lines) + 1)


def throughput() -> None:
    """Measure the emulator alone, and with a picture for each frame of 1 MiB."""
    data = coloured(64 << 20)
    for frame in (len(data), 1 << 20):
        terminal = create(*SIZE)
        picture = Picture(terminal)
        begin = time.perf_counter()
        for at in range(0, len(data), frame):
            terminal.feed(data[at : at + frame])
            picture.update()
        rate = len(data) / (time.perf_counter() - begin) / 1e6
        print(f"emulator, {len(data) >> 20} MiB in portions of {frame >> 10} KiB: {rate:.0f} MB/s")
    terminal = create(*SIZE)
    picture = Picture(terminal)
    times = []
    for at in range(0, 200 << 13, 1 << 13):
        terminal.feed(data[at : at + (1 << 13)])
        begin = time.perf_counter()
        picture.update()
        times.append(time.perf_counter() - begin)
    print(f"a full picture of {SIZE[0]}x{SIZE[1]}: {statistics.median(times) * 1e3:.1f} ms")


class Watched(TerminalApp):
    """Tells when it paints, and looks as the app does: when the engine says that there is more."""

    painted: asyncio.Event

    def on_mount(self) -> None:
        self.painted = asyncio.Event()
        self.set_interval(1 / 20, self.frame)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        super()._display(screen, renderable)
        self.painted.set()


async def echo(app: Watched) -> list[float]:
    """Type keys one at a time; return the seconds until each is painted."""
    terminal = app.terminal
    times = []
    for number in range(KEYS):
        character = "abcdefghij"[number % 10]
        picture = terminal._picture
        assert picture is not None
        before = picture._cursor
        app.painted.clear()
        begin = time.perf_counter()
        app.post_message(Key(character, character))
        while True:
            await app.painted.wait()
            app.painted.clear()
            if picture._cursor != before:
                break
        times.append(time.perf_counter() - begin)
        if number % 50 == 49:
            app.post_message(Key("ctrl+u", "\x15"))
        await asyncio.sleep(PAUSE * (0.5 + number % 7 / 7))
    return times


async def latency(name: str, words: list[str]) -> None:
    """Measure the echo of keys in a shell of an instance."""
    with tempfile.TemporaryDirectory() as directory:
        environ = dict(os.environ, PS1="$ ")
        source = Live(words, environ, str(Path(directory) / "session"))
        await source.started()
        app = Watched(source.model, source.commands)
        try:
            async with app.run_test(size=SIZE) as pilot:
                app.view.focus_main()
                await shows(pilot, "$", patience=30.0)
                await type_(pilot, "\n")
                await asyncio.sleep(1.0)
                times = sorted(await echo(app))
        finally:
            source.finish(10.0)
    median, p99 = times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3
    print(f"echo of {KEYS} keys, {name}: median {median:.1f} ms, p99 {p99:.1f} ms")


def main() -> None:
    """Measure all of it."""
    throughput()
    shell = ["bash", "--norc", "--noprofile"]
    asyncio.run(latency("quiet", ["--broker=embedded", "-s2", *shell]))


if __name__ == "__main__":
    main()
