"""A replay: its keys do what they say in every view, and what is typed ahead is not lost."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.diagnose.happened import Moments
from fluxstart_tui.session.events import Exit, Sample, Signal
from fluxstart_tui.tui.app import VIEWS, FluxApp
from fluxstart_tui.tui.source import Source
from tests.tui.on_terminal import OnTerminal
from tests.tui.rows_support import Launch, screen

if TYPE_CHECKING:
    from pathlib import Path


def session(tmp_path: Path) -> Path:
    one = Launch(tmp_path / "s", 4)
    one.pmi()
    one.boot()
    one.event(7.0, Signal("2", 9, "start.signal from the UI"))
    one.event(8.0, Exit(2, 1002, 137, 9, "user", "start.signal from the UI"))
    return one.close(100.0)  # whoever plays it is not at its end before all is looked at


@pytest.mark.parametrize("name", VIEWS)
def test_keys_in_every_view(tmp_path: Path, name: str) -> None:
    """Space plays, { and } go to events, which are told, < and > by a second, by mouse as well."""
    app = FluxApp(Source(str(session(tmp_path)), replay=True), os.environ)

    async def run() -> None:
        async with app.run_test(size=(100, 30)) as pilot:
            await app.action_show(name)
            clock = app.model.replay
            assert clock is not None

            def plays() -> bool:
                return clock.playing

            await pilot.press("left_curly_bracket")
            await pilot.pause(0.1)
            assert clock.now() == 8.0
            assert "❚❚   8.000 of 100.000 s  rank 2 killed by SIGKILL" in screen(app)
            await pilot.press("left_curly_bracket", "less_than_sign")
            assert clock.now() == 6.0
            await pilot.press("right_curly_bracket", "greater_than_sign", "right_parenthesis")
            assert clock.now() == 8.0
            assert clock.speed == 2.0
            await pilot.press("space")
            assert plays()
            await pilot.press("space")
            assert not plays()
            row = screen(app).splitlines()[-2]
            await pilot.click(offset=(row.index("space play") + 7, 28))
            await pilot.pause()
            assert plays()

    asyncio.run(run())


def test_steps_are_over_what_can_be_told_apart() -> None:
    """Samples are no events to step to, and events of one millisecond are one step."""
    sample = Sample("0", [], [], [], [])
    signal = Signal("0", 19, "x")
    moments = Moments([(1.0, signal), (1.0002, signal), (1.5, sample), (2.0, signal)])
    assert moments.next(1.0, 1) == 2.0
    assert moments.next(2.0, -1) == 1.0002
    assert moments.next(2.0, 1) is None
    assert moments.next(1.0, -1) is None
    assert moments.last(0.5) == ""
    assert moments.last(1.7) == "SIGSTOP to rank 0, by x"


@pytest.mark.parametrize(("view", "shown"), [("2", "wrap"), ("3", "COMMAND"), ("6", "RECORD")])
def test_what_is_typed_ahead_goes_to_the_question(tmp_path: Path, view: str, shown: str) -> None:
    """All keys of one burst arrive, though it is the first one of them that asks."""
    ui = OnTerminal(tmp_path, f"--replay={session(tmp_path)}")
    ui.expect("4 brokers")
    ui.type(view)
    ui.expect(shown)
    ui.type("/zfvmno")  # each of them does something in the views
    ui.expect("zfvmno")
    ui.type("\x1b")
    ui.expect(gone="zfvmno")
    ui.type("q")
    assert ui.end() == 0
