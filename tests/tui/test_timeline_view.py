"""The Timeline view."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.diagnose.words import span
from fluxstart_tui.session import events
from fluxstart_tui.session.events import Signal
from fluxstart_tui.tui.app import FluxApp
from fluxstart_tui.tui.source import Source
from fluxstart_tui.tui.views.timeline import TimelineView
from fluxstart_tui.tui.widgets.axis import ticks
from fluxstart_tui.tui.widgets.header import HeaderBar
from tests.tui.rows_support import Host, Launch, check, model_of, screen, settled

if TYPE_CHECKING:
    from pathlib import Path


class Stopped:
    """The clock of a live instance, for the while."""

    t = 9.0

    def now(self) -> float:
        return self.t


def launch(tmp_path: Path, *lost: int) -> Path:
    one = Launch(tmp_path / "s", 8)
    one.pmi()
    one.boot(frozenset(lost))
    return one.close()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_three_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    """Phases are bars with names on one axis."""

    async def run() -> None:
        host = Host(TimelineView, model_of(launch(tmp_path)))
        async with host.run_test(size=size) as pilot:
            check(f"timeline-{size[0]}", await settled(pilot))

    asyncio.run(run())


def test_the_slowest_is_first_and_numbers_are_told(tmp_path: Path) -> None:
    """Who has not come to run is above who has; o sorts by rank."""

    async def run() -> None:
        host = Host(TimelineView, model_of(launch(tmp_path, 3)))
        async with host.run_test(size=(80, 24)) as pilot:
            text = await settled(pilot)
            assert host.view.source.rank(0) == 7  # below rank 3, which is as far, but later
            assert host.view.source.rank(1) == 3
            assert "join" in text.splitlines()[-2] + text.splitlines()[-1]
            await pilot.press("o")
            assert host.view.source.rank(0) == 0

    asyncio.run(run())


def test_what_was_done_is_marked_on_the_axis(tmp_path: Path) -> None:
    """A mark where a signal was sent, its words under the cursor; no label is cut by one."""
    one = Launch(tmp_path / "s", 4)
    one.boot()
    one.event(5.0, Signal("2", 19, "start.signal from the UI"))

    async def run() -> None:
        host = Host(TimelineView, model_of(one.close(), 5.01))
        async with host.run_test(size=(80, 30)) as pilot:
            text = await settled(pilot)
            assert "SIGSTOP to rank 2, by the UI" in text
            host.model.replay.seek(8.0)  # type: ignore[union-attr] # it is one
            axis = (await settled(pilot)).splitlines()[1]
            assert "◆" in axis
            assert "5.00 s" not in axis
            assert "SIGSTOP" not in await settled(pilot)

    asyncio.run(run())


def test_all_goes_on_with_the_time(tmp_path: Path) -> None:
    """Key a shows everything up to the present, which moves; 0 shows the launch again."""
    model = model_of(launch(tmp_path))
    clock = Stopped()
    model.clock = clock

    async def run() -> None:
        host = Host(TimelineView, model)
        async with host.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            clock.t = 40.0
            await settled(pilot)
            bars = host.view.bars  # type: ignore[attr-defined] # it is a TimelineView
            launched = bars.bounds()[1]
            assert launched < 10
            await pilot.press("a")
            assert 40 <= bars.bounds()[1] < 80
            clock.t = 400.0
            await settled(pilot)
            assert bars.bounds()[1] >= 400
            await pilot.press("0")
            assert bars.bounds()[1] == launched

    asyncio.run(run())


def test_zoom_pan_and_the_present_of_a_replay(tmp_path: Path) -> None:
    """+ shows half of the time, 0 all again; a click on the axis goes to a time."""

    async def run() -> None:
        host = Host(TimelineView, model_of(launch(tmp_path), 1.5))
        async with host.run_test(size=(80, 24)) as pilot:
            assert "▼" in await settled(pilot)
            source = host.view.bars  # type: ignore[attr-defined] # it is a TimelineView
            begin, end = source.bounds()
            await pilot.press("plus")
            assert source.bounds()[1] - source.bounds()[0] == pytest.approx((end - begin) / 2)
            await pilot.press("right", "0")
            assert source.bounds() == (begin, end)
            await pilot.click(offset=(20, 1))
            assert host.model.now != 1.5

    asyncio.run(run())


def test_words_for_times() -> None:
    """Spans have few digits; ticks are round."""
    assert [span(t) for t in (0, 1.5e-5, 0.0015, 0.25, 2, 75.31, 3700)] == [
        "0 µs", "15 µs", "1.50 ms", "250 ms", "2.00 s", "75.3 s", "62 min"]  # fmt: skip
    assert ticks(0.0, 10.0, 5) == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    assert ticks(1.0, 1.0, 5) == []


def test_the_time_cursor_tells_what_each_rank_did_then(tmp_path: Path) -> None:
    """Keys and mouse move it; zoom keeps it; Esc and End take it away."""

    async def run() -> None:
        model = model_of(launch(tmp_path, 3))
        model.clock = Stopped()
        host = Host(TimelineView, model)
        async with host.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            bars = host.view.bars  # type: ignore[attr-defined] # it is a TimelineView

            def at() -> float | None:
                return bars.time  # type: ignore[no-any-return]

            assert at() is None
            await pilot.press("home")
            assert at() == 0.0
            assert "AT 0 µs" in await settled(pilot)
            assert "8 not started (0-7)" in await settled(pilot)
            await pilot.click(offset=(40, 1))
            clicked = at()
            assert clicked is not None
            text = await settled(pilot)
            assert f"at {span(clicked)}" in text
            assert text.splitlines()[2][40] == "┃"
            row = next(one for one in text.splitlines() if one[:8].strip(" ▌") == "7")
            assert row[8:20].strip() == bars.lives.place(7, clicked, host.model.state)
            await pilot.press("right")
            assert (at() or 0.0) > clicked
            await pilot.press("plus")
            text = await settled(pilot)
            assert bars.column(bars.time, 60) in range(60)
            await pilot.press("escape")
            assert at() is None
            await pilot.click(offset=(50, 3))  # on a bar
            assert at() is not None
            assert host.chosen == frozenset()
            await pilot.press("end")
            assert at() is None

    asyncio.run(run())


def test_in_a_replay_the_cursor_seeks(tmp_path: Path) -> None:
    """Left goes back, Home to the beginning, End to the end."""

    async def run() -> None:
        host = Host(TimelineView, model_of(launch(tmp_path)))
        async with host.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            end = host.model.now
            await pilot.press("left", "left")
            assert host.model.now < end
            assert "AT " in await settled(pilot)
            await pilot.press("home")
            assert host.model.now == 0.0
            assert host.model.state.brokers == {} or host.model.state.broker(3).spawned is None
            await pilot.press("end")
            assert host.model.now == end

    asyncio.run(run())


def test_chosen_ranks_are_marked_and_chosen(tmp_path: Path) -> None:
    """Rows of the ranks chosen anywhere have a mark; x chooses, Esc chooses none."""

    async def run() -> None:
        host = Host(TimelineView, model_of(launch(tmp_path)))
        host.chosen = frozenset({2, 5})
        async with host.run_test(size=(80, 24)) as pilot:
            await pilot.press("o", "down")
            rows = (await settled(pilot)).splitlines()[2:10]
            assert [row[0] for row in rows] == list(" ▌┃  ┃  ")
            await pilot.press("down", "x", "down", "x")
            assert host.chosen == {3, 5}
            await pilot.press("escape")
            assert host.chosen == frozenset()

    asyncio.run(run())


def test_a_stop_by_a_signal_is_drawn_over_the_bar_and_told(tmp_path: Path) -> None:
    """A rank that was stopped did not run then, whatever its state says."""

    async def run() -> None:
        one = Launch(tmp_path / "s", 4)
        one.pmi()
        one.boot(frozenset())
        one.event(4.0, events.Signal("2", 19, "start.signal from the UI"))
        one.event(7.0, events.Signal("2", 18, "start.signal from the UI"))
        model = model_of(one.close(10.0), 9.0)
        host = Host(TimelineView, model)
        async with host.run_test(size=(100, 24)) as pilot:
            await pilot.press("a", "o", "down", "down")
            text = await settled(pilot)
            row = next(line for line in text.splitlines() if line[:8].strip(" ▌") == "2")
            assert 20 <= row.count("‖") <= 35  # of 92 columns for 10 s
            assert "stopped 3.00 s at 4.00 s" in text
            lives = host.view.bars.lives  # type: ignore[attr-defined] # it is a TimelineView
            assert lives.place(2, 5.0, model.state) == "stopped"
            assert lives.place(2, 8.0, model.state) == "run"

    asyncio.run(run())


def slow_start(tmp_path: Path) -> Path:
    """A start of three whose rank 2 comes to the barrier 2 s after the others."""
    one = Launch(tmp_path / "s", 3)
    for rank in range(3):
        one.event(0.01, events.Spawn(rank, 1000 + rank))
        one.event(0.1 + 2.0 * (rank == 2), events.Pmi(rank, "barrier", 1))
    one.event(2.1, events.Barrier(1))
    for rank in range(3):
        one.event(2.2 + 0.1 * rank, events.Pmi(rank, "finalize", 1))
    return one.close()


def test_phases_tell_how_long_each_took_and_which_rank_was_last(tmp_path: Path) -> None:
    """A row a phase, from the first rank in to the last one out; Enter chooses who was last."""

    async def run() -> None:
        host = Host(TimelineView, model_of(slow_start(tmp_path)))
        async with host.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.press("v", "j", "j")
            text = await settled(pilot)
            assert "[Phases]" in text
            rows = {row[3:13].strip(): row.split() for row in text.splitlines()}
            assert rows["barrier"][2:] == ["3/3", "100", "ms", "2.10", "s", "2", "2.00", "s"]
            assert rows["get"][3:] == ["2.10", "s", "2.10", "s", "3", "at", "once", "300", "ms"]
            assert rows["join"][2:4] == ["0/3", "-"]
            await pilot.press("j", "enter")
            assert host.chosen == {2}
            assert "first in rank 0 at 100 ms; last in rank 2 +2.00 s" in await settled(pilot)
            await pilot.press("left", "a", "o")  # keys of the bars
            assert await settled(pilot)

    asyncio.run(run())


def test_a_click_on_a_phase_and_a_key_in_any_view_lead_to_its_times(tmp_path: Path) -> None:
    """The header's strip leads to the row of that phase; the palette and help know the key."""
    source = Source(str(slow_start(tmp_path)), replay=True)

    async def run() -> None:
        app = FluxApp(source, os.environ)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            strip = screen(app).splitlines()[1]
            await pilot.click(HeaderBar, offset=(strip.index("barrier"), 1))
            await pilot.pause()
            view = app.view
            assert isinstance(view, TimelineView)
            assert view.source.plain(view.source.cursor) == "barrier"
            await pilot.press("1", "P")
            await pilot.pause()
            assert app.view is view
            assert any("took" in one.title for one in app.get_system_commands(app.screen))

    asyncio.run(run())


def test_who_has_not_come_to_a_phase_is_waited_for(tmp_path: Path) -> None:
    """It is named in place of the last rank, and Enter chooses it."""
    one = Launch(tmp_path / "s", 4)
    one.pmi(without=frozenset({2}))

    async def run() -> None:
        host = Host(TimelineView, model_of(one.close(), 5.0))
        async with host.run_test(size=(80, 24)) as pilot:
            view = host.view
            assert isinstance(view, TimelineView)
            await settled(pilot)
            view.show_phases()
            row = (await settled(pilot)).splitlines()[view.source.cursor + 2]
            assert row.split()[:4] == ["▌◐", "PMI", "init", "3/4"]
            assert "not 2" in row
            assert "> 4.98 s" in row
            await pilot.press("enter")
            assert host.chosen == {2}

    asyncio.run(run())
