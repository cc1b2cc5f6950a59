"""Whom an action is for: in every view the rank under the cursor, or the chosen ones."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, cast

from fluxstart_tui.session import events
from fluxstart_tui.tui.app import FluxApp
from fluxstart_tui.tui.screens.ask import Ask
from fluxstart_tui.tui.source import Source
from fluxstart_tui.tui.views.detail import DetailView
from fluxstart_tui.tui.views.pmi import BARRIER, LANES, PmiView
from fluxstart_tui.tui.widgets.page import RowsPage
from tests.tui.rows_support import Launch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from fluxstart_tui.tui.commands import Commands

SIZE = 4


class Asked:
    """Stands for the start service; remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def call(self, topic: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((topic, payload))
        return {"ranks": "", "barrier": False}


class Running(Source):
    """A record that takes commands as if it were none."""

    def over(self) -> bool:
        return False


def drive(
    tmp_path: Path, script: Callable[[Pilot[int], FluxApp], Awaitable[None]]
) -> list[tuple[str, dict[str, Any]]]:
    """Open an instance that runs, do something; return what the start service was asked."""
    launch = Launch(tmp_path / "targets", SIZE)
    launch.pmi()
    launch.boot()
    for rank in range(SIZE):
        launch.event(4.0, events.Pmi(rank, "finalize", 1))
        launch.write(4.0 + rank / 10, rank, b"hello\n")
    asked = Asked()

    async def run() -> None:
        source = Running(str(launch.close(10.0)), replay=True)
        app = FluxApp(source, os.environ)
        async with app.run_test(size=(100, 30)) as pilot:
            clock = source.model.replay
            assert clock is not None
            clock.seek(clock.end)
            source.commands = cast("Commands", asked)
            app._frame()
            await pilot.pause()
            await script(pilot, app)

    asyncio.run(run())
    return asked.calls


async def question(pilot: Pilot[int], key: str) -> str:
    """Press a key; return what is asked then, and leave it unanswered."""
    await pilot.press(key)
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, Ask), key
    await pilot.press("escape")
    await pilot.pause()
    return f"{screen._question} {screen._answers}"


async def put_on(pilot: Pilot[int], view: RowsPage, rank: int) -> None:
    """Move the cursor by arrows to a row of a rank, once there are rows."""
    while not len(view.source) or view.source.more:
        view.look()
        await pilot.pause()
    await pilot.press("g")
    for _ in range(len(view.source)):
        if rank in view.source.ranks(view.source.cursor):
            return
        await pilot.press("down")
    raise AssertionError(f"no row of rank {rank}")


def test_actions_are_for_the_rank_under_the_cursor_of_each_view_of_rows(tmp_path: Path) -> None:
    """It stands in the question, and Detail shows it."""

    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        modes = [("tree", 0), ("timeline", 0), ("pmi", LANES), ("pmi", BARRIER), ("pmi", 0),
                 ("log", 0)]  # fmt: skip
        for number, (name, mode) in enumerate(modes):
            rank = 1 + number % 3
            await app.action_show(name)
            await pilot.pause()
            view = app.view
            assert isinstance(view, RowsPage)
            if isinstance(view, PmiView):
                view.go(mode)
            await pilot.pause()
            await put_on(pilot, view, rank)
            assert f"to rank {rank}?" in await question(pilot, "s"), (name, mode)
            hold = "H" if name != "pmi" else None  # which has a key of its own
            assert hold is None or f"hold rank {rank}'" in await question(pilot, hold)
            await pilot.press("d")
            await pilot.pause()
            assert isinstance(app.view, DetailView)
            assert app.view.rank == rank, (name, mode)

    drive(tmp_path, script)


def test_a_row_of_many_ranks_is_all_of_them(tmp_path: Path) -> None:
    """Launch has a row for all that are in one place; Enter chooses them, and so it is said."""

    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        await app.action_show("launch")
        await pilot.pause()
        assert "to ranks 0-3?" in await question(pilot, "s")
        await pilot.press("enter")
        assert app.chosen == frozenset(range(SIZE))
        await app.action_show("tree")
        await pilot.press("g", "down")
        assert "to the chosen ranks 0-3?" in await question(pilot, "s")

    drive(tmp_path, script)


def test_the_cursor_goes_along_to_other_views(tmp_path: Path) -> None:
    """But not from a log that one has only looked at while it goes on."""

    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        await pilot.press("down", "down")
        for name in ("tree", "timeline", "launch", "pmi", "log", "output", "brokers"):
            await app.action_show(name)
            await pilot.pause()
            view = app.view
            if isinstance(view, PmiView):
                view.go(BARRIER)
            if isinstance(view, RowsPage) and name == "log":
                view.source.follow = True
                view._rows.action_last()
            elif isinstance(view, RowsPage):
                assert 2 in view.highlighted, name
        assert "to rank 2?" in await question(pilot, "s")

    drive(tmp_path, script)


def test_in_output_it_is_the_rank_of_the_hit(tmp_path: Path) -> None:
    """Where no row is under the cursor it is the rank of the view before."""

    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        await pilot.press("down")
        await app.action_show("output")
        await pilot.pause()
        assert "to rank 1?" in await question(pilot, "s")
        await pilot.press("slash", *"hello", "enter")
        await pilot.pause()
        view = app.view
        assert view is not None
        (rank,) = view.highlighted
        await pilot.press("n")
        assert view.highlighted != {rank}
        (rank,) = view.highlighted
        assert f"to rank {rank}?" in await question(pilot, "s")

    drive(tmp_path, script)


def test_what_is_sent_is_for_whom_it_was_asked(tmp_path: Path) -> None:
    """SIGSTOP from the tree, and a hold from the barrier."""

    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        await app.action_show("tree")
        view = app.view
        assert isinstance(view, RowsPage)
        await put_on(pilot, view, 2)
        await pilot.press("s", "s")
        await pilot.press("4", "H", "h")
        await pilot.pause()

    assert drive(tmp_path, script) == [
        ("start.signal", {"ranks": "2", "signum": 19}),
        ("start.pmi", {"hold": "2"}),
    ]
