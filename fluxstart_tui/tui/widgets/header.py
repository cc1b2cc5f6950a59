"""What is always visible: what runs, how far it has come, what it waits for, what runs out."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.message import Message

from fluxstart_tui.diagnose.progress import current
from fluxstart_tui.diagnose.words import printable
from fluxstart_tui.tui import keymap
from fluxstart_tui.tui.widgets import countdown, strip
from fluxstart_tui.tui.widgets.paint import Painter, clock, fit
from fluxstart_tui.tui.widgets.waited import progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from textual import events
    from textual.geometry import Size
    from textual.strip import Strip

    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.widgets.paint import Part


_LOW = 30
"""Rows of a screen on which rows are dear."""
_COMMAND = 60
"""Cells of a launcher's command at the most; of a longer one only the launcher's words are told."""
_RATE = 5
"""Times a second that it is drawn at the most if only time passes."""


class HeaderBar(Painter, can_focus=False):
    """The header. Its owner calls `look` once a frame.

    Args:
        model: the session.
    """

    DEFAULT_CSS = "HeaderBar { dock: top; height: auto; background: $surface; }"

    class Picked(Message):
        """A phase or the failure was clicked; `ranks` hold it up, or have failed."""

        def __init__(self, name: str, ranks: frozenset[int]) -> None:
            super().__init__()
            self.name = name
            self.ranks = ranks

    class TimerMenu(Message):
        """The exit timer's countdown was clicked."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self._rows: list[tuple[str, list[Part]]] = []
        self._cells: list[strip.Cell] = []
        self._progress = progress(model)
        self._key: object = None

    def look(self) -> None:
        """Take what is new in the model and repaint what has changed."""
        model = self.model
        self._progress = progress(model)
        key = (int(model.now * _RATE), model.ended, self.size.width, self._progress.changes)
        if key == self._key:
            return
        self._key = key
        rows = self._draw()
        if rows == self._rows:
            return
        former, self._rows = self._rows, rows
        if len(former) != len(rows):
            self.refresh(layout=True)
        else:
            self.refresh_changed(former, rows)

    def _draw(self) -> list[tuple[str, list[Part]]]:
        """Return the rows, each with the name of what it tells."""
        width = self.size.width or self.app.size.width
        model = self.model
        end = model.state.end
        failed = end is not None and bool(end.code)
        drawn = strip.draw(
            self._progress.phases, width, model.now, ended=model.ended, failed=failed
        )
        self._cells = drawn.cells
        rows = [("title", self._title(width)), ("strip", drawn.names), ("strip", drawn.notes)]
        if model.ended or not model.state.findings:  # these say more
            rows.append(("sentence", self._sentence(width)))
        timer = countdown.exit_timer(model.state, model.now, width)
        waits = countdown.quorum(model.state, model.now, width)
        if timer:
            rows.append(("timer", timer))
        if waits and (not timer or self.app.size.height >= _LOW):
            rows.append(("quorum", waits))
        if any(one.reason == "disk" for one in model.state.lost):
            text = "the disk takes no more: what comes is shown but not recorded"
            rows.append(("recording", [(" ✗ ", "bad"), (fit(text, width - 4), "bad")]))
        dear = self.app.size.height < _LOW
        failure = self._progress.failure
        if failure is not None and failure.kind == "interrupt":
            failure = None  # the sentence tells who has asked for the end
        if failure is not None and (
            (model.ended or not timer) and not (dear and model.state.findings)
        ):
            text = printable(failure.text, 400)
            rows.append(("failure", [(" ✗ ", "bad"), (fit(text, width - 4), "bad")]))
        if self._progress.then and model.ended:
            text = f"until then: {self._progress.then}"
            rows.append(("failure", [(" ◐ ", "warn"), (fit(text, width - 4), "warn")]))
            if self.app.size.height < _LOW:  # times of phases tell least now
                del rows[2]
        return rows

    def _title(self, width: int) -> list[Part]:
        model = self.model
        header, state = model.header, model.state
        version = printable(state.attributes.get("version", "").partition("+")[0], 20)
        right = self._time(width)
        facts = [
            f"{model.size or '?'} {'broker' if model.size == 1 else 'brokers'}",
            _kind(header, version),
            *_run(header),
        ]
        name = " fluxstart"
        left: list[Part] = [(name, "title")]
        used = len(name)
        for fact in facts:
            if fact and used + 3 + len(fact) + len(right) < width:
                left += [(" · ", "dim"), (fact, "plain")]
                used += 3 + len(fact)
        return [*left, (" " * max(0, width - used - len(right)), "plain"), (right, "strong")]

    def _time(self, width: int) -> str:
        model = self.model
        replay = model.replay
        if replay is not None:
            glyph = "▶" if replay.playing else "❚❚"
            speed = f" {replay.speed:g}x" if replay.speed != 1 else ""
            name = "replay " if width > 100 else ""
            return f"{name}{glyph} {clock(model.now)}/{clock(replay.end)}{speed} "
        return f"{'ended after' if model.ended else 'up'} {clock(model.now)} "

    def _sentence(self, width: int) -> list[Part]:
        model = self.model
        text = model.sentence
        at = current(self._progress.phases, ended=model.ended)
        end = model.state.end
        if end is not None:
            glyph, tone = ("✗", "bad") if end.code else ("✓", "good")
        elif model.cut:
            glyph, tone = "✗", "bad"
        elif model.state.broker(0).stopped:
            glyph, tone = "‖", "warn"
        elif model.state.broker(0).state == "run":
            glyph, tone = "●", "good"
        else:
            waits = 0 <= at < len(self._progress.phases) and not self._progress.phases[at].complete
            glyph, tone = ("◐", "warn") if waits else ("●", "good")
        hint = self._hint()
        return [
            (f" {glyph} ", tone),
            (fit(text, width - 4 - len(hint)), "strong"),
            (hint, "title"),
        ]

    def _hint(self) -> str:
        """Say where a shell is typed to that runs since no program was given."""
        model = self.model
        if getattr(self.screen.focused, "captured", False):
            return ""  # keys go there already
        options = model.header.get("options")
        given = isinstance(options, dict) and options.get("command")
        if given or model.ended or model.replay is not None or 0 not in model.terminals:
            return ""
        runs = model.state.broker(0).state == "run"
        return keymap.of(self.app).text("{app.terminal}: type to the shell ") if runs else ""

    def get_content_height(self, *_: Size | int) -> int:
        """Return the number of rows."""
        return max(3, len(self._rows))

    def render_line(self, y: int) -> Strip:
        """Paint a row."""
        width = self.size.width
        if y >= len(self._rows):
            return self.row([], width)
        name, parts = self._rows[y]
        if sum(cell_len(text) for text, _ in parts) > width:
            self._key = None  # it was drawn for another width: the next look does it again
        return self.row(parts, width, "head" if name == "title" else "")

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._key = None
        self.look()

    def on_click(self, event: events.Click) -> None:
        """Tell which phase was clicked and who is missing from it, or open the timer's menu."""
        if not 0 <= event.y < len(self._rows):
            return
        name = self._rows[event.y][0]
        if name == "timer":
            self.post_message(self.TimerMenu())
        elif name == "strip":
            for cell in self._cells:
                if cell.start <= event.x < cell.end:
                    phase = cell.phase
                    ranks = phase.missing if phase.k else phase.absent
                    self.post_message(self.Picked(cell.phase.name, ranks))
        elif name == "failure" and self._progress.failure is not None:
            ranks = frozenset(self._progress.failure.ranks) or self._progress.missing
            self.post_message(self.Picked("failure", ranks))


def _kind(header: Mapping[str, Any], version: str) -> str:
    """Return which broker runs, and what the embedded one can not."""
    kind = printable(str(header.get("broker_kind") or "broker"), 20)
    return "embedded broker, runs no jobs" if kind == "embedded" else f"{kind} {version}".strip()


def _run(header: Mapping[str, Any]) -> list[str]:
    """Return how brokers are started, and by what or where."""
    mode = str(header.get("mode") or "")
    if mode != "launcher":
        return [printable(mode, 20), printable(str(header.get("rundir") or ""), 60)]
    command, options = header.get("command"), header.get("options")
    words = list(map(str, command)) if isinstance(command, list) else []
    given = options.get("launcher") if isinstance(options, dict) else None
    name = printable(str(header.get("launcher") or "unknown"), 20)
    line = shlex.join(words)
    short = shlex.join(words[: len(given)]) if isinstance(given, list) else ""
    return [f"launcher {name}", printable(line, 120) if len(line) <= _COMMAND else short]
