"""Rows of output: scrolled, followed, searched, selected by keys and by mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.message import Message

from fluxstart_tui.tui.ansi import column
from fluxstart_tui.tui.widgets.lines_page import LinesPage
from fluxstart_tui.tui.widgets.lines_select import END, Point, Selection

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType

    from fluxstart_tui.tui.lines_rows import Rows
    from fluxstart_tui.tui.widgets.lines_paint import LinePainter

_SIDE = 8
"""Columns that one step to the side is."""


class LinesView(LinesPage, can_focus=True):
    """Shows rows, and lets one move in them.

    Args:
        rows: the rows.
        painter: how they look.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", id="lines.up"),
        Binding("down,j", "move(1)", "Down", id="lines.down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", id="lines.page-up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", id="lines.page-down"),
        Binding("home,g", "top", "First row", id="lines.top"),
        Binding("end,G", "bottom", "Last row", id="lines.bottom"),
        Binding("left", "side(-1)", "Left", id="lines.left"),
        Binding("right", "side(1)", "Right", id="lines.right"),
    ]

    class Moved(Message):
        """Another part is seen, or follow, cursor or selection have changed."""

        def __init__(self, view: LinesView) -> None:
            super().__init__()
            self.view = view

    def __init__(self, rows: Rows, painter: LinePainter) -> None:
        super().__init__(rows, painter)
        self.seen = 0
        """Number of rows when following was paused."""
        self._dragging = False

    def show(self, rows: Rows, row: int | None = None) -> None:
        """Show other rows, from a row of them on; without one, what was followed or seen."""
        self.rows = rows
        self.selection, self.selecting, self.cursor = None, False, None
        self.look()
        if row is not None and not self.follow:
            self.go(row)

    # --- Moving -------------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Pause following when somebody scrolls up, go on with it at the end."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value) and not self.moving:
            self.set_follow(round(new_value) >= self.max_scroll_y)

    def set_follow(self, follow: bool) -> None:
        """Follow what comes, or stay."""
        if follow != self.follow:
            self.follow = follow
            self.seen = len(self.rows)
        if follow:
            self.look()
        self.post_message(self.Moved(self))

    def on_resize(self) -> None:
        """Fit into another size."""
        self.look()

    def go(self, row: int) -> None:
        """Make a row the first that is seen."""
        self.look()
        self.scroll_to(y=max(row, 0), animate=False, force=True)
        self.repaint()
        self.post_message(self.Moved(self))

    def go_to(self, row: int) -> None:
        """Put the cursor on a row and show it with what is around it."""
        self.cursor = row
        if not any(place.row == row for place in self.places()) or self.follow:
            self.set_follow(False)
            self.go(row - self.size.height // 3)
        self.repaint()
        self.post_message(self.Moved(self))

    def action_move(self, step: int) -> None:
        """Scroll by a row; select one more or less if rows are selected."""
        if self.selecting and self.selection is not None:
            self._select_to(self.selection.head.row + step)
        else:
            self.go(self.top + step)

    def action_page(self, step: int) -> None:
        """Scroll by a screen."""
        step *= max(self.size.height - 1, 1)
        self.action_move(step)

    def action_top(self) -> None:
        """Go to the first row, and stay there."""
        if self.selecting:
            self._select_to(0)
        else:
            self.set_follow(False)
            self.go(0)

    def action_bottom(self) -> None:
        """Go to the last row, and follow."""
        self._select_to(len(self.rows)) if self.selecting else self.set_follow(True)

    def action_side(self, step: int) -> None:
        """Move to the side."""
        self.left = max(0, self.left + step * _SIDE)
        self.repaint()

    # --- Selecting ----------------------------------------------------------------------------

    def select_rows(self) -> None:
        """Begin to select whole rows by arrows."""
        places = self.places()
        if places:
            seen = {place.row for place in places}
            row = self.cursor if self.cursor in seen else places[-1 if self.follow else 0].row
            self.set_follow(False)
            self.selecting = True
            self.selection = Selection(Point(row, 0), Point(row, END))
            self._select_to(row)

    def _select_to(self, row: int) -> None:
        assert self.selection is not None
        row = min(max(row, 0), len(self.rows) - 1)
        anchor = self.selection.anchor.row
        up = row < anchor
        self.selection = Selection(Point(anchor, END if up else 0), Point(row, 0 if up else END))
        self.cursor = row
        rows = [place.row for place in self.places()]
        if rows and row <= rows[0]:
            self.go(row)
        elif rows and row >= rows[-1]:
            self.go(self.top + row - rows[-1])
        self.repaint()
        self.post_message(self.Moved(self))

    def clear(self) -> bool:
        """Let go of what is selected; tell whether anything was."""
        had = self.selection is not None or self.selecting
        self.selection, self.selecting, self.cursor = None, False, None
        self.repaint()
        self.post_message(self.Moved(self))
        return had

    def _point(self, event: events.MouseEvent) -> Point | None:
        places = self.places()
        if not places:
            return None
        place = places[min(max(event.y, 0), len(places) - 1)]
        cell = event.x - self.painter.prefix_width(self.rows, self.looks)
        text = self.cell(place.row).text
        at = column(text, cell + (0 if self.looks.wrap else self.left), place.begin)
        return Point(place.row, max(0, min(at, place.end)))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to select."""
        point = self._point(event)
        if event.button == 1 and point is not None:
            self.selecting = False
            self.selection, self.cursor = Selection(point, point), None
            self._dragging = True
            self.capture_mouse()
            self.repaint()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Select up to the mouse; go on at the edges."""
        if not self._dragging or self.selection is None:
            return
        if event.y < 0 or event.y >= self.size.height:
            self.go(self.top + (-1 if event.y < 0 else 1))
        point = self._point(event)
        if point is not None and point != self.selection.head:
            self.set_follow(False)
            self.selection = Selection(self.selection.anchor, point)
            self.repaint()

    def on_mouse_up(self) -> None:
        """Let go of the mouse."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()
            if self.selection is not None and self.selection.anchor == self.selection.head:
                self.selection = None
            self.repaint()
            self.post_message(self.Moved(self))
