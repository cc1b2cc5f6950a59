"""Themes: legible colours from one place, sixteen of them, and none at all."""

from __future__ import annotations

import asyncio
import os
import re
from itertools import pairwise
from pathlib import Path

import pytest
from textual.color import Color

import fluxstart_tui.tui
from fluxstart_tui.diagnose.lives import KINDS
from fluxstart_tui.tui import themes
from fluxstart_tui.tui.app import FluxApp
from fluxstart_tui.tui.settings import Settings
from fluxstart_tui.tui.source import Source
from fluxstart_tui.tui.widgets.paint import Painter
from fluxstart_tui.tui.widgets.rows import RowsView
from fluxstart_tui.tui.widgets.table import Table
from tests.tui.brokers_host import launch, record

LEGIBLE = 4.5
"""The contrast that WCAG 2.2 wants of text (success criterion 1.4.3, level AA)."""
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_SGR = re.compile(rb"\x1b\[([0-9;:]*)m")


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours as WCAG has it, from 1 to 21."""

    def luminance(color: Color) -> float:
        parts = [part / 255 for part in color.rgb]
        r, g, b = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def recorded(path: Path, theme: str = "") -> FluxApp:
    """Return the app on a recorded session."""
    output = [(2.0, 0, 0, b"\x1b[31mred\x1b[0m plain\n")]
    source = Source(record(path / "s", launch(4), output), replay=True)
    return FluxApp(source, os.environ, Settings(theme=theme))


def test_there_is_no_colour_elsewhere() -> None:
    """No file of the UI but the one of themes has a colour of its own."""
    for path in Path(fluxstart_tui.tui.__file__).parent.rglob("*"):
        if path.suffix in (".py", ".tcss") and path.name != "themes.py":
            found = re.findall(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b(?=[\";])", path.read_text())
            assert not found, path
            # What is on a colour is reversed: only so it is legible on all of them.
            assert not re.search(rf'"[a-z ]*({"|".join(NAMES)}) on [a-z]+"', path.read_text()), path


@pytest.mark.parametrize("name", ["dark", "light"])
def test_all_is_legible_on_all_grounds(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    app = recorded(tmp_path, name)
    colors: dict[str, Color] = {}

    async def run() -> None:
        async with app.run_test():
            for key, value in app.theme_variables.items():
                if re.fullmatch("#[0-9A-Fa-f]{6}", value):
                    colors[key] = Color.parse(value)

    asyncio.run(run())
    texts = ["foreground", "text-primary", "text-secondary", "text-accent", "text-success",
             "text-warning", "text-error"]  # fmt: skip
    for ground in ("background", "surface", "panel"):
        for text in texts:
            assert contrast(colors[text], colors[ground]) >= LEGIBLE, (text, ground)
        assert contrast(colors["text-disabled"], colors[ground]) >= 3, ground
    sixteen = themes.ANSI_DARK if name == "dark" else themes.ANSI_LIGHT
    for number in range(1, 7):  # black and white are for grounds of their own
        for bright in (0, 8):
            color = Color(*sixteen.ansi_colors[number + bright])
            assert contrast(color, colors["background"]) >= LEGIBLE, number + bright


def test_bars_are_legible() -> None:
    for phase in KINDS:
        for style in themes.bar(phase):
            text, ground = re.findall("#[0-9a-f]{6}", style)
            wanted = LEGIBLE if text == "#ffffff" else 2
            assert contrast(Color.parse(text), Color.parse(ground)) >= wanted, (phase, style)


@pytest.mark.parametrize(
    ("colors", "theme"), [("standard", "ansi"), ("256", "dark"), ("truecolor", "dark")]
)
def test_the_theme_fits_the_terminal(
    tmp_path: Path, colors: str, theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", colors)
    monkeypatch.delenv("NO_COLOR", raising=False)
    app = recorded(tmp_path)
    assert app.theme == theme
    assert set(app.available_themes) == {"dark", "light", "ansi"}


def test_themes_are_changed_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been painted is painted anew: the good state in another green."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    app = recorded(tmp_path, "dark")

    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            table = app.query_one(Table)
            seen = []
            for theme in ("dark", "light", "ansi", "dark"):
                app.theme = theme
                await pilot.pause()
                seen.append(table.tone("good").color)
            assert all(one != other for one, other in pairwise(seen))
            assert seen[0] == seen[-1]

    asyncio.run(run())


@pytest.mark.parametrize("few", ["ansi", "none"])
def test_cursors_and_chosen_rows_show_without_colours(
    tmp_path: Path, few: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if few == "none":
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.delenv("NO_COLOR", raising=False)
    app = recorded(tmp_path, "ansi")

    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            painter = app.query_one(Painter)
            assert painter.tone("plain", "cursor").reverse
            assert painter.tone("plain", "chosen").underline
            await pilot.press("4")
            await pilot.pause()
            rows = app.screen.query_one(RowsView)
            strip = rows.render_line(1 + rows.source.cursor - round(rows.scroll_y))
            assert all(style is None or style.reverse for _, style, _ in strip)
            assert all(style is None or not style.color or style.color.is_default
                       for _, style, _ in strip)  # fmt: skip

    asyncio.run(run())


def test_no_color_writes_no_colour(scene: Path) -> None:
    """All views, the help, the palette and a question: not one byte of colour to the terminal."""
    on_terminal = pytest.importorskip("tests.tui.on_terminal")
    args = ("--broker=embedded", "-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "-s3")
    program = ("sh", "-c", "printf '\\033[31mred\\033[0m\\n'; sleep 99")
    ui = on_terminal.OnTerminal(scene, *args, *program, env={"NO_COLOR": "1"})
    ui.expect("program runs")
    for key, text, gone in (
        ("2", "lines", ""), ("3", "COMMAND", ""), ("4", "OVERLAY", ""), ("5", "RANK", ""),
        ("6", "SEV", ""), ("d", "Overview", ""), ("?", "Everywhere", ""),
        ("\x1b", "Overview", "Everywhere"),  # what comes too soon after an Esc goes with it
        ("\x10", "Search", ""), ("\x1b", "Overview", "Search"), ("7", "keys go to the program", ""),
        ("\x1d", "q Quit", ""), ("q", "shut down", ""),
    ):  # fmt: skip
        ui.type(key)
        ui.expect(text, gone=gone)
    ui.type("k")
    ui.end()
    told = [int(code or 0) for match in _SGR.finditer(bytes(ui.written))
            for code in re.split(b"[;:]", match[1])]  # fmt: skip
    assert told
    assert not [code for code in told if 30 <= code <= 38 or 40 <= code <= 48 or code >= 90]
