"""The rank map shows a glyph for each rank, however many there are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.session import events
from fluxstart_tui.tui.widgets.rank_grid import layout
from fluxstart_tui.tui.widgets.rank_map import RankMap
from tests.tui.brokers_host import Host, launch, model_of, record, settle

if TYPE_CHECKING:
    from pathlib import Path


def test_1024_ranks_have_a_cell_each_on_one_screen_of_80x24() -> None:
    grid = layout(1024, 80, 17)
    assert (grid.each, grid.rows) == (1, 16)
    assert grid.x(grid.columns - 1) < 80


@pytest.mark.parametrize("size", [1, 2, 7, 16, 100, 1000, 1024, 5000, 65536])
@pytest.mark.parametrize("width", [20, 80, 120, 200])
@pytest.mark.parametrize("height", [1, 3, 15, 50])
def test_any_number_of_ranks_has_a_place_that_the_mouse_finds(
    size: int, width: int, height: int
) -> None:
    grid = layout(size, width, height)
    assert grid.columns * grid.rows * grid.each >= size
    assert grid.rows <= max(height, 4)
    assert all(grid.column(grid.x(column)) == column for column in range(grid.columns))


def test_glyphs_tell_states_and_keys_choose_ranges(tmp_path: Path) -> None:
    timed = [
        *launch(8, late=[3]),
        (2.0, events.Exit(6, 1006, 1, 0, "exit", "", "")),
        (2.1, events.Sample("0-1", [1.0, 1.0], [9000, 9000], [1, 1], [4, 4], "ST")),
    ]
    directory = record(tmp_path / "s", timed)

    async def run() -> None:
        ranks = RankMap(model_of(directory, 3.0))
        app = Host(ranks.model, ranks)
        async with app.run_test(size=(80, 24)) as pilot:
            ranks.focus()
            await settle(pilot)
            rows = app.text[ranks.region.y :]
            assert rows[0].split() == [
                "▷",
                "1",
                "rc1",
                "◎",
                "5",
                "awaiting",
                "quorum",
                "‖",
                "1",
                "stopped",
                "✗",
                "1",
                "failed",
            ]
            assert rows[1].split() == ["0◎", "1‖", "2◎", "3▷", "4◎", "5◎", "6✗", "7◎"]
            await pilot.press("right", "shift+right", "shift+right")
            assert ranks.chosen == {1, 2, 3}
            await pilot.press("end", "x")
            assert ranks.chosen == {1, 2, 3, 7}
            await pilot.press("n")
            assert ranks.cursor == 1
            await pilot.click(ranks, offset=(ranks._grid.x(6), 1))
            assert ranks.cursor == 6
            assert "failed: exit 1" in (await settle(pilot))[ranks.region.bottom - 1]

    asyncio.run(run())
