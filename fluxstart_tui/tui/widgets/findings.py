"""The bar below the header that says what hinders the launch, if something does."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from textual.message import Message

from fluxstart_tui.diagnose.words import printable
from fluxstart_tui.tui import diagnosis, keymap
from fluxstart_tui.tui.widgets.paint import Painter, fit

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Size
    from textual.strip import Strip

    from fluxstart_tui.tui.diagnosis import Shown
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.widgets.paint import Part

_LOW = 30
"""Rows of a screen on which rows are dear."""
_FEW, _MANY = 2, 4
"""Rows of the bar at most, on a low screen and on others."""
_TIME = 10
_HEAD = 3 + _TIME + 2
"""Cells before a sentence: a mark, and how long it lasts."""
_SENTENCE = 600
_NUMBER = re.compile(r" (\d)")
_TIED = "\N{NO-BREAK SPACE}"
"""Stands before a number while lines are broken: `barrier` and `1` stay together."""


class FindingsBar(Painter, can_focus=False):
    """One finding after the other. Its owner calls `look` once a frame.

    Args:
        model: the session.
    """

    DEFAULT_CSS = "FindingsBar { height: auto; background: $surface; display: none; }"

    class Picked(Message):
        """A finding was clicked."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number
            """Which one, from 0."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self._rows: list[tuple[int, list[Part]]] = []

    def look(self) -> None:
        """Repaint what has changed."""
        known = diagnosis.of(self.model)
        rows = self._draw(known.findings) if known.findings else []
        if rows == self._rows:
            return
        former, self._rows = self._rows, rows
        if len(former) != len(rows):
            self.display = bool(rows)
            self.refresh(layout=True)
        else:
            self.refresh_changed(former, rows)

    def _draw(self, found: list[Shown]) -> list[tuple[int, list[Part]]]:
        """Return rows, each with the number of its finding."""
        width = self.size.width or self.app.size.width
        most = _FEW if self.app.size.height < _LOW else _MANY
        hint = keymap.of(self.app).text("  {app.findings}: why, what to do ")
        rows: list[tuple[int, list[Part]]] = []
        shown = 0
        for number, one in enumerate(found):
            room = most - len(rows)
            if room <= 0:
                break
            spare = len(hint) if number == len(found) - 1 else 0
            rows += [(number, parts) for parts in self._finding(one, width, room, spare)]
            shown += 1
        if shown < len(found):
            hint = f" +{len(found) - shown} more {hint}"
        number, parts = rows[-1]
        rows[-1] = number, _ending(parts, hint, width)
        return rows

    def _finding(self, one: Shown, width: int, most: int, spare: int) -> list[list[Part]]:
        """Return a finding in at most so many rows, its rule not named: that is for reports.

        Its last row leaves some cells to spare if there can be one more.
        """
        text = _NUMBER.sub(f"{_TIED}\\1", printable(one.finding.sentence, _SENTENCE))
        sure = one.finding.confidence == "certain"
        glyph, tone = ("✗", "bad") if sure else ("!", "warn")
        head: list[Part] = [(f" {glyph} ", tone), (f"{one.when(self.model):<{_TIME}}  ", "dim")]
        room = max(20, width - _HEAD - 1)
        lines = textwrap.wrap(text, room)
        if len(lines) < most and len(lines[-1]) > room - spare:
            lines = textwrap.wrap(text, room - spare)
        if len(lines) > most:
            lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
        blank: list[Part] = [(" " * _HEAD, "plain")]
        return [
            [*(blank if at else head), (fit(line.replace(_TIED, " "), room), "strong")]
            for at, line in enumerate(lines)
        ]

    def get_content_height(self, *_: Size | int) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def render_line(self, y: int) -> Strip:
        """Paint a row."""
        return self.row(self._rows[y][1] if y < len(self._rows) else [], self.size.width)

    def on_resize(self) -> None:
        """Draw for the new width."""
        self.look()

    def on_click(self, event: events.Click) -> None:
        """Tell which finding was clicked."""
        if 0 <= event.y < len(self._rows):
            self.post_message(self.Picked(self._rows[event.y][0]))


def _ending(parts: list[Part], text: str, width: int) -> list[Part]:
    """Return a row with something at its right end."""
    kept = max(0, width - len(text))
    found: list[Part] = []
    for one, tone in parts:
        room = kept - sum(len(said) for said, _ in found)
        cut = one if len(one.rstrip()) <= room else f"{one[: max(0, room - 2)]}… "
        found.append((f"{cut:<{room}}"[:room] if len(one) > room else one, tone))
    blank = kept - sum(len(said) for said, _ in found)
    return [*found, (" " * max(0, blank), "plain"), (text, "info")]
