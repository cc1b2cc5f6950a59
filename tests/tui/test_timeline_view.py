"""The Timeline view."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.tui.views.timeline import TimelineView
from fluxstart_tui.tui.widgets.axis import span, ticks
from tests.tui.rows_support import Host, Launch, check, model_of, settled

if TYPE_CHECKING:
    from pathlib import Path


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
