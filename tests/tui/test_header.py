"""The header says what runs, how far it is and on whom it waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from textual.app import App

from fluxstart_tui.session import events
from fluxstart_tui.session.state import InstanceState, replay
from fluxstart_tui.tui.app import _TABS
from fluxstart_tui.tui.widgets import countdown
from fluxstart_tui.tui.widgets.header import HeaderBar
from fluxstart_tui.tui.widgets.tabs import Tabs
from tests.tui.brokers_host import Host, launch, model_of, record, settle

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

    from tests.tui.brokers_host import Timed


def header_of(directory: str, at: float, size: tuple[int, int]) -> list[str]:
    async def run() -> list[str]:
        app = Host(model_of(directory, at))
        async with app.run_test(size=size) as pilot:
            rows = await settle(pilot)
            return rows[: app.query_one(HeaderBar).size.height]

    return asyncio.run(run())


def test_a_quorum_that_waits_names_who_is_missing_at_80_columns(tmp_path: Path) -> None:
    directory = record(tmp_path / "s", launch(8, late=[3, 4]))
    assert header_of(directory, 13.0, (80, 24)) == [
        " fluxstart · 8 brokers · embedded broker, runs no jobs · test      ❚❚ 0:13/0:13",
        " ✓spawn ✓init ✓put ✓barrier ✓get ✓fin ✓join ◐rc1 ○quorum ·run ·clean ·shut ·exit",
        "                                            6/8 12 s, missing ranks 3-4",
        " ◐ quorum 6/8 for 11.8 s: waiting for ranks 3-4 (running rc1 for 12.8 s)",
        " ◎ quorum 6/8 ━━━━━━━━━╌╌╌ next log warning 'quorum delayed' in 8.2 s, said 1x",
    ]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_running_instance_is_told_in_four_rows_that_fit(tmp_path: Path, width: int) -> None:
    rows = header_of(record(tmp_path / "s", launch(8)), 4.0, (width, 24))
    assert len(rows) == 4
    assert all(len(row) <= width for row in rows)
    assert "●run" in rows[1].replace(" ", "")
    assert "8/8 2.5 s" in rows[2]
    assert rows[3] == " ● program runs (2.5 s)"


@pytest.mark.parametrize("size", [1, 2, 3])
def test_small_instances_run_until_somebody_goes_on(tmp_path: Path, size: int) -> None:
    rows = header_of(record(tmp_path / "s", launch(size), size=size), 4.0, (80, 24))
    assert "●run" in rows[1].replace(" ", "")
    assert f"{size}/{size} 2.5 s" in rows[2]


def test_an_exit_timer_is_told_with_its_cause_its_victims_and_its_key(tmp_path: Path) -> None:
    timed: list[Timed] = [
        *launch(8),
        (3.0, events.Exit(5, 1005, 137, 9, "sender", "", "")),
        (3.0, events.Timer("armed", 23.0, "rank 5 was killed", "0-4,6-7")),
    ]
    rows = header_of(record(tmp_path / "s", timed), 5.0, (120, 40))
    timer = next(row for row in rows if "exit timer" in row and "!" in row)
    for told in (
        "18 s",
        "kills 7 ranks 0-4,6-7",
        "rank 5 was killed",
        "t: extend, cancel, kill now",
    ):
        assert told.replace("7 ranks", "ranks") in timer
    narrow = header_of(record(tmp_path / "narrow", timed), 5.0, (80, 24))
    assert [row for row in narrow if "exit timer" in row] == [
        " ! exit timer  18 s  kills ranks 0-4,6-7: rank 5 was killed             t: menu"
    ]


def test_the_end_is_told_with_what_went_wrong_first(tmp_path: Path) -> None:
    timed: list[Timed] = [
        *launch(2),
        (3.0, events.Exit(1, 1001, 139, 11, "crash", "", "")),
        (4.0, events.Exit(0, 1000, 1, 0, "exit", "", "")),
        (4.0, events.End(139)),
    ]
    rows = header_of(record(tmp_path / "s", timed, size=2), 4.0, (80, 24))
    assert rows[3].startswith(" ✗ ended: exit code 139")
    assert rows[4].startswith(" ✗ rank 1 (pid 1001) crashed with SIGSEGV at 3.0 s")


@pytest.mark.parametrize(("code", "mark"), [(0, "✓exit"), (137, "✗exit")])
def test_an_end_that_failed_is_not_ticked(tmp_path: Path, code: int, mark: str) -> None:
    signum = code - 128 if code else 0
    timed: list[Timed] = [
        *launch(4),
        *[(5.0, events.Exit(rank, 1000 + rank, code, signum, "timer")) for rank in range(4)],
        (5.1, events.End(code)),
    ]
    rows = header_of(record(tmp_path / "s", timed, size=4), 6.0, (80, 24))
    assert rows[1].endswith(mark)


def test_a_click_on_a_phase_gives_the_ranks_that_it_misses(tmp_path: Path) -> None:
    directory = record(tmp_path / "s", launch(8, late=[3, 4]))
    picked: list[frozenset[int]] = []

    class Picker(Host):
        def on_header_bar_picked(self, event: HeaderBar.Picked) -> None:
            picked.append(event.ranks)

    async def run() -> None:
        app = Picker(model_of(directory, 13.0))
        async with app.run_test(size=(80, 24)) as pilot:
            rows = await settle(pilot)
            await pilot.click(HeaderBar, offset=(rows[1].index("quorum"), 1))
            await pilot.pause()

    asyncio.run(run())
    assert picked == [frozenset({3, 4})]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_countdowns_never_are_wider_than_the_screen(width: int) -> None:
    timed: list[Timed] = [
        *launch(64, late=range(1, 64, 2)),
        (3.0, events.Timer("armed", 23.0, "x" * 300, "")),
    ]
    state = replay(timed, 64)
    assert sum(len(text) for text, _ in countdown.exit_timer(state, 4.0, width)) <= max(width, 70)


def test_no_timer_and_no_quorum_say_nothing() -> None:
    assert countdown.exit_timer(InstanceState(4), 1.0, 80) == []
    assert countdown.quorum(InstanceState(4), 1.0, 80) == []


@pytest.mark.parametrize(
    ("view", "shown"), [("brokers", "8 Launch ? Help"), ("detail", "d Detail")]
)
def test_the_line_of_views_has_whole_titles_at_80_columns(view: str, shown: str) -> None:
    """Detail and Findings go first, unless it is what is shown; its title is never cut."""

    class Host(App[None]):
        def compose(self) -> ComposeResult:
            yield Tabs(_TABS)

    async def run() -> None:
        app = Host()
        async with app.run_test(size=(80, 24)) as pilot:
            tabs = app.query_one(Tabs)
            tabs.show(view)
            await pilot.pause()
            line = tabs.render_line(0).text
            assert line.startswith(" 1 Brok")
            assert shown in line
            assert "q Quit" in line

    asyncio.run(run())


def test_a_timer_that_was_cancelled_is_told_as_long_as_somebody_is_gone() -> None:
    cancelled = (4.0, events.Timer("cancelled", -1.0, "rank 5 was killed", "0-4,6-7"))
    gone = (3.0, events.Exit(5, 1005, 137, 9, "sender", "", ""))
    told = countdown.exit_timer(replay([*launch(8), gone, cancelled], 8), 9.0, 80)
    assert told == [(" exit timer cancelled at 4.0 s: nobody is killed", "warn")]
    assert countdown.exit_timer(replay([*launch(8), cancelled], 8), 9.0, 80) == []


def test_an_engine_that_is_gone_is_told_though_time_stands_still(tmp_path: Path) -> None:
    async def run() -> str:
        app = Host(model_of(record(tmp_path / "s", launch(2)), 4.0))
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            app.model.cut = True
            return "\n".join(await settle(pilot))

    assert "its engine is gone" in asyncio.run(run())
