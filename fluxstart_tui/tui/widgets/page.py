"""A view that shows one of several sources of rows, with search, filter and detail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.actions import SkipAction
from textual.binding import Binding
from textual.widgets import Static

from fluxstart_tui.tui import filters, keymap
from fluxstart_tui.tui.view import View
from fluxstart_tui.tui.widgets.axis import TimeSource
from fluxstart_tui.tui.widgets.lines_bars import Question
from fluxstart_tui.tui.widgets.modes import ModeBar
from fluxstart_tui.tui.widgets.rows import RowsView

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer
    from textual.widgets import Input

    from fluxstart_tui.tui.commands import Commands
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.widgets.source import Source

_SLICE, _PAUSE = 0.010, 0.002
"""Seconds that catching up may take at once, and that it leaves to others."""


class RowsPage(View):
    """Rows under a line of modes, with a detail of the row under the cursor below.

    Subclasses give the sources, and what a filter means.

    Args:
        model: what there is to see.
        commands: what can be asked of the instance.
    """

    DEFAULT_CSS = """
    RowsPage { layout: vertical; height: 1fr; }
    RowsPage > .detail { height: 2; padding: 0 1; background: $panel; color: $text; }
    RowsPage.-tall > .detail { height: 4; }
    RowsPage > Question { background: $boost; }
    """
    BINDINGS: ClassVar = [
        Binding("slash", "ask('search')", "Search", show=False, id="rows.search"),
        Binding("n", "hit(1)", "Next hit", show=False, id="rows.next-hit"),
        Binding("N", "hit(-1)", "Previous hit", show=False, id="rows.previous-hit"),
        Binding("v,tab", "mode(1)", "Next mode", show=False, id="rows.next-mode"),
        Binding("V,shift+tab", "mode(-1)", "Previous mode", show=False, id="rows.previous-mode"),
        Binding("plus,equals_sign", "zoom(0.5)", "Zoom in", show=False, id="rows.zoom-in"),
        Binding("minus", "zoom(2.0)", "Zoom out", show=False, id="rows.zoom-out"),
        Binding("0", "zoom(0.0)", "Fit", show=False, id="rows.fit"),
        Binding("left", "pan(-0.25)", "Earlier", show=False, id="rows.pan-back"),
        Binding("right", "pan(0.25)", "Later", show=False, id="rows.pan-on"),
        Binding("x", "choose", "Choose", show=False, id="rows.choose-too"),
        Binding("escape", "clear", "Clear", show=False, id="rows.clear"),
    ]
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("{rows.up} {rows.down} {rows.page-up} {rows.page-down} {rows.first} {rows.last}",
         "move; at the last row it follows"),
        ("{rows.choose}, click", "choose the rank of the row in all views"),
        ("{rows.choose-too}", "choose it too, or no longer"),
        ("{rows.search}  {rows.next-hit}  {rows.previous-hit}",
         "search (a regular expression); next, previous hit"),
        ("{rows.clear}", "end the search, then drop the filter, then choose no ranks"),
    ]  # fmt: skip
    PARTS = (RowsView,)
    hints: ClassVar[tuple[tuple[str, str], ...]] = (("{rows.search}", "search"),)
    rows_type: ClassVar[type[RowsView]] = RowsView
    filter_help: ClassVar[str] = ""
    """What a filter may be; "" if there is none."""

    def __init__(self, model: Model, commands: Commands | None = None) -> None:
        super().__init__(model, commands)
        self.sources: list[Source] = self.make_sources()
        self.mode = 0
        self.filter_text = ""
        self._asking = ""
        self._timer: Timer | None = None
        self._synced = 0.0
        self._bar = ModeBar(
            tuple(one.title for one in self.sources) if len(self.sources) > 1 else (), self.hints
        )
        self._rows = self.rows_type(self.sources[0])
        self._detail = Static("", classes="detail", markup=False)
        self._question = Question()
        self._shown_detail = Text()

    def make_sources(self) -> list[Source]:
        """Return what can be looked at."""
        raise NotImplementedError

    @property
    def source(self) -> Source:
        """What is looked at."""
        return self.sources[self.mode]

    @property
    def _under_cursor(self) -> frozenset[int]:
        source = self.source
        return source.ranks(source.cursor) if source.cursor < len(source) else frozenset()

    @property
    def highlighted(self) -> frozenset[int]:
        """The ranks of the cursor's row."""
        return self._under_cursor or super().highlighted

    @property
    def placed(self) -> bool:
        """Whether the cursor was moved, or may have been, and follows no last row."""
        source = self.source
        ranks = self._under_cursor
        known = self.last is not None and ranks and source.row_of(min(ranks)) is not None
        return not source.follow and (source.cursor > 0 or bool(known))

    def follow(self) -> None:
        """Put the cursor on the row of that rank, if there is one."""
        rank = self.last
        row = None if rank is None else self.source.row_of(rank)
        if row is not None and rank not in self._under_cursor:
            self._rows.move_to(row, middle=True)

    def compose(self) -> ComposeResult:
        """Put the parts under each other."""
        yield self._bar
        yield self._rows
        yield self._question
        yield self._detail

    def on_mount(self) -> None:
        """Show the first source."""
        self.source.look()
        self._rows.sync(force=True)
        self._tell()
        self._catch_up()

    def on_resize(self) -> None:
        """Give more room to the detail where there is some."""
        self.set_class(self.size.height >= 30, "-tall")

    def focus_main(self) -> None:
        """Give the focus to the rows, at once: what is asked next takes it from them."""
        self.screen.set_focus(self._rows)

    def look(self) -> None:
        """Take what is new in the model and repaint what has changed."""
        if self.source.look():
            self._rows.sync()
        self._rows.mark(self.chosen)
        self._tell()
        self._catch_up()

    def _catch_up(self) -> None:
        """Go on between frames with what takes long, in slices that nobody feels."""
        if self.source.more and self._timer is None:
            self._timer = self.set_timer(_PAUSE, self._slice)

    def _slice(self) -> None:
        more = self.display and self.is_attached and self.source.work(time.monotonic() + _SLICE)
        # New numbers of rows cost a layout: ten a second will do where the screen is full.
        few = self._rows.source_count < self._rows.size.height
        if not more or few or time.monotonic() >= self._synced + 0.1:
            self._synced = time.monotonic()
            self._rows.sync()
            self._tell()
        self._timer = self.set_timer(_PAUSE, self._slice) if more else None

    def _tell(self) -> None:
        """Bring the line above and the detail below up to date."""
        source = self.source
        live = self.model.replay is None and not self.model.ended
        status = source.told(self.filter_text, live=live)
        self._bar.tell(self.mode, status, self.current_hints())
        detail = source.detail(source.cursor) if len(source) else Text(self.empty(), "dim")
        if detail != self._shown_detail:
            self._shown_detail = detail
            self._detail.update(detail, layout=False)

    def current_hints(self) -> tuple[tuple[str, str], ...]:
        """Return the hints of the present mode."""
        return self.hints

    def empty(self) -> str:
        """Return what is said if there are no rows."""
        drops = keymap.of(self.app).text("nothing matches the filter: {rows.clear} drops it")
        return drops if self.filter_text else "nothing yet"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what there is no use for here: other modes, or a time to move in."""
        timed = any(isinstance(one, TimeSource) for one in self.sources)
        useful = {"mode": len(self.sources) > 1, "zoom": timed, "pan": timed}.get(action, True)
        return useful and super().check_action(action, parameters)

    def action_mode(self, step: int) -> None:
        """Go to the next or previous mode."""
        if len(self.sources) > 1:
            self.go((self.mode + step) % len(self.sources))

    def go(self, mode: int) -> None:
        """Show a source, with the search that is on, at the rank that the cursor was on."""
        pattern = self.source.pattern
        if self.placed:
            self.aim()
        self.mode = mode
        if self.source.pattern != pattern:
            self.source.search(pattern)
        self.source.look()
        self._rows.show(self.source)
        self.follow()
        self.look()

    def on_mode_bar_picked(self, message: ModeBar.Picked) -> None:
        """Show what was clicked."""
        self.go(message.index)

    async def on_mode_bar_hint_picked(self, message: ModeBar.HintPicked) -> None:
        """Do what the key does."""
        self.focus_main()
        for _, binding in self._bindings:
            if binding.id == message.action:
                await self.run_action(binding.action)
                return

    def action_zoom(self, factor: float) -> None:
        """Show less or more of the time."""
        if isinstance(self.source, TimeSource):
            self.source.zoom(factor)
            self.look()

    def action_pan(self, step: float) -> None:
        """Show earlier or later times."""
        if isinstance(self.source, TimeSource):
            self.source.pan(step)
            self.look()

    def on_rows_view_moved(self) -> None:
        """Say what the cursor is on."""
        self._tell()

    def on_rows_view_entered(self, message: RowsView.Entered) -> None:
        """Choose the ranks of a row."""
        if ranks := self.source.ranks(message.row):
            self.choose(ranks)
            self.look()

    def action_choose(self) -> None:
        """Choose the ranks of the cursor's row as well, or no longer."""
        if ranks := self._under_cursor:
            self.choose(self.chosen ^ ranks)
            self.look()

    def action_ask(self, what: str) -> None:
        """Ask for something to search or filter by."""
        self._asking = what
        pattern = self.source.pattern
        if what == "search":
            former = pattern.pattern if pattern is not None else ""
            self._question.ask("search: a regular expression, Enter goes to the first hit", former)
        else:
            self._question.ask(f"filter, as in: {self.filter_help}", self.filter_text)

    def on_question_left(self) -> None:
        """Leave it unanswered."""
        self._done()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Search or filter."""
        event.stop()
        self._done()
        if self._asking == "filter":
            self.set_filter(event.value.strip())
        else:
            self.set_search(event.value)

    def _done(self) -> None:
        self._question.remove_class("asking")
        self.focus_main()

    def set_search(self, text: str) -> None:
        """Search for a regular expression, or, if it is none, for the text."""
        pattern = filters.regex_or_text(text) if text else None
        self.source.search(pattern)
        if pattern is not None:
            # From the row above: what the cursor is on may be the first hit.
            row = self.source.find(self.source.cursor, -1)
            after = self.source.find(self.source.cursor if row is None else row, 1)
            if after is not None:
                self.source.follow = False
                self._rows.move_to(after, middle=True)
        self._rows.sync()
        self._tell()
        self._catch_up()

    def action_hit(self, step: int) -> None:
        """Go to the next or previous hit."""
        row = self.source.find(self.source.cursor, step)
        if row is not None:
            self.source.follow = False
            self._rows.move_to(row, middle=True)

    def set_filter(self, text: str) -> None:
        """Show only what matches; "" for all."""
        problem = self.apply_filter(text)
        if problem:
            self.notify(problem, severity="warning")
            return
        self.filter_text = text
        self._rows.sync(force=True)
        self.look()

    def apply_filter(self, _text: str) -> str:
        """Apply a filter to the sources; return what is wrong with it, "" if nothing."""
        return ""

    def action_clear(self) -> None:
        """End the search, or drop the filter, or choose no ranks."""
        if self.source.pattern is not None:
            self.set_search("")
        elif self.filter_text:
            self.set_filter("")
        elif self.chosen:
            self.choose(frozenset())
            self.look()
        else:
            raise SkipAction  # the app may know what to go back from
