"""The Output view: what all ranks print."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.actions import SkipAction
from textual.binding import Binding
from textual.containers import Horizontal

from fluxstart_tui.rfc import idset
from fluxstart_tui.tui.lines_block import LAUNCHER
from fluxstart_tui.tui.lines_filter import Matcher
from fluxstart_tui.tui.view import View
from fluxstart_tui.tui.views import output_text
from fluxstart_tui.tui.views.output_options import Options, toggled
from fluxstart_tui.tui.views.output_pane import OutputPane
from fluxstart_tui.tui.widgets.lines_bars import LinesStatus, LinesTools, Question
from fluxstart_tui.tui.widgets.lines_view import LinesView

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widgets import Input

    from fluxstart_tui.tui.commands import Commands
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.settings import Settings

_SLICE = 0.008
"""Seconds of work between two looks at what else there is to do."""
_INDEX = 4 << 20
"""Bytes that are indexed in that time."""


class OutputView(View):
    """Output of all ranks."""

    TITLE = "Output"
    KEYS: ClassVar[list[tuple[str, str]]] = output_text.KEYS
    PARTS = (LinesView,)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask('search')", "Search", id="output.search"),
        Binding("n", "hit(1)", "Next hit", id="output.next-hit"),
        Binding("N", "hit(-1)", "Previous hit", id="output.previous-hit"),
        Binding("r", "ask('ranks')", "Ranks", id="output.ranks"),
        Binding("ampersand", "ask('filter')", "Filter", id="output.filter"),
        Binding("exclamation_mark", "switch('inverse')", "Only lines without", id="output.inverse"),
        Binding("o", "switch('streams')", "Stdout, stderr, launcher or all", id="output.streams"),
        Binding("l", "switch('levels')", "All levels, warnings or errors", id="output.levels"),
        Binding("z", "switch('clear')", "No filter", id="output.no-filter"),
        Binding("f", "follow", "Follow", id="output.follow"),
        Binding("w", "switch('wrap')", "Wrap long lines", id="output.wrap"),
        Binding("T", "switch('times')", "Times", id="output.times"),
        Binding("m", "switch('merge')", "Merge equal lines", id="output.merge"),
        Binding("c", "switch('fair')", "Cap chatty ranks", id="output.cap"),
        Binding("b", "beside", "Ranks beside each other", id="output.beside"),
        Binding("v", "select", "Select", id="output.select"),
        Binding("y,ctrl+c", "copy", "Copy", id="output.copy"),
        Binding("S", "ask('save')", "Save", id="output.save"),
        Binding("escape", "back", "Back", id="output.back"),
    ]
    DEFAULT_CSS = "OutputView { layout: vertical; }"

    def __init__(self, model: Model, commands: Commands | None = None) -> None:
        super().__init__(model, commands)
        self.options = Options()
        self._panes = [OutputPane(model, self.options)]
        self._asking = ""
        self._said = ""
        self._before: Matcher | None = None
        self._working = False

    def configure(self, settings: Settings) -> None:
        """Begin as the user wants it."""
        looks = replace(self.options.looks, wrap=settings.wrap, times=settings.times)
        self.options = replace(self.options, looks=looks)
        self.pane.set(self.options)
        self.pane.lines.follow = settings.follow

    def compose(self) -> ComposeResult:
        """Lay out the tools, the panes, and what there is."""
        yield LinesTools()
        with Horizontal():
            yield from self._panes
        yield LinesStatus()
        yield Question()

    def focus_main(self) -> None:
        """Give the focus to the lines."""
        self.pane.lines.focus()

    @property
    def pane(self) -> OutputPane:
        """The pane that keys are for."""
        for pane in self._panes:
            if pane.lines.has_focus:
                return pane
        return self._panes[0]

    @property
    def highlighted(self) -> frozenset[int]:
        """The rank of the row under the cursor, or that the pane is of, if it is of one."""
        pane = self.pane
        row = pane.lines.cursor
        rank = pane.rank if row is None else pane.lines.cell(row).line.rank
        return super().highlighted if rank is None else frozenset({rank})

    @property
    def placed(self) -> bool:
        """Whether a row is under the cursor."""
        return self.pane.lines.cursor is not None

    # --- Showing what there is ----------------------------------------------------------------

    def look(self) -> None:
        """Take what is new; the rest of the work is done in slices between keys and frames."""
        if not self.is_mounted:
            return
        self._work(_SLICE / 2)
        for pane in self._panes:
            pane.lines.look()
        self._tell()
        if not self._working and self._busy:
            self._working = True
            self.run_worker(self._pump(), group="lines")

    @property
    def _busy(self) -> bool:
        return self.model.lines.behind or any(pane.busy for pane in self._panes)

    def _work(self, seconds: float) -> None:
        for pane in self._panes:
            if pane.busy:
                pane.work(seconds / len(self._panes))

    async def _pump(self) -> None:
        try:
            while self._busy and self.is_attached:
                if self.model.lines.behind:
                    self.model.lines.poll(_INDEX)
                self._work(_SLICE)
                for pane in self._panes:
                    pane.lines.look()
                self._tell()
                await asyncio.sleep(0)
        finally:
            self._working = False

    def _tell(self) -> None:
        """Show how the tools are set and how much there is."""
        tools, status = self.query_one(LinesTools), self.query_one(LinesStatus)
        tools.show(output_text.tools(self.options, wide=self.size.width >= 110))
        status.show(*output_text.status(self.pane, self._said, self._asking))

    def _take(self, options: Options) -> None:
        """Take over what was chosen."""
        self._said = ""
        self.options = options
        for pane in self._panes:
            pane.set(options)
        self.look()

    def _want(self, **changes: object) -> None:
        """Choose what is shown."""
        wanted = replace(self.options.wanted, **changes)  # type: ignore[arg-type]
        self._take(replace(self.options, wanted=wanted))

    def on_lines_view_moved(self) -> None:
        """Tell where one is."""
        self._tell()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Tell of the pane that has the focus."""
        if isinstance(event.widget, LinesView):
            self._tell()

    async def on_lines_tools_used(self, message: LinesTools.Used) -> None:
        """Do what a tool is for."""
        await self.run_action(message.action)

    def on_lines_status_clicked(self) -> None:
        """Follow, or stay."""
        self.action_follow()

    # --- Keys ---------------------------------------------------------------------------------

    def action_follow(self) -> None:
        """Follow what comes, or stay."""
        follow = not self.pane.lines.follow
        for pane in self._panes:
            pane.lines.set_follow(follow)
        self._tell()  # with the lines: what Moved changes is painted some milliseconds after them

    def action_switch(self, what: str) -> None:
        """Switch something: see output_options.toggled."""
        if what == "inverse" and self.options.wanted.matcher is None:
            self.action_ask("filter")
        else:
            options = toggled(self.options, what)
            if options.wanted.streams == {LAUNCHER} and self.model.header.get("mode") != "launcher":
                options = toggled(options, what)
            self._take(options)

    async def action_beside(self) -> None:
        """Show two to four ranks side by side, or all in one again."""
        ranks = tuple(sorted(self.options.wanted.ranks or self.chosen))
        if self.options.beside:
            await self._lay_out(())
        elif 2 <= len(ranks) <= 4:
            await self._lay_out(ranks)
        else:
            self.action_ask("beside")

    async def _lay_out(self, ranks: tuple[int, ...]) -> None:
        self.options = replace(self.options, beside=ranks)
        self._panes = [OutputPane(self.model, self.options, rank) for rank in ranks or (None,)]
        for pane in self._panes[1:]:
            pane.add_class("beside")
        box = self.query_one(Horizontal)
        await box.remove_children()
        await box.mount_all(self._panes)
        self._take(self.options)
        self.focus_main()

    def action_hit(self, step: int) -> None:
        """Go to the next or the previous hit."""
        if self.options.search is None:
            self.action_ask("search")
        else:
            self.pane.jump(step)
            self._tell()

    def action_select(self) -> None:
        """Select rows by arrows."""
        self.pane.lines.select_rows()

    def action_copy(self) -> None:
        """Copy what is selected to the clipboard, and to a file in case there is none."""
        if self.pane.lines.selection is None:
            raise SkipAction
        self.app.notify(output_text.copy(self.app, self.pane), markup=False)
        self.pane.lines.clear()

    def action_back(self) -> None:
        """Let go of what is selected, then of what was searched for."""
        if self.pane.lines.clear():
            return
        if self.options.search is None:
            raise SkipAction
        self._take(replace(self.options, search=None))

    # --- Asking -------------------------------------------------------------------------------

    def action_ask(self, what: str) -> None:
        """Ask for what is to be searched, shown or written."""
        self._asking, self._said, self._before = what, "", self.options.search
        former = output_text.former(what, self.options)
        self.query_one(Question).ask(output_text.QUESTIONS[what], former)
        self._tell()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while one types."""
        if self._asking == "search":
            try:
                matcher = Matcher(event.value) if event.value else None
            except re.error as error:
                self._complain(f"not an expression: {error}")
                return
            self._take(replace(self.options, search=matcher))

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the answer."""
        try:
            await self._answer(self._asking, event.value)
        except re.error as error:
            self._complain(f"not an expression: {error}")
        except ValueError as error:
            self._complain(f"not a set of ranks such as 0-3,7: {error}")
        except OSError as error:
            self._complain(f"{event.value}: {error.strerror or error}")

    async def _answer(self, what: str, text: str) -> None:
        if what == "search":
            self._done()
            self.pane.jump(1)
        elif what == "filter":
            self._want(matcher=Matcher(text) if text else None)
            self._done()
        elif what == "save":
            path = output_text.free(text, overwrite=self._said.startswith(text) and bool(text))
            self._done()
            self.run_worker(output_text.save(self.app, self.pane, path), group="save")
        else:
            ranks = idset.decode(text.replace(" ", ""))
            if what == "ranks":
                self._want(ranks=ranks or None)
                self._done()
            elif 2 <= len(ranks) <= 4:
                self._done()
                await self._lay_out(tuple(sorted(ranks)))
            else:
                raise ValueError("two to four of them")
        self._tell()

    def _complain(self, text: str) -> None:
        self._said = text
        self._tell()

    def _done(self) -> None:
        self._asking, self._said = "", ""
        self.query_one(Question).remove_class("asking")
        self.focus_main()

    def on_question_left(self) -> None:
        """Leave a question unanswered; what was searched for before is again."""
        asked = self._asking
        self._done()
        if asked == "search":
            self._take(replace(self.options, search=self._before))
