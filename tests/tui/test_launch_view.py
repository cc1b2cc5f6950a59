"""A launch that hangs, in the UI: who is the cause, why, and what to do."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.session import events
from fluxstart_tui.tui import diagnosis
from fluxstart_tui.tui.app import FluxApp
from fluxstart_tui.tui.screens.finding import FindingScreen
from fluxstart_tui.tui.source import Source
from fluxstart_tui.tui.views.launch import LaunchView
from fluxstart_tui.tui.widgets.findings import FindingsBar
from tests.tui import launch_sessions
from tests.tui.brokers_host import launch, record
from tests.tui.rows_support import Launch, check, screen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

SIZES = [(80, 24), (120, 30), (200, 50)]
HANG = "slurm-stop-before-barrier"


def drive(
    session: str,
    script: Callable[[Pilot[int], FluxApp], Awaitable[None]],
    size: tuple[int, int] = (80, 24),
    before: str | None = None,
) -> str:
    """Open a session at its end, do something, and return the text on the screen."""

    async def run() -> str:
        source = Source(session, replay=True)
        if before is not None:
            source.model.before = diagnosis.before(before)
        app = FluxApp(source, os.environ)
        async with app.run_test(size=size) as pilot:
            clock = source.model.replay
            assert clock is not None
            clock.seek(clock.end)
            source.model.poll()
            known = diagnosis.of(source.model)
            known.look()
            while known.behind:
                known.look()
            known.judge()
            await settle(pilot)
            await script(pilot, app)
            await settle(pilot)
            return screen(app)

    return asyncio.run(run())


async def settle(pilot: Pilot[int]) -> None:
    """Let the app paint what it knows."""
    app = pilot.app
    assert isinstance(app, FluxApp)
    for _ in range(3):
        app._frame()
        await pilot.pause()


async def nothing(pilot: Pilot[int], app: FluxApp) -> None:
    """Do nothing."""


@pytest.mark.parametrize("size", SIZES)
def test_the_cause_comes_first_and_the_bar_names_it(tmp_path: Path, size: tuple[int, int]) -> None:
    session = launch_sessions.capture(tmp_path / "s", HANG, 20.0)
    check(f"launch-{size[0]}", drive(session, nothing, size))


@pytest.mark.parametrize("size", SIZES[:2])
def test_a_finding_shows_its_lines_and_what_to_do(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        await pilot.press("F")

    session = launch_sessions.capture(tmp_path / "s", HANG, 20.0)
    check(f"finding-{size[0]}", drive(session, script, size))


def test_one_silent_rank_of_1024_is_seen_at_80_columns(tmp_path: Path) -> None:
    session = launch_sessions.large(tmp_path / "s")
    text = drive(session, nothing)
    assert "no line of Flux came from rank 77 " in text
    assert "rank 77 " in text
    rows = [row[1:].split() for row in text.splitlines()]
    at = next(n for n, row in enumerate(rows) if "RANKS" in row)
    assert rows[at + 1][:3] == ["▸", "77", "1"]
    assert rows[at + 2][:3] == ["◐", "0-76,78-1023", "1023"]


def test_a_row_chooses_its_ranks_in_all_views(tmp_path: Path) -> None:
    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        await pilot.press("enter")
        assert app.chosen == frozenset({77})
        await pilot.press("down", "x")
        assert len(app.chosen) == 1024

    drive(launch_sessions.large(tmp_path / "s"), script)


def test_the_bar_is_there_only_if_there_is_a_finding(tmp_path: Path) -> None:
    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        assert not app.query_one(FindingsBar).display
        await pilot.press("F")

    session = launch_sessions.capture(tmp_path / "s", "slurm-pmi2-ok-n4", 300.0)
    assert "nothing hinders the instance now" in drive(session, script)


def test_a_click_on_the_bar_opens_the_finding_and_a_key_copies_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    copied: list[str] = []

    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await pilot.click(FindingsBar)
        await settle(pilot)
        assert isinstance(app.screen, FindingScreen)
        await pilot.press("1")

    drive(launch_sessions.large(tmp_path / "s"), script)
    (text,) = copied
    assert (tmp_path / "cache/fluxstart-tui/copied.txt").read_text() == f"{text}\n"
    assert "#" not in text


def test_the_report_is_saved_where_one_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is Markdown with the finding in it, and never overwrites what is there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "launch-report.md").write_text("mine")

    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        await pilot.press("S")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)

    drive(launch_sessions.large(tmp_path / "s"), script)
    assert (tmp_path / "launch-report.md").read_text() == "mine"
    text = (tmp_path / "launch-report-2.md").read_text()
    assert text.startswith("**Launch diagnosis**")
    assert "rank 77" in text


def test_two_launches_are_compared_phase_by_phase(tmp_path: Path) -> None:
    before = launch_sessions.large(tmp_path / "before", size=16, silent=5)
    now = launch_sessions.large(tmp_path / "now", size=16, silent=99)

    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        view = app.view
        assert isinstance(view, LaunchView)

    check("launch-compared", drive(now, script, before=before))


def test_in_a_replay_the_past_has_no_findings_yet(tmp_path: Path) -> None:
    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        clock = app.model.replay
        assert clock is not None
        known = diagnosis.of(app.model)
        assert known.findings
        clock.seek(1.0)
        app.model.poll()
        known.look()
        known.judge()
        assert not known.findings
        assert known.launch.lines < 10_000

    drive(launch_sessions.large(tmp_path / "s", size=64, silent=7), script)


def test_a_launcher_that_tells_no_size_is_told_as_that(tmp_path: Path) -> None:
    session = launch_sessions.write(tmp_path / "s", ("mpiexec.hydra",), [(0.1, b"hello")], 2.0)
    assert json.loads((tmp_path / "s/session.json").read_text())["size"] == 0
    text = drive(session, nothing)
    assert "? brokers · flux · launcher hydra" in text


def test_the_launchers_own_lines_have_a_mark_and_a_filter(tmp_path: Path) -> None:
    async def script(pilot: Pilot[int], app: FluxApp) -> None:
        await pilot.press("2")
        await settle(pilot)
        assert "1 ▌ from a rank" in screen(app)
        assert "» srun: error: Unable to confirm allocation" in screen(app)
        await pilot.press("o", "o", "o")

    lines = [(0.1, b"srun: error: Unable to confirm allocation"), (0.2, b"1: from a rank")]
    text = drive(launch_sessions.write(tmp_path / "s", ("srun", "-n2"), lines, 2.0), script)
    assert "launcher" in text
    assert "» srun: error" in text
    assert "from a rank" not in text


def test_a_test_instance_that_hangs_is_judged_by_the_same_rules(tmp_path: Path) -> None:
    """No engine has found it: the view does, from the journal alone."""
    one = Launch(tmp_path / "s", 4)
    one.pmi(frozenset({2}))
    text = drive(str(one.close(12.0)), nothing)
    assert "rank 2" in next(row for row in text.splitlines() if row[1:2] == "!")


def test_what_the_watcher_of_somebody_elses_instance_has_found_is_shown_at_once(
    tmp_path: Path,
) -> None:
    """It has asked the brokers; the view would wait until rc1 is slow beyond doubt."""
    sentence = "rc1 is still running on rank 2; rank 0 waits in quorum"
    timed = [*launch(4, late=[2]), (4.0, events.Finding("R3", "2", sentence))]
    path = record(tmp_path / "s", timed, size=4, mode="observed")
    assert sentence in drive(path, nothing, (120, 30))
