"""The file of settings: what it may say, and what is said where it may not."""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.tui import example, keymap, settings
from fluxstart_tui.tui.app import VIEWS, FluxApp
from fluxstart_tui.tui.settings import Settings, SettingsError
from fluxstart_tui.tui.source import Source
from fluxstart_tui.tui.views.broker_columns import columns
from fluxstart_tui.tui.views.brokers import BrokersView
from fluxstart_tui.tui.views.output import OutputView
from tests import support
from tests.tui.brokers_host import launch, model_of, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FULL = b"""
theme = "light"
[defaults]
view = "output"
times = "relative"
wrap = true
follow = false
columns = ["state", "CPU%"]
record-limit = "4G"
keep = 3
[keys]
app.quit = "Q"
[keys.output]
search = ["f7", "ctrl+]"]
"""


def test_all_that_it_may_say() -> None:
    assert settings.parse(FULL) == Settings(
        theme="light",
        view="output",
        times="relative",
        wrap=True,
        follow=False,
        columns=("state", "CPU%"),
        options=("--record-limit=4G", "--keep=3"),
        keys={"app.quit": ("Q",), "output.search": ("f7", "ctrl+right_square_bracket")},
    )
    assert settings.parse(b"") == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theme = 'blue'", "theme: 'blue' is none of dark, light, ansi"),
        ("theme = 3", "theme: 3 is none of dark, light, ansi"),
        ("themes = 'dark'", "themes: there is no such setting; is it theme?"),
        ("zzz = 1", "zzz: there is no such setting; there are theme, defaults, keys"),
        ("defaults = 1", "defaults: 1 is no table: write [defaults]"),
        ("[defaults]\nwrap = 'yes'", "defaults.wrap: 'yes' is neither true nor false"),
        (
            "[defaults]\nwarp = true",
            "defaults.warp: there is no such setting; is it defaults.wrap?",
        ),
        ("[defaults]\nview = 'all'", "defaults.view: 'all' is none of brokers, output, pmi, "),
        ("[defaults]\ncolumns = 'pid'", "defaults.columns: 'pid' is neither a text nor a list"),
        ("[defaults]\ncolumns = ['x']", "defaults.columns: 'x' is none of host, pid, "),
        ("[defaults]\nkeep = 0", "defaults.keep: 0 is no number of sessions"),
        ("[defaults]\nkeep = true", "defaults.keep: True is no number of sessions"),
        ("[defaults]\nrecord-limit = '4 GB'", "defaults.record-limit: '4 GB' is no size such as"),
        ("[keys]\napp.qiut = 'Q'", "keys.app.qiut: there is no such setting; is it keys.app.quit?"),
        ("[keys]\nzzzzzz = 'Q'", "keys.zzzzzz: there is no such setting; --print-config lists all"),
        ("[keys]\napp.quit = 'quit'", "keys.app.quit: there is no key 'quit'; keys are such as"),
        ("[keys]\napp.quit = 'hyperctrl+q'", "keys.app.quit: there is no key 'hyperctrl+q'"),
        ("[keys]\napp.quit = []", "keys.app.quit: a list is neither a text nor a list of some"),
        ("[keys]\napp.quit = [1]", "keys.app.quit: there is no key 1"),
        ("[keys]\noutput.wrap = 'f'", "keys.output.wrap: 'f' is the key of output.follow in the"),
        ("[keys]\napp.timer = 'X'\napp.hold = 'X'", "'X' is the key of app.timer in the same view"),
        ("[keys]\napp.timer = 'x'", "keys.app.timer: 'x' is the key of "),
        ("x = ", "not TOML: Invalid value"),
        ('theme = "\\u001b[31m"', r"theme: '\x1b[31m' is none of"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings.parse(text.encode())
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_keys_may_be_exchanged_and_shared_where_they_are_by_default() -> None:
    swapped = settings.parse(b"[keys.output]\nwrap = 'f'\nfollow = 'w'")
    assert swapped.keys == {"output.wrap": ("f",), "output.follow": ("w",)}
    assert settings.parse(b"[keys]\napp.play = ['space', 'f8']")  # a view has space as well


_VALUES = st.recursive(
    st.text(max_size=9) | st.integers() | st.booleans() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


def said(parse: Callable[[], object]) -> str:
    """Return what is wrong, "" if nothing is."""
    try:
        parse()
    except SettingsError as error:
        return str(error)
    return ""


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_the_bytes_are_there_is_a_line_or_there_are_settings(data: bytes) -> None:
    text = said(lambda: settings.parse(data))
    assert text.isprintable()


@given(st.sampled_from(("theme", "defaults", "keys", "x")), _VALUES)
def test_whatever_the_values_are_it_is_one_line(key: str, value: object) -> None:
    text = said(lambda: settings.from_tables({key: value}))
    assert text.isprintable()


def test_where_it_is(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert settings.path({"XDG_CONFIG_HOME": "/etc/xdg"}) == "/etc/xdg/fluxstart-tui/config.toml"
    relative = settings.path({**home, "XDG_CONFIG_HOME": "not/absolute"})
    assert relative == os.path.expanduser("~/.config/fluxstart-tui/config.toml")
    other = tmp_path / "mine.toml"
    other.write_text("theme = 'ansi'")
    assert settings.load({settings.FILE: str(other)}).theme == "ansi"
    assert settings.load({"XDG_CONFIG_HOME": str(tmp_path)}) == Settings()
    with pytest.raises(SettingsError, match=r"nowhere\.toml: No such file or directory"):
        settings.load({settings.FILE: str(tmp_path / "nowhere.toml")})
    with pytest.raises(SettingsError, match="Is a directory"):
        settings.load({settings.FILE: str(tmp_path)})
    other.write_bytes(b"#" * (1 << 21))
    with pytest.raises(SettingsError, match="too large"):
        settings.load({settings.FILE: str(other)})


def test_the_example_is_what_is_usual_and_complete() -> None:
    text = example.text()
    lines = [line.removeprefix("# ") for line in text.splitlines()[2:]]
    whole = settings.parse("\n".join(lines).encode())
    assert settings.parse(text.encode()) == Settings()
    assert whole.keys == keymap.defaults()
    assert whole._replace(keys={}, options=()) == Settings()


def test_the_program_prints_it_and_the_manual_is_true(tmp_path: Path) -> None:
    assert support.run(tmp_path, "--print-config").out == example.text()
    using = (support.ROOT / "docs" / "using.md").read_text()
    (shown,) = re.findall(r"```toml\n(.*?)```", using, flags=re.DOTALL)
    assert settings.parse(shown.encode()).keys["app.quit"] == ("Q",)


def test_headless_does_not_ask_for_it(tmp_path: Path) -> None:
    wrong = {settings.FILE: str(tmp_path / "nowhere")}
    assert support.run(tmp_path, "--headless", "-X", "-s1", "true", env=wrong).code == 0


def test_views_and_columns_are_those_that_there_are(tmp_path: Path) -> None:
    assert tuple(VIEWS) == settings.VIEWS
    model = model_of(record(tmp_path / "s", launch(2)))
    assert tuple(one.title for one in columns(model)) == ("rank", *settings.COLUMNS)
    assert [one.title for one in columns(model, ("exit", "pid"))] == ["rank", "exit", "pid"]


def test_the_app_begins_as_wanted(tmp_path: Path) -> None:
    source = Source(record(tmp_path / "s", launch(2)), replay=True)

    async def run() -> None:
        app = FluxApp(source, os.environ, settings.parse(FULL))
        async with app.run_test(size=(100, 30)) as pilot:
            view = app.view
            assert isinstance(view, OutputView)
            assert app.theme == "light"
            assert (view.options.looks.wrap, view.options.looks.times) == (True, "relative")
            assert not view.pane.lines.follow
            await pilot.press("1")
            await pilot.pause()
            brokers = app.view
            assert isinstance(brokers, BrokersView)
            assert [one.title for one in brokers.table.columns] == ["rank", "state", "CPU%"]

    asyncio.run(run())
