"""The Timeline view: what each rank did when, and how long each phase took."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from fluxstart_tui.diagnose.lives import KINDS
from fluxstart_tui.tui.views.timeline_phases import PhasesSource
from fluxstart_tui.tui.views.timeline_rows import BarsSource
from fluxstart_tui.tui.widgets.page import RowsPage
from fluxstart_tui.tui.widgets.rows import RowsView

if TYPE_CHECKING:
    from textual import events

    from fluxstart_tui.tui.widgets.source import Source


BARS, PHASES = range(2)
_MODE = ("{rows.next-mode}", "mode")
_OURS = ("home,g", "end,G")
"""Keys of rows of which Home and End are the view's here."""
_BARS_ONLY = frozenset(("time", "time_home", "time_end", "pan", "zoom", "sort", "all"))
"""What there is no use for where there is no axis."""


def _fills() -> dict[str, list[str]]:
    """Return what bars are filled with, and what that stands for."""
    found: dict[str, list[str]] = {}
    for kind in KINDS.values():
        found.setdefault(kind.fill, []).append(kind.name)
    return found


class BarsView(RowsView, inherit_bindings=False):
    """Rows of bars: Home and End are the view's, and the mouse can draw the time cursor along."""

    BINDINGS: ClassVar = [
        *(one for one in RowsView.BINDINGS if isinstance(one, Binding) and one.key not in _OURS),
        Binding("g", "first", "First", show=False, id="rows.first"),
        Binding("G", "last", "Last", show=False, id="rows.last"),
    ]

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Draw the cursor along while the button is held."""
        if event.button == 1:
            self.post_message(self.HeaderClicked(event.x))


class TimelineView(RowsPage):
    """Phases of all ranks on one axis, the slowest first, or as a table of phases."""

    TITLE: ClassVar[str] = "Timeline"
    ticks = True
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("{rows.next-mode+}", "bars of ranks, or phases: how long each took, which rank was last"),
        (
            "{timeline.earlier} {timeline.later}, click, drag",
            "time cursor: what each rank did then; in a replay: go there",
        ),
        ("{timeline.much-earlier} {timeline.much-later}", "move the cursor by ten columns"),
        (
            "{timeline.beginning} {timeline.present}",
            "cursor to the beginning, to the present (it goes away)",
        ),
        ("{rows.zoom-in} {rows.zoom-out}", "zoom, round the cursor"),
        ("{timeline.pan-back} {timeline.pan-on}", "move what is shown"),
        ("{rows.fit} {timeline.all}", "show the launch, show all"),
        ("{timeline.sort}", "sort: slowest first, by rank"),
        ("{rows.first} {rows.last}", "first, last row"),
        *RowsPage.KEYS,
        (
            "◆ ▼ ┃",
            "something done to the instance (the cursor tells), the present, the time cursor",
        ),
        ("‖", "the process was stopped"),
        *((fill * 3, ", ".join(names)) for fill, names in _fills().items()),
    ]
    hints = (_MODE, ("{timeline.earlier}{timeline.later}", "time"), ("{timeline.all}", "all"),
             ("{rows.fit}", "fit launch"), ("{rows.zoom-in}", "zoom in"),
             ("{rows.zoom-out}", "out"), ("{timeline.sort}", "sort"),
             ("{rows.search}", "search"))  # fmt: skip
    BINDINGS: ClassVar = [
        Binding("left", "time(-1)", "Earlier", show=False, id="timeline.earlier"),
        Binding("right", "time(1)", "Later", show=False, id="timeline.later"),
        Binding("ctrl+left", "time(-10)", "Much earlier", show=False, id="timeline.much-earlier"),
        Binding("ctrl+right", "time(10)", "Much later", show=False, id="timeline.much-later"),
        Binding("shift+left", "pan(-0.25)", "Show earlier", show=False, id="timeline.pan-back"),
        Binding("shift+right", "pan(0.25)", "Show later", show=False, id="timeline.pan-on"),
        Binding("home", "time_home", "Beginning", show=False, id="timeline.beginning"),
        Binding("end", "time_end", "Present", show=False, id="timeline.present"),
        Binding("o", "sort", "Sort", show=False, id="timeline.sort"),
        Binding("a", "all", "Show all", show=False, id="timeline.all"),
    ]
    rows_type = BarsView
    DEFAULT_CSS = "TimelineView > .detail { height: 3; }"

    def make_sources(self) -> list[Source]:
        """Return the bars, and the phases as a table."""
        self.bars = BarsSource(self.model)
        self.phases = PhasesSource(self.model)
        return [self.bars, self.phases]

    def current_hints(self) -> tuple[tuple[str, str], ...]:
        """Return the hints of the present mode."""
        if self.mode == PHASES:
            return (_MODE, ("{rows.search}", "search"))
        if self.bars.time is not None and self.model.replay is None:
            return (("{rows.clear}", "drop time cursor"), *self.hints)
        return self.hints

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what moves in time where there is no axis."""
        useful = self.mode == BARS or action not in _BARS_ONLY
        return useful and super().check_action(action, parameters)

    def show_phases(self, name: str = "") -> None:
        """Show how long phases took, with the cursor on one of them."""
        self.go(PHASES)
        self._rows.move_to(self.phases.find_phase(name))

    def empty(self) -> str:
        """Return what is said if there are no rows."""
        return "how many brokers there are to be is not known yet"

    @property
    def _columns(self) -> int:
        """How wide the axis is."""
        return max(1, self._rows.columns - self.bars.left)

    def action_time(self, columns: int) -> None:
        """Move the time cursor."""
        self.bars.step(columns, self._columns)
        self._moved()

    def action_time_home(self) -> None:
        """Move the time cursor to the beginning."""
        self.bars.go_to(0.0)
        self._moved()

    def action_time_end(self) -> None:
        """Go back to the present, or to the end of a replay."""
        self.bars.go_to(None)
        self._moved()

    def action_clear(self) -> None:
        """End the search, or take the time cursor away."""
        if (
            self.mode == PHASES
            or self.source.pattern is not None
            or self.bars.time is None
            or self.model.replay is not None
        ):
            super().action_clear()
        else:
            self.action_time_end()

    def _moved(self) -> None:
        if self.model.replay is not None:
            self.model.poll()  # what was so then, at once
        self.look()

    def action_sort(self) -> None:
        """Sort by something else."""
        self.bars.slowest_first = not self.bars.slowest_first
        self.bars.moved = True
        self.look()

    def action_all(self) -> None:
        """Show everything."""
        self.bars.show_all()
        self.look()

    def on_rows_view_header_clicked(self, message: RowsView.HeaderClicked) -> None:
        """Put the time cursor there."""
        x = message.x - self.bars.left
        if x >= 0 and self.mode == BARS:
            begin, end = self.bars.bounds()
            self.bars.go_to(begin + (end - begin) * (x + 0.5) / self._columns)
            self._moved()

    def on_rows_view_entered(self, message: RowsView.Entered) -> None:
        """Put the time cursor where a bar is clicked; a click on the number chooses the rank."""
        if self.mode == BARS and message.clicked and message.x >= self.bars.left:
            message.prevent_default()
            self.post_message(BarsView.HeaderClicked(message.x))
