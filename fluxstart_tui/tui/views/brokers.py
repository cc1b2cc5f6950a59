"""The Brokers view: a map of the ranks over a table of them and a grid of panes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from fluxstart_tui.tui import actions, keymap
from fluxstart_tui.tui.settings import COLUMNS
from fluxstart_tui.tui.view import View
from fluxstart_tui.tui.views.broker_columns import columns, matching
from fluxstart_tui.tui.views.brokers_layout import BRIEF, arrange, fits_both, spare
from fluxstart_tui.tui.widgets import looks
from fluxstart_tui.tui.widgets.panes import PaneGrid
from fluxstart_tui.tui.widgets.rank_map import RankMap
from fluxstart_tui.tui.widgets.table import Table
from fluxstart_tui.tui.widgets.waited import progress

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from fluxstart_tui.tui.commands import Commands
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.settings import Settings
    from fluxstart_tui.tui.widgets.messages import Chose, Moved, Opened

_PAUSE = 0.1
"""Seconds between two looks at the least: output may change the model sixty times a second."""
_TICK = 0.24
"""Seconds between two looks if only time passes."""
_MODES = ("table", "panes", "both")
_MAPS = ("some", "all", "none")


class BrokersView(View):
    """All brokers: a map, a table, panes.

    Args:
        model: the session.
        commands: what can be asked of the instance.
    """

    TITLE = "Brokers"
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("{table.up} {table.down}, click", "go to a rank; Tab goes from map to table to panes"),
        (
            "{table.choose-or-play}, {table.choose-up} {table.choose-down}, drag",
            "choose ranks ({table.choose} does it in a replay too); {brokers.clear}: none",
        ),
        ("{table.open}, double click", "look at the rank in detail"),
        ("{brokers.panes}", "table, panes or both"),
        ("{brokers.map}", "map small, large or none"),
        ("{map.next-trouble} {map.previous-trouble}", "map: next, previous rank in trouble"),
        (
            "{brokers.sort} {brokers.turn-round}",
            "sort by the next column, turn the order round (or click a title)",
        ),
        (
            "{brokers.filter}",
            "show only these: an idset, or words of state, PMI phase, exit, host; !word: without",
        ),
        ("{brokers.only-chosen}", "show only the chosen ranks, or all"),
        ("{brokers.waits} {brokers.stacks}", "what all wait in; their stacks, equal ones together"),
    ]
    PARTS = (RankMap, Table, PaneGrid)
    ticks = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "panes", "Table, panes or both", id="brokers.panes"),
        Binding("m", "map", "Map small, large or none", id="brokers.map"),
        Binding("o", "sort(1)", "Sort by the next column", id="brokers.sort"),
        Binding("O", "sort(0)", "Turn the order round", show=False, id="brokers.turn-round"),
        Binding("slash", "filter", "Show only some ranks", id="brokers.filter"),
        Binding("c", "only_chosen", "Only the chosen ranks", show=False, id="brokers.only-chosen"),
        Binding("w", "look_at('Waits')", "Waits of all", show=False, id="brokers.waits"),
        Binding("b", "look_at('Stacks')", "Stacks of all", show=False, id="brokers.stacks"),
        Binding("escape", "clear", "Choose none, no filter", show=False, id="brokers.clear"),
    ]
    DEFAULT_CSS = """
    BrokersView { layout: vertical; }
    BrokersView #both { height: 1fr; }
    BrokersView .rows { height: 1fr; width: 1fr; }
    BrokersView #filter { height: 1; border: none; padding: 0 1; background: $panel; }
    BrokersView #filtered { height: 1; padding: 0 1; color: $text-warning; }
    """

    def __init__(self, model: Model, commands: Commands | None = None) -> None:
        super().__init__(model, commands)
        self.filter = ""
        self.only_chosen = False
        self._columns = COLUMNS
        self._mode: str | None = None
        self._map_mode = "some"
        self._shown: object = None
        self._seen: object = None
        self._looked = 0.0
        self._hosts: object = None
        self._ranks: list[int] = []
        self._led = -1
        """The rank that the cursor was led to; -1 once somebody has moved it."""
        self.map = RankMap(model)
        self.table = Table(columns(model))
        self.panes = PaneGrid(model)

    def configure(self, settings: Settings) -> None:
        """Show the columns that the user wants."""
        self._columns = settings.columns

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield self.map
        yield Static("", id="filtered", markup=False)
        with Horizontal(id="both"):
            with Vertical(id="table", classes="rows"):
                yield self.table
            with Vertical(id="panes", classes="rows"):
                yield self.panes
        filtering = Input(placeholder="idset such as 0-3,8, or words such as quorum, failed, !run")
        filtering.id = "filter"
        filtering.display = False
        yield filtering

    @property
    def mode(self) -> str:
        """What is below the map: what was asked for, or else what fits."""
        fits = self._fits_both
        if self._mode is None:
            return "both" if fits else "table"
        return "table" if self._mode == "both" and not fits else self._mode

    @property
    def _fits_both(self) -> bool:
        return fits_both(self, self._map_mode, self.model.size)

    @property
    def brief(self) -> bool:
        """Whether the table leaves just enough rows for the pane of the cursor's rank."""
        fits = spare(self, self._map_mode, len(self._ranks)) >= BRIEF
        return fits and self._mode is None and self.mode == "table" and self._map_mode != "all"

    def focus_main(self) -> None:
        """Give the focus to the table."""
        (self.table if self.mode != "panes" else self.panes).focus()

    def look(self) -> None:
        """Take what is new in the model and repaint what has changed, a few times a second."""
        age = time.monotonic() - self._looked
        seen = (self.model.version, self.chosen, getattr(self.app, "rank", None))
        if age >= (_PAUSE if seen != self._seen else _TICK):
            self.look_now()

    def look_now(self) -> None:
        """Take what is new at once."""
        self._looked = time.monotonic()
        state = self.model.state
        failed = any(looks.look(one).name in looks.FAILED for one in state.brokers.values())
        if self._hosts != (key := (state.size, state.attributes.get("hostlist"), failed)):
            self._hosts = key
            self.table.set_columns(columns(self.model, self._columns, failed=failed))
        chosen = self.chosen
        self.map.mark(chosen)
        self.table.chosen = chosen
        known = rank = getattr(self.app, "rank", None)
        if rank in (None, self._led):  # nobody has moved the cursor yet: it shows the culprit
            rank = self._led = min(progress(self.model).missing, default=0)
        if rank != known or rank != self.map.cursor:
            self._go(rank)
        ranks = matching(self.model, self.filter)
        if self.only_chosen and chosen:
            ranks = [rank for rank in ranks if rank in chosen]
        self._ranks = ranks
        self._arrange()
        if self.map.display:
            self.map.look()
        if self.mode != "panes":
            self.table.empty = f"no rank is '{self.filter}'" if self.filter else "no ranks"
            self.table.show(ranks)
            self.table.go(self.map.cursor)  # it may not have had that rank before
        if self.mode != "table":
            self.panes.show(self._in_panes(ranks))
        elif self.brief:
            self.panes.show([self.map.cursor])
        self._tell(len(ranks))
        self._seen = (self.model.version, chosen, self.map.cursor)

    def _in_panes(self, ranks: list[int]) -> list[int]:
        """Return whose panes are shown: the chosen ones, or else all in the table's order."""
        if self.chosen and not self.only_chosen:
            return [rank for rank in ranks if rank in self.chosen] or ranks
        return ranks

    def _tell(self, count: int) -> None:
        """Say which ranks are not shown, and why."""
        line = self.query_one("#filtered", Static)
        parts = [f"filter '{self.filter}'"] if self.filter else []
        parts += ["only the chosen"] if self.only_chosen and self.chosen else []
        line.display = bool(parts)
        text = f"{', '.join(parts)}: {count} of {self.model.size} ranks are shown   "
        text += keymap.of(self.app).text("{brokers.clear}: show all")
        if parts and line.content != text:
            line.update(text)

    def _arrange(self) -> None:
        """Give each part its place, if size or wishes have changed."""
        width, height = self.size
        key = (width, height, self.mode, self._map_mode, self.model.size, len(self._ranks))
        if key == self._shown or not height:
            return
        self._shown = key
        arrange(self, self._map_mode, len(self._ranks))

    def _go(self, rank: int) -> None:
        self.app.rank = rank  # type: ignore[attr-defined] # all views know the cursor's rank
        self.map.go(rank)
        self.table.go(rank)
        self.panes.go(rank)

    def on_resize(self) -> None:
        """Lay out for the new size."""
        self.look_now()

    def on_moved(self, event: Moved) -> None:
        """Let all cursors follow."""
        event.stop()
        self._led = -1
        self._go(event.key)

    def on_chose(self, event: Chose) -> None:
        """Choose ranks in all views."""
        event.stop()
        self.choose(event.keys)
        self.look_now()

    async def on_opened(self, event: Opened) -> None:
        """Show the detail of a rank."""
        event.stop()
        self._go(event.key)
        if hasattr(self.app, "action_show"):
            await self.app.run_action("app.show('detail')")

    def action_panes(self) -> None:
        """Show the table, the panes, or both."""
        modes = _MODES if self._fits_both else _MODES[:2]
        self._mode = modes[(modes.index(self.mode) + 1) % len(modes)]
        self._map_mode = "some" if self._map_mode == "all" else self._map_mode
        self.look_now()
        self.focus_main()

    def action_map(self) -> None:
        """Show the map small, large or not at all."""
        self._map_mode = _MAPS[(_MAPS.index(self._map_mode) + 1) % len(_MAPS)]
        self.look_now()
        if self._map_mode == "all":
            self.map.focus()
        elif self._map_mode == "none":
            self.focus_main()

    def action_sort(self, step: int) -> None:
        """Sort by the next column; turn the order round if `step` is 0."""
        self.table.sort(self.table.sort_by + step)

    def action_filter(self) -> None:
        """Ask which ranks are to be shown."""
        line = self.query_one("#filter", Input)
        line.display = True
        line.value = self.filter
        line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while one types."""
        self.filter = event.value
        self.look_now()

    def on_input_submitted(self) -> None:
        """Go back to the table."""
        self.query_one("#filter", Input).display = False
        self.focus_main()

    async def action_look_at(self, section: str) -> None:
        """Look at all brokers at once: what they wait in, or their stacks."""
        await actions.look_at(self.app, section)

    def action_only_chosen(self) -> None:
        """Show only the chosen ranks, or all again."""
        self.only_chosen = not self.only_chosen
        self.look_now()

    def action_clear(self) -> None:
        """End filtering; if there is no filter, choose no ranks."""
        line = self.query_one("#filter", Input)
        if line.display or self.filter or self.only_chosen:
            line.display = False
            self.filter, line.value, self.only_chosen = "", "", False
            self.focus_main()
        else:
            self.choose(frozenset())
        self.look_now()
