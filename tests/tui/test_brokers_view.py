"""The Brokers view at three sizes: map, table, panes, filters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.session import events
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.tui.views.broker_columns import matching
from fluxstart_tui.tui.views.brokers import BrokersView
from fluxstart_tui.tui.widgets.tails import Tails
from tests.tui.brokers_host import Host, launch, model_of, record, sample, settle

if TYPE_CHECKING:
    from pathlib import Path


def session(path: Path) -> str:
    output = [(1.6, 0, 0, b"hello\n\x1b[32mgreen [b]\x1b[0m\n"), (1.7, 2, 1, b"oops\n")]
    timed = [
        *launch(8),
        (2.0, sample("0-7", 8)),
        (3.0, events.Exit(5, 1005, 137, 9, "sender", "", "")),
    ]
    return record(path / "s", timed, output)


def test_the_table_at_80x24(tmp_path: Path) -> None:
    async def run() -> None:
        view = BrokersView(model_of(session(tmp_path), 4.0))
        app = Host(view.model, view)
        async with app.run_test(size=(80, 24)) as pilot:
            rows = await settle(pilot)
            assert rows[view.region.y : view.region.y + 12] == [
                " ● 7 run   ✗ 1 failed",
                " 0●  1●  2●  3●  4●  5✗  6●  7●",
                " rank 5 ✗ failed: SIGKILL, sender unknown at 0:03 · pid 1005 · there    d: more",
                " ▲rank     pid state                 for CPU%   RSS exit",
                "     0    1000 ● run               2.5 s    0  8.8M",
                "     1    1001 ● run               2.5 s    7  9.3M",
                "     2    1002 ● run               2.5 s   14  9.8M",
                "     3    1003 ● run               2.5 s   21   10M",
                "     4    1004 ● run               2.5 s   28   11M",
                "    !5    1005 ✗ failed          at 0:03            SIGKILL, sender unknown",
                "     6    1006 ● run               2.5 s   42   12M",
                "     7    1007 ● run               2.5 s   49   12M",
            ]

    asyncio.run(run())


def test_the_cursor_is_first_on_the_culprit_and_then_where_it_was_moved(tmp_path: Path) -> None:
    """Map, its last line, table and app agree on the rank."""

    async def run() -> None:
        model = model_of(record(tmp_path / "s", launch(8, late=[6])), 1.1)
        view = BrokersView(model)
        app = Host(model, view)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert app.rank == view.map.cursor == view.table.cursor == 0
            assert model.replay is not None
            model.replay.seek(3.0)
            rows = await settle(pilot)
            assert app.rank == view.map.cursor == view.table.cursor == 6
            assert any(row.startswith(" rank 6 ▷ rc1 for") for row in rows)
            assert any(row.split()[:1] == ["!6"] for row in rows)
            view.focus_main()
            await pilot.press("up")
            model.replay.seek(4.0)
            await settle(pilot)
            assert app.rank == view.map.cursor == view.table.cursor == 5

    asyncio.run(run())


def test_the_cursor_is_on_the_culprit_in_the_first_frame(tmp_path: Path) -> None:
    """The table has no rows yet when it is told the rank."""

    async def run() -> None:
        model = model_of(record(tmp_path / "s", launch(8, late=[6])), 3.0)
        view = BrokersView(model)
        app = Host(model, view)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert app.rank == view.map.cursor == view.table.cursor == 6

    asyncio.run(run())


def test_panes_show_last_lines_or_else_last_steps(tmp_path: Path) -> None:
    async def run() -> None:
        view = BrokersView(model_of(session(tmp_path), 4.0))
        app = Host(view.model, view)
        async with app.run_test(size=(80, 24)) as pilot:
            view.focus_main()
            await pilot.press("p")
            rows = await settle(pilot)
            shown = "\n".join(rows)
            assert view.mode == "panes"
            assert "│ green [b]" in shown
            assert "▌ oops" in shown
            assert "run, after 0.3 s of quorum" in shown
            await pilot.press("home", "right", "down", "enter")
            await pilot.pause()
            assert app.rank == 3
            assert app.shown == ["detail"]
            view.panes.scroll_to(y=2, animate=False, immediate=True)
            top = (await settle(pilot))[view.panes.region.y]
            assert top.startswith((" 0 ", " 1 "))  # a pane that is cut has its title, too

    asyncio.run(run())


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_nothing_is_wider_than_the_screen_and_large_ones_show_both(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async def run() -> None:
        view = BrokersView(model_of(session(tmp_path), 4.0))
        app = Host(view.model, view)
        async with app.run_test(size=size) as pilot:
            rows = await settle(pilot)
            assert view.mode == ("table" if size[0] == 80 else "both")
            assert any("│ green [b]" in row for row in rows) == (size[0] > 80)
            assert max(map(len, rows)) <= size[0]
            assert len(app.screen.query("*")) < 40

    asyncio.run(run())


@pytest.mark.parametrize(("ranks", "mode"), [(4, "both"), (16, "table")])
def test_a_short_table_leaves_rows_to_the_panes(tmp_path: Path, ranks: int, mode: str) -> None:
    directory = record(tmp_path / "s", launch(ranks), size=ranks)

    async def run() -> None:
        view = BrokersView(model_of(directory, 4.0))
        app = Host(view.model, view)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert view.mode == mode
            if mode == "both":
                assert view.table.size.height == ranks + 1
                assert view.panes.size.height >= 10

    asyncio.run(run())


def test_a_filter_is_typed_kept_over_toggles_and_ended(tmp_path: Path) -> None:
    async def run() -> None:
        view = BrokersView(model_of(session(tmp_path), 4.0))
        app = Host(view.model, view)
        async with app.run_test(size=(80, 24)) as pilot:
            view.focus_main()
            await settle(pilot)
            await pilot.press("slash", *"failed", "enter")
            rows = await settle(pilot)
            assert view.table.keys == [5]
            assert any("1 of 8 ranks are shown" in row for row in rows)
            await pilot.press("p", "p", "o")
            assert view.table.keys == [5]
            await pilot.press("escape")
            assert len(view.table.keys) == 8
            await pilot.press("x", "c")
            assert app.chosen == {5}
            assert view.table.keys == [5]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "ranks"),
    [
        ("", list(range(8))),
        ("1-2,7,99", [1, 2, 7]),
        ("RUN", [0, 1, 2, 3, 4, 6, 7]),
        ("!run", [5]),
        ("failed sigkill", [5]),
        ("there 1003", [3]),
        ("[", []),
    ],
)
def test_filters_are_idsets_or_words(tmp_path: Path, text: str, ranks: list[int]) -> None:
    assert matching(model_of(session(tmp_path), 4.0), text) == ranks


def test_a_thousand_ranks_show_several_to_a_cell_until_the_map_is_enlarged(tmp_path: Path) -> None:
    directory = record(tmp_path / "s", launch(1024, late=[900]), size=1024)

    async def run() -> None:
        view = BrokersView(model_of(directory, 4.0))
        app = Host(view.model, view)
        async with app.run_test(size=(80, 24)) as pilot:
            view.focus_main()
            shown = "\n".join(await settle(pilot))
            assert "4 ranks a cell" in shown
            assert shown.count("▷") == 4  # in the legend, in rank 900's cell, line and row
            await pilot.press("m")
            shown = "\n".join(await settle(pilot))
            assert shown.count("◎") >= 1023
            await pilot.press("n")
            assert app.rank == 900

    asyncio.run(run())


def test_in_the_past_a_pane_has_what_was_on_the_terminal_then(tmp_path: Path) -> None:
    """It is no line of output, but what one saw."""
    tty = STREAMS.index("tty")
    output = [(2.0, 0, tty, b"$ one\r\n"), (5.0, 0, tty, b"$ two\r\n")]
    model = model_of(record(tmp_path / "s", launch(8), output, terminals="0"), 9.0)
    tails = Tails(model)
    assert model.replay is not None
    for t, last in ((9.0, "$ two"), (3.0, "$ one"), (1.0, "")):
        model.replay.seek(t)
        model.poll()
        tails.update([0], 3)
        lines = [line.text for _, line in tails.get(0).lines]
        assert lines[-1:] == [last][: bool(last)], t
