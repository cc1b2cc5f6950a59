"""The Output view on recorded output, by keys and by mouse."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from textual.app import App

from fluxstart_tui.session.output import Spool
from fluxstart_tui.session.reader import Session
from fluxstart_tui.tui.clock import LiveClock
from fluxstart_tui.tui.model import Model
from fluxstart_tui.tui.views.output import OutputView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.pilot import Pilot

    Stage = tuple[Pilot[Any], "Host"]


class Host(App[None]):
    """Shows nothing but the Output view."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.chosen: frozenset[int] = frozenset()
        self.model = Model(Session(str(directory)), LiveClock(""))
        self.output = OutputView(self.model)
        self.copied = ""

    def compose(self) -> ComposeResult:
        yield self.output

    def on_mount(self) -> None:
        self.frame()
        self.output.focus_main()

    def frame(self) -> None:
        """Do what our app does in a frame."""
        self.model.poll()
        self.model.poll()  # what was not added to is an unfinished line
        self.output.look()

    def copy_to_clipboard(self, text: str) -> None:
        self.copied = text

    def lines(self) -> list[str]:
        """Return the text on the screen but for scroll bars."""
        rows = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in row).rstrip(" ▁▂▃▄▅▆▇█") for row in rows]


class Recording:
    """A session whose spool is written by a test."""

    def __init__(self, directory: Path) -> None:
        header = {"format": 1, "start": "2026-01-02T03:04:05+00:00", "size": 4, "host": "node"}
        (directory / "session.json").write_text(json.dumps(header))
        (directory / "events.jsonl").touch()
        self.directory = directory
        self.spool = Spool(str(directory), 1 << 30)

    def say(self, *pieces: tuple[float, int, int, str]) -> None:
        """Write some output."""
        self.spool.append([(t, rank, stream, text.encode()) for t, rank, stream, text in pieces])


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    """Provide a session in which four ranks have said something."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "session").mkdir()
    made = Recording(tmp_path / "session")
    made.say(*[(1.0 + rank / 10, rank, 0, f"\x1b[32mhello\x1b[0m {rank}\n") for rank in range(4)])
    made.say(*[(2.0, rank, 0, "ready\n") for rank in range(4)])
    made.say((2.5, 1, 1, "broker.err[1]: [bold]it broke[/bold]\n"), (3.25, 0, 0, "Password: "))
    return made


@asynccontextmanager
async def shown(recording: Recording, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Stage]:
    app = Host(recording.directory)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot, app


def played(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


TOOLS = " r ranks o streams l levels & filter w wrap T times m merge c cap b beside"


def test_all_ranks_are_merged_with_their_rank_and_stream(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording, (80, 14)) as (_, app):
            assert app.lines() == [
                TOOLS,
                " 0 │ hello 0",
                " 1 │ hello 1",
                " 2 │ hello 2",
                " 3 │ hello 3",
                " 0 │ ready",
                " 1 │ ready",
                " 2 │ ready",
                " 3 │ ready",
                " 1 ▌ broker.err[1]: [bold]it broke[/bold]",
                " 0 │ Password:",
                "", "",
                " 9 lines" + " " * 59 + "▼ following",
            ]  # fmt: skip

    played(story)


def test_filters_survive_each_other_and_every_toggle(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            await pilot.press("r", "0", "minus", "1", "enter")
            await pilot.press("ampersand", *"he|it", "enter")
            expected = [" 0 │ hello 0", " 1 │ hello 1", " 1 ▌ broker.err[1]: [bold]it broke[/bold]"]
            assert app.lines()[1:5] == [*expected, ""]
            assert app.lines()[-1].startswith(" 3 of 9 lines")
            for key in ("w", "m", "m", "c", "c", "T", "T", "T", "T", "f", "f", "w"):
                await pilot.press(key)
            assert app.lines()[1:5] == [*expected, ""]
            await pilot.press("exclamation_mark")
            assert app.lines()[1:4] == [" 0 │ ready", " 1 │ ready", " 0 │ Password:"]
            await pilot.press("o")
            await pilot.press("o")
            assert app.lines()[1] == ""  # what is on stderr matches
            await pilot.press("exclamation_mark")
            await pilot.press("l")
            assert app.lines()[1:3] == [expected[2], ""]
            await pilot.press("z")
            assert app.lines()[-1].startswith(" 9 lines")

    played(story)


def test_a_wrong_answer_is_asked_again(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            await pilot.press("r", "x", "enter")
            assert "not a set of ranks such as 0-3,7" in app.lines()[-2]
            await pilot.press("escape")
            await pilot.press("ampersand", "left_parenthesis", "enter")
            assert "not an expression" in app.lines()[-2]
            await pilot.press("escape")
            assert app.lines()[-1].startswith(" 9 lines")

    played(story)


def test_equal_lines_fold_into_one_with_their_idset(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            await pilot.press("m")
            assert app.lines()[5:7] == [
                "      0-3 │ ready",
                "        1 ▌ broker.err[1]: [bold]it broke[/bold]",
            ]
            assert app.lines()[-1].startswith(" 7 rows of 9 lines")

    played(story)


@pytest.mark.parametrize(
    ("presses", "first", "fifth"),
    [
        (1, "03:04:06.000   0 │ hello 0", "03:04:07.000   0 │ ready"),
        (2, "    1.000s   0 │ hello 0", "    2.000s   0 │ ready"),
        (3, "       +0   0 │ hello 0", "   +700ms   0 │ ready"),
    ],
)
def test_times(recording: Recording, presses: int, first: str, fifth: str) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            await pilot.press(*["T"] * presses)
            lines = app.lines()
            assert [" ".join(lines[at].split()) for at in (1, 5)] == [
                " ".join(text.split()) for text in (first, fifth)
            ]

    played(story)


def test_search_counts_hits_and_goes_round(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            await pilot.press("slash", *"hel")
            assert "/hel 4 hits" in app.lines()[-2]
            await pilot.press("enter")
            assert "/hel hit 1 of 4" in app.lines()[-1]
            await pilot.press("N")
            assert "/hel hit 4 of 4" in app.lines()[-1]
            await pilot.press("n", "n")
            assert "/hel hit 2 of 4" in app.lines()[-1]
            await pilot.press("b", "1", "comma", "2", "enter", "n")
            assert "rank 1: 3 of 9 lines   /hel hit 1 of 1" in app.lines()[-1]
            await pilot.press("b", "escape", "escape")
            assert "/hel" not in app.lines()[-1]

    played(story)


def test_follow_pauses_on_scroll_and_tells_what_is_new(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording, (60, 12)) as (pilot, app):
            recording.say(*[(4.0, 2, 0, f"line {at}\n") for at in range(100)])
            app.frame()
            await pilot.pause()
            assert app.lines()[-3] == " 2 │ line 99"
            await pilot.press("up")
            recording.say((5.0, 3, 0, "more\nand more\n"))
            app.frame()
            await pilot.pause()
            assert "‖ paused 2 new ▼ f follows" in app.lines()[-1]
            assert app.lines()[-2] == " 2 │ line 99"
            await pilot.press("G")
            assert "▼ following" in app.lines()[-1]
            assert app.lines()[-3] == " 3 │ and more"
            await pilot.press("g")
            assert app.lines()[1] == " 0 │ hello 0"
            await pilot.click("LinesStatus", offset=(58, 0))
            assert "▼ following" in app.lines()[-1]
            app.output.action_follow()
            assert "‖ paused" in app.lines()[-1], "it is told with the lines, not after them"

    played(story)


def test_wrapped_lines_are_seen_to_their_end(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording, (40, 8)) as (pilot, app):
            text = "".join(f"{at:03d}," for at in range(30))
            recording.say((4.0, 2, 0, f"{text}\nlast\n"), (4.0, 0, 0, "\n"))
            app.frame()
            await pilot.press("w")
            assert app.lines()[1:-1] == [
                " 2 │ 000,001,002,003,004,005,006,007,00",
                "   ┊ 8,009,010,011,012,013,014,015,016,",
                "   ┊ 017,018,019,020,021,022,023,024,02",
                "   ┊ 5,026,027,028,029,",
                " 2 │ last",
                " 0 │ Password:",
            ]
            await pilot.press("w")
            assert "…" in "".join(app.lines()[1:-1])

    played(story)


def test_a_chatty_rank_is_capped(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            recording.say(*[(5.0, 3, 0, "spin\n" * 500), (5.1, 1, 0, "important\n")])
            app.frame()
            await pilot.press("c")
            assert app.lines()[-5:-1] == [
                " 3 │ spin",
                " ⋮ ┊ … 480 more lines of rank 3",
                " 1 │ important",
                " 0 │ Password:",
            ]
            assert "32 rows of 510 lines" in app.lines()[-1]

    played(story)


def test_ranks_side_by_side(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            app.chosen = frozenset((1, 3))
            await pilot.press("b")
            lines = [line.replace("▏", "|") for line in app.lines()]
            assert lines[1].split("|")[0].strip() == "rank 1 on node"
            assert lines[1].split("|")[1].strip() == "rank 3 on node"
            assert lines[2].split() == ["│", "hello", "1", "|│", "hello", "3"]
            await pilot.press("tab")
            assert "rank 3: 2 of 9 lines" in app.lines()[-1]
            await pilot.press("b")
            assert app.lines()[1] == " 0 │ hello 0"

    played(story)


def test_rows_are_selected_by_keys_and_copied(recording: Recording, tmp_path: Path) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            await pilot.press("g", "v", "down", "down")
            assert "3 rows selected" in app.lines()[-1]
            await pilot.press("y")
            assert app.copied == "0: hello 0\n1: hello 1\n2: hello 2"
            kept = tmp_path / "cache" / "fluxstart-tui" / "copied.txt"
            assert kept.read_text() == app.copied + "\n"

    played(story)


def test_text_is_selected_by_mouse_and_copied(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            await pilot.mouse_down("LinesView", offset=(5, 4))
            await pilot.hover("LinesView", offset=(8, 4))
            await pilot.mouse_up("LinesView", offset=(8, 4))
            await pilot.press("y")
            assert app.copied == "rea"
            await pilot.mouse_down("LinesView", offset=(5, 5))
            await pilot.hover("LinesView", offset=(8, 4))
            await pilot.mouse_up("LinesView", offset=(8, 4))
            await pilot.press("ctrl+c")
            assert app.copied == "0: ready\n1: ready"

    played(story)


def test_what_is_shown_is_saved(recording: Recording, tmp_path: Path) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            await pilot.press("r", "1", "enter", "S", "enter")
            await app.workers.wait_for_complete()
            assert (tmp_path / "output.txt").read_text() == (
                "1: hello 1\n1: ready\n1: broker.err[1]: [bold]it broke[/bold]\n"
            )
            await pilot.press("S", "enter")
            assert "Enter again overwrites" in app.lines()[-2]
            await pilot.press("enter", "S", *["backspace"] * 3, *"ansi", "enter")
            await app.workers.wait_for_complete()
            saved = (tmp_path / "output.ansi").read_text()
            assert saved.startswith("1: \x1b[32mhello\x1b[0m 1\x1b[0m\n")

    played(story)


def test_tools_can_be_clicked(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            await pilot.click("LinesTools", offset=(app.lines()[0].index("merge"), 0))
            assert app.lines()[-1].startswith(" 7 rows of 9 lines")
            assert "●m merge" in app.lines()[0]

    played(story)


def test_nothing_is_painted_when_nothing_has_changed(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            painted = []
            view = app.output.pane.lines
            former = view.render_line
            view.render_line = lambda y: painted.append(y) or former(y)  # type: ignore[method-assign, func-returns-value]
            app.frame()
            await pilot.pause()
            assert painted == []
            recording.say((9.0, 0, 0, "secret\n"))
            app.frame()
            await pilot.pause()
            assert painted

    played(story)


def test_the_wheel_pauses_following_and_goes_on_with_it(recording: Recording) -> None:
    async def story() -> None:
        async with shown(recording, (60, 12)) as (pilot, app):
            recording.say(*[(4.0, 2, 0, f"line {at}\n") for at in range(100)])
            app.frame()
            await pilot.pause()
            lines = app.output.pane.lines
            lines.scroll_up(animate=False)
            assert "‖ paused" in (await settled(pilot, app))[-1]
            lines.scroll_down(animate=False)
            assert "▼ following" in (await settled(pilot, app))[-1]

    played(story)


async def settled(pilot: Pilot[Any], app: Host) -> list[str]:
    """Return the text on the screen when it has been painted."""
    await pilot.pause()
    return app.lines()


def test_a_rank_that_drowns_the_others_is_named_with_the_key_that_caps_it(
    recording: Recording,
) -> None:
    async def story() -> None:
        async with shown(recording) as (pilot, app):
            assert "caps it" not in app.lines()[-1]
            recording.say(*[(4.0, 2, 0, f"noise {at}\n") for at in range(100)])
            app.frame()
            await pilot.pause()
            assert "▲ rank 2: " in app.lines()[-1]
            assert " rows c caps it   ▼ following" in app.lines()[-1]
            await pilot.press("c")
            await pilot.pause()
            assert "caps it" not in app.lines()[-1]

    played(story)
