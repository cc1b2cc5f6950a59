"""One line for a replay: where one is, what happened there, and the keys that move."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from fluxstart_tui.diagnose.happened import Moments
from fluxstart_tui.diagnose.words import printable
from fluxstart_tui.tui import keymap
from fluxstart_tui.tui.widgets.paint import Painter, fit

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.widgets.paint import Part

_KEYS = (
    (("app.play", "play"), "play"),
    (("app.seek-back", "seek(-1)"), ""),
    (("app.seek-on", "seek(1)"), "1 s"),
    (("app.step-back", "step(-1)"), ""),
    (("app.step-on", "step(1)"), "event"),
    (("app.slower", "speed(-1)"), ""),
    (("app.faster", "speed(1)"), "{:g}x"),
)
"""Ids of actions with what they do, and the text behind the key, given the speed."""

_TICK = 1 / 20
"""Seconds between two looks at the time."""
_WIDE = 100
"""Columns from which on the end is told beside the time."""


class ReplayBar(Painter, can_focus=False):
    """Shows a replay's time and its keys, which can be clicked.

    Args:
        model: a record that is played.
    """

    DEFAULT_CSS = "ReplayBar { dock: bottom; height: 1; margin-bottom: 1; background: $boost; }"

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = model
        self._key: object = None
        self._places: list[tuple[int, int, str]] = []

    @cached_property
    def moments(self) -> Moments:
        """What one can step to."""
        return Moments(self._model.session.events())

    def on_mount(self) -> None:
        """Follow the time."""
        self.set_interval(_TICK, self._look)

    def _look(self) -> None:
        """Repaint if time has gone on."""
        clock = self._model.replay
        key = clock and (clock.now(), clock.playing, clock.speed)
        if key != self._key:
            self._key = key
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is but one
        """Paint it."""
        clock = self._model.replay
        if clock is None:
            return self.row([], self.size.width)
        width, shown = self.size.width, keymap.of(self.app)
        glyph = "▶ " if clock.playing else "❚❚"
        end = f"{clock.end:.3f}"
        of = f" of {end}" if width >= _WIDE else ""  # the header has it too
        left = f" {glyph} {clock.now():{len(end)}.3f}{of} s  "
        keys: list[Part] = []
        size, places = 0, []
        for (name, action), what in _KEYS:
            key = shown.text(f"{{{name}}}")
            behind = f" {what.format(clock.speed)}  " if what else " "
            keys += [(key, "title"), (behind, "dim")]
            places.append((size, size + len(key) + len(behind) - 1, action))
            size += len(key) + len(behind)
        room = max(0, width - len(left) - size)
        at = len(left) + room
        self._places = [(at + first, at + last, action) for first, last, action in places]
        text = fit(printable(self.moments.last(clock.now()), 200), max(0, room - 2))
        return self.row([(left, "strong"), (f"{text:<{room}}", "plain"), *keys], width)

    async def on_click(self, event: events.Click) -> None:
        """Do what the key does."""
        for first, last, action in self._places:
            if first <= event.x < last:
                await self.app.run_action(action)
