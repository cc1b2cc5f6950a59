"""The exit timer in dialogs: before it begins, while it counts down, when it has fired."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, cast

from fluxstart_tui.session import events as e
from fluxstart_tui.tui.app import FluxApp
from fluxstart_tui.tui.exit_timer import TimerMenu
from tests.tui.brokers_host import launch, record
from tests.tui.rows_support import screen
from tests.tui.test_targets import Asked, Running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from fluxstart_tui.tui.clock import ReplayClock
    from fluxstart_tui.tui.commands import Commands


def drive(
    tmp_path: Path, at: float, script: Callable[[Pilot[int], FluxApp, ReplayClock], Awaitable[None]]
) -> None:
    """Open an instance of which rank 3 dies at 10 s and is missed for 20 s."""
    timed = [
        *launch(4),
        (10.0, e.Exit(3, 1003, 137, 9, "user", "start.signal from the UI")),
        (10.0, e.Timer("armed", 30.0, "rank 3 was killed by SIGKILL", "0-2")),
        (30.0, e.Timer("fired", -1.0, "rank 3 was killed by SIGKILL", "0-2")),
        *((30.01, e.Exit(rank, 1000 + rank, 137, 9, "timer")) for rank in range(3)),
        (30.02, e.End(137)),
    ]
    directory = record(tmp_path / "s", timed, size=4, exit_timeout=20.0, exit_mode="any")

    async def run() -> None:
        source = Running(directory, replay=True)
        app = FluxApp(source, os.environ)
        async with app.run_test(size=(80, 24)) as pilot:
            clock = source.model.replay
            assert clock is not None
            clock.seek(at)
            source.commands = cast("Commands", Asked())
            app._frame()
            await pilot.pause()
            await script(pilot, app, clock)

    asyncio.run(run())


def test_who_kills_is_told_that_it_begins(tmp_path: Path) -> None:
    """With whom it kills, how soon, and the key; not if nobody else runs."""

    async def script(pilot: Pilot[int], app: FluxApp, _clock: ReplayClock) -> None:
        await pilot.press("s", "k")
        await pilot.pause()
        text = " ".join(screen(app).replace("│", " ").split())
        assert "Send SIGKILL to rank 0?" in text
        assert "it kills ranks 1-3 20 s later. t extends or cancels it" in text
        await pilot.press("n")
        app.chosen = frozenset(range(4))
        await pilot.press("s", "k")
        await pilot.pause()
        assert "exit timer" not in screen(app)

    drive(tmp_path, 5.0, script)


def test_the_menu_counts_down_and_says_that_it_has_fired(tmp_path: Path) -> None:
    """It stays, without what can not be done any more."""

    async def script(pilot: Pilot[int], app: FluxApp, clock: ReplayClock) -> None:
        await pilot.press("t")
        await pilot.pause()
        assert "kills ranks 0-2 in 18 s" in screen(app)
        for t, said in ((25.0, "kills ranks 0-2 in 5 s"), (40.0, "it has killed ranks 0-2")):
            clock.seek(t)
            app._frame()
            menu = app.screen
            assert isinstance(menu, TimerMenu)
            menu._look()
            await pilot.pause()
            assert said in " ".join(screen(app).replace("│", " ").split())
        assert not app.screen.query("Button")
        await pilot.press("escape")
        assert app.screen is app.screen_stack[0]

    drive(tmp_path, 12.0, script)


def test_findings_tell_of_it_with_its_key(tmp_path: Path) -> None:
    """F says what it will do, and t opens its menu from there."""

    async def script(pilot: Pilot[int], app: FluxApp, _clock: ReplayClock) -> None:
        await pilot.press("F")
        await pilot.pause()
        text = screen(app)
        assert "The exit timer kills ranks 0-2 in 18 s" in text
        assert "t extends or cancels it" in text
        await pilot.press("t")
        assert isinstance(app.screen, TimerMenu)

    drive(tmp_path, 12.0, script)
