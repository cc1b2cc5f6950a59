"""Questions over the views: all of them is to be seen at 80x24."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.app import App
from textual.widgets import Button

from fluxstart_tui import tui
from fluxstart_tui.tui import signals
from fluxstart_tui.tui.screens.ask import Ask, Prompt
from tests.tui.rows_support import screen


class Asking(App[None]):
    """Has the styles of the app."""

    CSS_PATH = Path(tui.__file__).parent / "app.tcss"


@pytest.mark.parametrize(
    ("answers", "rows"),
    [
        ([(key, key.upper() * 4) for key in "tkscyu"], [3, 3]),
        ([("s", "shut down"), ("k", "kill"), ("l", "leave running"), ("b", "back")], [4]),
        (
            [("h", "hold ranks " + "1," * 20), ("b", "hold the barrier"), ("r", "release")],
            [1, 1, 1],
        ),
    ],
)
def test_answers_that_do_not_fit_beside_each_other_have_more_rows(
    answers: list[tuple[str, str]], rows: list[int]
) -> None:
    async def run() -> None:
        app = Asking()
        async with app.run_test(size=(80, 24)) as pilot:
            await app.push_screen(Ask("Which?\nIt matters.", answers))
            await pilot.pause()
            buttons = list(app.screen.query(Button))
            heights = [button.region.y for button in buttons]
            assert [heights.count(y) for y in sorted(set(heights))] == rows
            assert all(button.region.right < 78 for button in buttons)
            text = screen(app)
            assert all(what in text for _, what in answers)

    asyncio.run(run())


def test_what_can_be_typed_is_told_above_the_line() -> None:
    async def run() -> None:
        app = Asking()
        async with app.run_test(size=(80, 24)) as pilot:
            await app.push_screen(Prompt("Send a signal", "TERM all", "SIGNAL RANKS: KILL 3"))
            await pilot.pause()
            text = screen(app)
            assert text.index("SIGNAL RANKS: KILL 3") < text.index("TERM all")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        (["s"], {"ranks": "2-3", "signum": 19}),  # can be taken back
        (["c"], {"ranks": "2-3", "signum": 18}),
        (["k", "y"], {"ranks": "2-3", "signum": 9}),
        (["k", "n"], None),
        (["escape"], None),
        (["o", "home", *["delete"] * 4, *"hup", "end", "backspace", "enter", "y"],
         {"ranks": "2-", "signum": 1}),
        (["o", "home", *["delete"] * 4, "²", "enter", "y"], None),
        (["o", "home", *["delete"] * 4, "underscore", *"ign", "enter", "y"], None),
    ],
)  # fmt: skip
def test_only_what_can_not_be_taken_back_is_asked_twice(
    keys: list[str], sent: dict[str, object] | None
) -> None:
    """STOP and CONT are sent at once, others after a second question."""
    calls: list[dict[str, object]] = []

    async def run() -> None:
        app = Asking()
        async with app.run_test(size=(80, 24)) as pilot:
            signals.ask(
                app, frozenset({2, 3}), "ranks 2-3", lambda payload, _done: calls.append(payload)
            )
            await pilot.pause()
            for key in keys:
                await pilot.press(key)
                await pilot.pause()

    asyncio.run(run())
    assert calls == ([sent] if sent is not None else [])
