"""Keys: each has a name, can be another, and is told as it is."""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.tui import keymap, palette, settings
from fluxstart_tui.tui.app import VIEWS, FluxApp
from fluxstart_tui.tui.screens.help import EVERYWHERE, REPLAY, Help
from fluxstart_tui.tui.source import Source
from fluxstart_tui.tui.views.brokers import BrokersView
from fluxstart_tui.tui.views.output import OutputView
from fluxstart_tui.tui.widgets.lines_bars import Question
from tests.tui.brokers_host import launch, record

if TYPE_CHECKING:
    from pathlib import Path

    from fluxstart_tui.tui.settings import Settings


def screen(app: FluxApp) -> str:
    """Return the text on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


def recorded(path: Path, wanted: Settings | None = None) -> FluxApp:
    """Return the app on a recorded session."""
    directory = record(path / "s", launch(4), [(2.0, 0, 0, b"hello\n")])
    return FluxApp(Source(directory, replay=True), os.environ, wanted)


@pytest.mark.parametrize(
    ("given", "normal", "written"),
    [
        ("q", "q", "q"),
        ("Q", "Q", "Q"),
        ("shift+q", "Q", "Q"),
        ("?", "question_mark", "?"),
        ("/", "slash", "/"),
        ("+", "plus", "+"),
        (",", "comma", ","),
        ("ctrl+]", "ctrl+right_square_bracket", "ctrl+]"),
        ("slash", "slash", "/"),
        ("pageup", "pageup", "PgUp"),
        ("shift+left", "shift+left", "shift+←"),
        ("f12", "f12", "f12"),
        ("space", "space", "space"),
        ("é", "é", "é"),
    ],
)
def test_how_keys_are_named(given: str, normal: str, written: str) -> None:
    assert keymap.normal(given) == normal
    assert keymap.written(normal) == written
    assert keymap.normal(keymap.plain(normal)) == normal


@pytest.mark.parametrize("given", ["", "ab", "ctrl+", "ctl+x", "+a", "a+b", "\n", " ", "nul l"])
def test_what_is_no_key(given: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(given)}$"):
        keymap.normal(given)


def test_every_binding_has_a_name_and_says_what_it_does() -> None:
    """All but ctrl+c, which no file can take away."""
    for owners in keymap._contexts().values():
        for owner in owners:
            for binding in owner.__dict__.get("BINDINGS", ()):
                if binding.key != "ctrl+c":
                    assert re.fullmatch(r"[a-z]+\.[a-z-]+", binding.id or ""), binding
                    assert binding.description, binding


def test_by_default_no_key_has_two_meanings_that_were_not_meant() -> None:
    assert list(keymap.Keymap().clashes()) == []


def test_all_texts_name_keys_that_there_are() -> None:
    keys = keymap.Keymap()
    texts = [text for view in VIEWS.values() for pair in view.KEYS for text in pair]
    texts += [pair[0] for view in VIEWS.values() for pair in getattr(view, "hints", ())]
    texts += [pair[0] for pair in (*EVERYWHERE, *REPLAY)]
    for text in texts:
        assert "{" not in keys.text(text).replace(" { } ", "").replace("{ }", ""), text


def test_another_key_works_and_is_told_everywhere(tmp_path: Path) -> None:
    """Tabs, tools, hints, help and palette have it; the old key does nothing."""
    wanted = settings.parse(
        b"[keys]\napp.output = 'f9'\noutput.wrap = ['W', 'f7']\nrows.search = 'ctrl+s'"
    )
    app = recorded(tmp_path, wanted)

    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press("2")
            assert app.query_one(BrokersView).display
            await pilot.press("f9")
            view = app.view
            assert isinstance(view, OutputView)
            wraps = []
            for key in ("w", "W", "f7"):
                await pilot.press(key)
                wraps.append(view.options.looks.wrap)
            assert wraps == [False, True, False]
            await pilot.pause()
            shown = screen(app)
            assert "f9 Output" in shown
            assert "W wrap" in shown
            offered = {one.title: one for one in palette.commands(app, app.screen)}
            assert offered["Wrap long lines"].help.startswith("key W, f7, in this view")
            await pilot.press("question_mark")
            await pilot.pause()
            assert re.search(r"W +wrap long lines", screen(app))
            await pilot.press("escape", "6")
            await pilot.pause()
            assert "ctrl+s search" in screen(app)
            await pilot.press("ctrl+s")
            await pilot.pause()
            assert app.view is not None
            assert isinstance(app.focused, Question)

    asyncio.run(run())


def test_the_palette_does_what_keys_do(tmp_path: Path) -> None:
    app = recorded(tmp_path)

    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press("2")
            view = app.view
            assert isinstance(view, OutputView)
            offered = {one.title: one for one in palette.commands(app, app.screen)}
            await offered["Wrap long lines"].callback()
            assert view.options.looks.wrap
            await offered["Log"].callback()
            assert app.view is not view
            assert "Wrap long lines" not in {one.title for one in palette.commands(app, app.screen)}

    asyncio.run(run())


def test_hints_can_be_clicked(tmp_path: Path) -> None:
    app = recorded(tmp_path)

    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.press("6")
            await pilot.pause()
            rows = screen(app).splitlines()
            y = next(at for at, row in enumerate(rows) if "/ search" in row)
            await pilot.click(offset=(rows[y].index("/ search"), y))
            await pilot.pause()
            assert app.view is not None
            assert isinstance(app.focused, Question)

    asyncio.run(run())


def test_help_lists_every_key_of_the_focused_view_and_does_what_is_pressed(tmp_path: Path) -> None:
    """With keys of the user's own, too."""
    wanted = settings.parse(b"[keys]\ntable.page-up = ['f6', 'f7']\nlines.left = 'f8'\n")
    app = recorded(tmp_path, wanted)

    async def run() -> None:
        async with app.run_test(size=(120, 200)) as pilot:
            for name in VIEWS:
                await app.action_show(name)
                await pilot.pause()
                active = app.screen.active_bindings.values()
                keys = {keymap.written(one.binding.key) for one in active if one.binding.id}
                await pilot.press("question_mark")
                await pilot.pause()
                words = re.split(r"[\s│]+", screen(app))
                assert keys <= {word.strip("(,") or word for word in words} | {"("}, name
                await pilot.press("2")
                await pilot.pause()
                assert not isinstance(app.screen, Help)
                assert isinstance(app.view, OutputView)

    asyncio.run(run())
