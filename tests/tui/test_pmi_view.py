"""The PMI view: trace, lanes, barrier, key-value space."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from fluxstart_tui.session.events import Barrier, Pmi
from fluxstart_tui.tui.views.pmi import BARRIER, KVS, LANES, PmiView
from tests.tui.rows_support import Host, Launch, check, model_of, screen, settled

if TYPE_CHECKING:
    from pathlib import Path

    from fluxstart_tui.tui.commands import Commands


def done(tmp_path: Path, size: int = 8) -> Path:
    one = Launch(tmp_path / "done", size)
    one.pmi()
    return one.close(1.0)


def stuck(tmp_path: Path) -> Path:
    one = Launch(tmp_path / "stuck", 8)
    one.pmi(without=frozenset({5}))
    return one.close(4.0)


class Recorded:
    """Takes commands down."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any] | None]] = []

    async def call(self, topic: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        self.calls.append((topic, payload))
        return {}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_modes_at_three_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    """Each mode is legible at each size."""

    async def run() -> None:
        host = Host(PmiView, model_of(done(tmp_path)))
        async with host.run_test(size=size) as pilot:
            for name in ("trace", "lanes", "barrier", "kvs"):
                check(f"pmi-{name}-{size[0]}", await settled(pilot))
                await pilot.press("v")

    asyncio.run(run())


def test_a_hang_names_who_is_missing(tmp_path: Path) -> None:
    """Barrier mode puts the missing rank first; lanes and trace show that all others wait."""

    async def run() -> None:
        host = Host(PmiView, model_of(stuck(tmp_path), 3.0))
        async with host.run_test(size=(80, 24)) as pilot:
            host.view.go(BARRIER)
            text = await settled(pilot)
            assert "barrier 1: 7/8 in, missing 5" in text
            assert text.splitlines()[2].split()[:3] == ["▌○", "5", "not"]
            check("pmi-stuck-barrier", text)
            host.view.go(LANES)
            check("pmi-stuck-lanes", await settled(pilot))
            host.view.go(0)
            await pilot.press("end")
            assert "…2." in await settled(pilot)

    asyncio.run(run())


def test_an_earlier_barrier(tmp_path: Path) -> None:
    """The arrows and a click on the hint go to it; who waited how long is as in the lanes."""
    one = Launch(tmp_path / "s", 4)
    one.pmi(gets=False)
    for rank in range(4):
        one.event(0.2 + rank / 100, Pmi(rank, "barrier", 2))
        one.say(0.2 + rank / 100, rank, b"cmd=barrier_in")
        one.say(0.3 + rank / 1000, rank, b"cmd=barrier_out rc=0")
    one.event(0.3, Barrier(2))

    async def run() -> None:
        host = Host(PmiView, model_of(one.close(1.0)))
        async with host.run_test(size=(80, 24)) as pilot:
            host.view.go(BARRIER)
            text = await settled(pilot)
            assert "barrier 2 of 2: 4/4 in, out at 0.300 s" in text
            assert text.splitlines()[2].split()[2:5] == ["0.2300", "+30", "ms"]
            assert "73 ms" in text.splitlines()[2]
            host.view.go(LANES)
            await pilot.press("end")
            assert "barrier 2 at 0.2300 for 73 ms" in await settled(pilot)
            host.view.go(BARRIER)
            await pilot.press("left")
            assert "barrier 1 of 2: 4/4 in, out at 0.090 s" in await settled(pilot)
            await pilot.press("left", "right")
            assert "barrier 2 of 2" in await settled(pilot)
            await pilot.click(offset=(34, 0))  # the hint "← to 1"
            assert "barrier 1 of 2" in await settled(pilot)

    asyncio.run(run())


def test_filter_search_and_keys(tmp_path: Path) -> None:
    """A filter and a search are typed, counted, and dropped by Esc one after the other."""

    async def run() -> None:
        host = Host(PmiView, model_of(done(tmp_path)))
        async with host.run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            await pilot.press("f", *"cmd:put", "enter")
            text = await settled(pilot)
            assert "16 of" in text
            assert "▽ cmd:put" in text
            await pilot.press("slash", *"node3", "enter")
            text = await settled(pilot)
            assert "/node3 1/1" in text
            await pilot.press("escape")
            assert "node3 1/1" not in await settled(pilot)
            await pilot.press("escape")
            assert "▽" not in await settled(pilot)
            host.view.set_filter("rank:2-3 key:1")
            source = host.view.source
            assert {source.rank(i) for i in range(len(source))} == {2, 3}
            host.view.set_filter("rank:x")
            assert host.view.filter_text == "rank:2-3 key:1"

    asyncio.run(run())


def test_n_goes_round_the_hits(tmp_path: Path) -> None:
    """Keys n and N go from hit to hit and round the ends."""

    async def run() -> None:
        host = Host(PmiView, model_of(done(tmp_path)))
        async with host.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            host.view.set_search("cmd=put ")
            await settled(pilot)
            source = host.view.source
            assert source.hits() == (1, 8)
            await pilot.press("n", "n")
            assert source.hits() == (3, 8)
            await pilot.press("N", "N", "N")
            assert source.hits() == (8, 8)

    asyncio.run(run())


def test_hold_and_release(tmp_path: Path) -> None:
    """Key h holds the row's rank, H the barrier; in a recording it is said that one can not."""

    async def run() -> None:
        commands = Recorded()
        host = Host(PmiView, model_of(stuck(tmp_path), 3.0), cast("Commands", commands))
        async with host.run_test(size=(80, 24)) as pilot:
            host.view.go(BARRIER)
            await settled(pilot)
            await pilot.press("h", "H")
            await settled(pilot)
            assert commands.calls == [("start.pmi", {"hold": "5"}),
                                      ("start.pmi", {"hold": "barrier"})]  # fmt: skip

    asyncio.run(run())


def test_a_click_chooses_a_rank_and_a_mode(tmp_path: Path) -> None:
    """The names above are clickable, and so are rows."""

    async def run() -> None:
        host = Host(PmiView, model_of(done(tmp_path)))
        async with host.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.click(offset=(26, 0))
            await settled(pilot)
            assert host.view.mode == KVS
            await pilot.click(offset=(3, 5))
            assert host.chosen == frozenset({2})

    asyncio.run(run())


def test_nothing_is_painted_without_change(tmp_path: Path) -> None:
    """A frame in which nothing has happened paints no row."""

    async def run() -> None:
        host = Host(PmiView, model_of(done(tmp_path), 0.15))
        async with host.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            before = screen(host)
            painted: list[int] = []
            rows = host.view._rows
            make = rows.render_line
            rows.render_line = lambda y: painted.append(y) or make(y)  # type: ignore[method-assign, func-returns-value] # counts
            for _ in range(5):
                host.frame()
                await pilot.pause()
            assert painted == []
            assert host.model.replay is not None
            host.model.replay.seek(0.05)
            host.frame()
            await pilot.pause()
            assert painted
            assert screen(host) != before

    asyncio.run(run())
