"""The Tree view."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.tui.views.tree import TreeView
from tests.tui.rows_support import Host, Launch, check, model_of, settled

if TYPE_CHECKING:
    from pathlib import Path


def launch(tmp_path: Path, size: int, topology: str, *lost: int) -> Path:
    one = Launch(tmp_path / "tree", size, topology)
    one.pmi(gets=False)
    one.boot(frozenset(lost))
    return one.close()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_three_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    """A missing router is emphasised, those below it wait for it."""

    async def run() -> None:
        host = Host(TreeView, model_of(launch(tmp_path, 15, "kary:2", 2)))
        async with host.run_test(size=size) as pilot:
            text = await settled(pilot)
            assert "missing rank 2 " in text
            check(f"tree-{size[0]}", text)

    asyncio.run(run())


@pytest.mark.parametrize("topology", ["kary:32", "kary:2", "kary:1", "binomial"])
def test_a_thousand_ranks_are_folded_but_where_something_is_wrong(
    tmp_path: Path, topology: str
) -> None:
    """What is complete is one row; the topmost missing ranks can be seen at once."""

    async def run() -> None:
        path = launch(tmp_path, 1024, topology, 5, 700)
        host = Host(TreeView, model_of(path))
        async with host.run_test(size=(120, 40)) as pilot:
            text = await settled(pilot)
            assert len(host.view.source) <= 66
            await pilot.press("m")
            text = await settled(pilot)
            assert "◀" in text
            assert host.view.source.rank(host.view.source.cursor) in {5, 700}
            await pilot.press("e")
            await settled(pilot)
            assert len(host.view.source) == 1024

    asyncio.run(run())


def test_fold_by_key_and_mouse(tmp_path: Path) -> None:
    """Left folds, right unfolds, a click on the mark does the other of what it is."""

    async def run() -> None:
        host = Host(TreeView, model_of(launch(tmp_path, 15, "kary:2")))
        async with host.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.press("down", "left")
            assert len(host.view.source) == 9
            assert "+ 6 run" in await settled(pilot)
            await pilot.click(offset=(2, 3))
            assert len(host.view.source) == 15
            await pilot.click(offset=(30, 4))
            assert host.chosen == frozenset({3})

    asyncio.run(run())


def test_a_click_on_the_mark_folds_and_chooses_nobody(tmp_path: Path) -> None:
    """Only a click beside the mark chooses the rank, which is then marked."""

    async def run() -> None:
        one = Launch(tmp_path / "s", 8)
        one.boot()
        host = Host(TreeView, model_of(one.close()))
        async with host.run_test(size=(80, 24)) as pilot:
            before = (await settled(pilot)).count("run")
            await pilot.click(offset=(3, 3))  # the mark of rank 1
            assert (await settled(pilot)).count("run") < before
            assert host.chosen == frozenset()
            await pilot.click(offset=(40, 3))
            assert host.chosen == {1}
            assert (await settled(pilot)).splitlines()[3][0] == "█"

    asyncio.run(run())
