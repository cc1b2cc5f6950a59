"""The Log view."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.session.events import Hold, Signal, Timer
from fluxstart_tui.session.files import Files
from fluxstart_tui.session.reader import Session
from fluxstart_tui.tui.clock import LiveClock
from fluxstart_tui.tui.model import Model
from fluxstart_tui.tui.views.log import LogView
from tests.tui.rows_support import START, Host, Launch, check, model_of, settled

if TYPE_CHECKING:
    from pathlib import Path


def launch(tmp_path: Path) -> Path:
    one = Launch(tmp_path / "s", 8)
    one.pmi()
    one.boot()
    return one.close()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_three_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    """Records of all ranks are in the order of their times; brackets are no markup."""

    async def run() -> None:
        host = Host(LogView, model_of(launch(tmp_path)))
        async with host.run_test(size=size) as pilot:
            text = await settled(pilot)
            assert "[bold]hosts" in text
            check(f"log-{size[0]}", text)

    asyncio.run(run())


def test_filters(tmp_path: Path) -> None:
    """Severity, module, rank and text narrow what is shown; a toggle keeps the others."""

    async def run() -> None:
        host = Host(LogView, model_of(launch(tmp_path)))
        async with host.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            source = host.view.source
            assert len(source) == 19
            await pilot.click(offset=(2, 0))  # the hint ", fewer"
            await settled(pilot)
            assert len(source) == 11
            host.view.set_filter(host.view.filter_text + " rank:3")
            assert len(source) == 2
            await pilot.press("m")
            assert host.view.filter_text == "module:broker severity:info rank:3"
            assert len(source) == 1
            host.view.set_filter("insmod")
            assert len(source) == 8
            host.view.set_filter("severity:nonsense")
            assert host.view.filter_text == "insmod"

    asyncio.run(run())


def test_what_was_done_is_listed_among_the_records(tmp_path: Path) -> None:
    """Signals, the timer and holds are lines of a kind of their own, whatever is filtered."""
    one = Launch(tmp_path / "s", 4)
    one.boot()
    one.event(2.0, Signal("2", 19, "start.signal from the UI"))
    one.event(4.0, Hold("1", barrier=True))
    one.event(5.0, Timer("armed", 25.0, "rank 2 exited", "0-1,3"))
    one.event(6.0, Signal("", 15, "start.shutdown from the UI"))

    async def run() -> None:
        host = Host(LogView, model_of(one.close()))
        async with host.run_test(size=(120, 30)) as pilot:
            await settled(pilot)
            host.view.set_filter("severity:err")
            rows = (await settled(pilot)).splitlines()[2:9]
            assert [" ".join(row.strip("▌ ").split()[1:]) for row in rows] == [
                "✗ err 3 sched-simple alloc failed: no [bold]hosts[/bold]",
                "» done signal SIGSTOP to rank 2, by the UI",
                "» done hold held in PMI: rank 1 and the barrier",
                "» done timer exit timer armed: kills ranks 0-1,3 in 20.0 s, rank 2 exited",
                "» done signal an orderly end, asked for by the UI",
                "» done engine the end of the recording",
                "",
            ]
            host.view.set_filter("SIGSTOP")
            assert len(host.view.source) == 1
            assert host.view.source.rank(0) is None

    asyncio.run(run())


def test_a_replay_shows_no_future(tmp_path: Path) -> None:
    """Records appear as time goes on, and go when it goes back."""

    async def run() -> None:
        host = Host(LogView, model_of(launch(tmp_path), 1.035))
        async with host.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            assert len(host.view.source) == 4
            assert host.model.replay is not None
            host.model.replay.seek(9.0)
            await settled(pilot)
            assert len(host.view.source) == 18
            host.model.replay.seek(0.5)
            await settled(pilot)
            assert len(host.view.source) == 0

    asyncio.run(run())


def test_a_live_log_is_followed_until_somebody_looks_back(tmp_path: Path) -> None:
    """New records scroll in; with the cursor moved up the view stays, End follows again."""

    async def run() -> None:
        path = tmp_path / "live"
        path.mkdir()
        files = Files(str(path), {"size": 4, "start": START}, 1 << 20)

        def write(first: int, count: int) -> None:
            files.write([(n / 10, n % 4, 5, b"<48>1 - %d m 1 - - record %d\n" % (n % 4, n))
                         for n in range(first, first + count)], [])  # fmt: skip

        write(0, 50)
        model = Model(Session(str(path)), LiveClock(START))
        host = Host(LogView, model)
        async with host.run_test(size=(80, 24)) as pilot:
            text = await settled(pilot)
            assert "record 49" in text
            assert "following" in text
            write(50, 10)
            host.view.look()
            assert "record 59" in await settled(pilot)
            await pilot.press("pageup", "pageup")
            write(60, 10)
            host.view.look()
            text = await settled(pilot)
            assert "record 69" not in text
            assert "paused" in text
            await pilot.press("end")
            assert "record 69" in await settled(pilot)
        files.close(7.0)

    asyncio.run(run())
