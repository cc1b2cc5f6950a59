"""The app: views of a session side by side with the commands that one can give."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.widgets import ContentSwitcher

from fluxstart_tui.tui import actions, diagnosis, launch_actions, palette, signalled, themes
from fluxstart_tui.tui.driver import TerminalDriver
from fluxstart_tui.tui.launch_app import LaunchApp
from fluxstart_tui.tui.screens import help as help_screen
from fluxstart_tui.tui.settings import Settings
from fluxstart_tui.tui.terminal import emulator, room
from fluxstart_tui.tui.views.brokers import BrokersView
from fluxstart_tui.tui.views.detail import DetailView
from fluxstart_tui.tui.views.launch import LaunchView
from fluxstart_tui.tui.views.log import LogView
from fluxstart_tui.tui.views.output import OutputView
from fluxstart_tui.tui.views.pmi import PmiView
from fluxstart_tui.tui.views.terminal import TerminalView
from fluxstart_tui.tui.views.timeline import TimelineView
from fluxstart_tui.tui.views.tree import TreeView
from fluxstart_tui.tui.widgets.findings import FindingsBar
from fluxstart_tui.tui.widgets.header import HeaderBar
from fluxstart_tui.tui.widgets.tabs import Tab, Tabs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.app import ComposeResult, SystemCommand
    from textual.binding import BindingType
    from textual.screen import Screen

    from fluxstart_tui.tui.guard import Guard
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.source import Source
    from fluxstart_tui.tui.view import View

VIEWS: dict[str, type[View]] = {
    "brokers": BrokersView,
    "output": OutputView,
    "pmi": PmiView,
    "tree": TreeView,
    "timeline": TimelineView,
    "log": LogView,
    "terminal": TerminalView,
    "launch": LaunchView,
    "detail": DetailView,
}

_TABS = [
    *(Tab(f"{{app.{name}}}", view.TITLE, f"show('{name}')", name) for name, view in VIEWS.items()),
    Tab("{app.findings}", "Findings", "findings"),
    Tab("{app.help}", "Help", "keys"),
    Tab("{app.quit}", "Quit", "leave"),
]

_FRAME = 1 / 60
"""Seconds between two frames while there is more to read; else the view's pace counts."""

_LONG = 2.0
"""Seconds after which the emulator is loaded though no program runs: the view may be opened."""

_TICK = 0.25
"""Seconds between two frames if nothing happens: what counts down has to."""


class FluxApp(LaunchApp):
    """Shows one source.

    Args:
        source: what there is to see; it has been started.
        environ: what programs that are started from here get; as it was before Textual changed it.
        settings: what the user wants to be otherwise.
        guard: gives the terminal back if we are killed.
    """

    CSS_PATH = "app.tcss"
    TITLE = "fluxstart-tui"
    ENABLE_COMMAND_PALETTE = True
    NOTIFICATION_TIMEOUT = 3  # seconds: meanwhile keys are covered
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"show('{name}')", view.TITLE, id=f"app.{name}")
            for number, (name, view) in enumerate(VIEWS.items(), 1)
            if name != "detail"
        ),
        Binding("d", "show('detail')", "Detail", id="app.detail"),
        Binding("t", "timer", "Exit timer: extend, cancel or kill now", id="app.timer"),
        Binding("s", "signal", "Send a signal to ranks", id="app.signal"),
        Binding("ctrl+t", "terminal", "Terminal of the chosen rank", id="app.rank-terminal"),
        Binding("H", "hold", "Hold or release ranks or the barrier in PMI", id="app.hold"),
        Binding("question_mark", "keys", "Help", id="app.help"),
        # No priority: in the Terminal it is the program's.
        Binding("ctrl+p", "command_palette", "All commands", id="app.palette"),
        Binding("q,ctrl+q", "leave", "Quit", id="app.quit"),
        Binding("ctrl+c", "leave", show=False),  # has no id: a keymap can not take it away
    ]

    def __init__(
        self,
        source: Source,
        environ: Mapping[str, str],
        settings: Settings | None = None,
        guard: Guard | None = None,
    ) -> None:
        # Where there are to be no colours, shades of grey would be some.
        plain = True if "NO_COLOR" in environ else None
        super().__init__(driver_class=TerminalDriver, ansi_color=plain)
        self._environ = environ
        self.guard = guard
        self.settings = settings or Settings()
        self.keymap = self.settings.keymap
        self.set_keymap(self.keymap.for_textual())
        themes.install(self, self.settings.theme)
        self.source = source
        self.model: Model = source.model
        self.chosen: frozenset[int] = frozenset()
        self.rank: int | None = None
        """The rank under the cursor, unless the view that is shown has one of its own."""
        self._views: dict[str, View] = {}
        self._painted = -1
        self._last = 0.0
        self._due = False
        self._ended = False
        self.leaving = False
        """Whether the app is to end as soon as the instance has."""

    def compose(self) -> ComposeResult:
        """Lay out the header, the views, and the keys."""
        yield HeaderBar(self.model)
        yield FindingsBar(self.model)
        yield ContentSwitcher(id="views")
        yield from self.bars()
        yield Tabs(_TABS)

    async def on_mount(self) -> None:
        """Show the first view and begin to follow."""
        signalled.heed(self)
        self.model.poll()
        await self.action_show(launch_actions.first_view(self.model, self.settings.view))
        self.set_interval(_TICK, self._frame)
        self.run_worker(self._prepare_terminals(), exclusive=False)
        if self.source.commands is not None:
            self.run_worker(self._follow(), exclusive=False)
        if self.source.in_memory:
            title = "recorded in memory only"
            self.notify(self.source.in_memory, title=title, severity="warning", markup=False)

    async def _prepare_terminals(self) -> None:
        """Have terminals know their size, and answer, before the view is shown."""
        view = await self._made("terminal")
        self.call_after_refresh(self._fit_terminals)
        await self.source.begun(_LONG)  # a broker's start costs as much; no program asks before
        await asyncio.to_thread(emulator.preload)
        if self.is_running:
            view.look()

    def _fit_terminals(self) -> None:
        # Somebody else's instance may be looked at elsewhere, in a window of another size.
        view = self._views.get("terminal")
        if isinstance(view, TerminalView) and view is not self.view and self.source.owned:
            view.fit(*room.of_view(*self.size))

    def on_resize(self) -> None:
        """Tell terminals that are not shown, too."""
        self.call_after_refresh(self._fit_terminals)

    async def _follow(self) -> None:
        """Paint whenever the engine says that there is more; the timer does if it can not."""
        from fluxstart_tui.rpc.errors import RpcError

        commands = self.source.commands
        assert commands is not None
        try:
            async for _ in commands.stream("start.watch"):
                self.wake()
        except RpcError:
            return

    def wake(self) -> None:
        """Paint a frame soon."""
        if not self._due:
            self._due = True
            view = None if self.model.lines.behind else self.view
            wait = _FRAME if view is None else view.pace
            wait -= asyncio.get_running_loop().time() - self._last
            self.set_timer(max(wait, 0.001), self._frame)

    def _frame(self) -> None:
        self._due = False
        if not self.is_running or not self.query(HeaderBar):
            return  # it is being closed
        self._last = asyncio.get_running_loop().time()
        changed = self.model.poll()
        if not self._ended and self.source.over():
            self._ended = changed = True
            self.model.last_poll()
            actions.after_the_end(self)
        known = diagnosis.of(self.model)
        known.look()
        self.query_one(HeaderBar).look()
        self.query_one(FindingsBar).look()
        self.query_one(Tabs).look(hindered=bool(known.findings))
        view = self.view
        if view is not None and (changed or view.ticks or self.model.version != self._painted):
            self._painted = self.model.version
            view.look()
            if isinstance(view, TerminalView) and not view.launched:
                self.open_shell(view)
        if self.model.lines.behind or known.behind:
            self.wake()

    @property
    def view(self) -> View | None:
        """The view that is shown."""
        name = self.query_one(ContentSwitcher).current
        return self._views.get(name) if name else None

    async def action_show(self, name: str) -> None:
        """Show a view, its cursor on the rank that it was on in the one before."""
        former = self.view
        if former is not None and (former.placed or name == "detail"):
            former.aim()
        view = await self._made(name)
        if isinstance(view, TerminalView) and not view.helpers:
            self.open_shell(view)
        self.query_one(ContentSwitcher).current = name
        self.query_one(Tabs).show(name)
        view.look()
        view.follow()
        view.focus_main()

    async def _made(self, name: str) -> View:
        """Return a view, which is made when it is first wanted."""
        if name not in self._views:
            view = VIEWS[name](self.model, self.source.commands)
            view.id = name
            view.configure(self.settings)
            self._views[name] = view
            await self.query_one(ContentSwitcher).add_content(view)
        return self._views[name]

    async def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        """Do what a tab stands for."""
        await self.run_action(event.action)

    def on_header_bar_timer_menu(self) -> None:
        """Offer what can be done about the exit timer."""
        actions.timer(self)

    async def on_detail_view_launch(self, event: DetailView.Launch) -> None:
        """Run a debugger or a shell in a terminal of its own."""
        view = await self._made("terminal")
        if isinstance(view, TerminalView) and self.run_helper(view, event):
            await self.action_show("terminal")

    async def action_terminal(self) -> None:
        """Show the terminal of the rank under the cursor."""
        if self.view is not None:
            self.view.aim()
        rank = self.rank or 0
        view = await self._made("terminal")
        if isinstance(view, TerminalView) and view.open(rank):
            await self.action_show("terminal")
        else:
            self.notify(f"rank {rank} has no terminal: --pty gives it one", markup=False)

    def action_keys(self) -> None:
        """Show the keys of the view and of the app."""
        help_screen.show(self)

    def action_timer(self) -> None:
        """Do something about the exit timer."""
        actions.timer(self)

    def action_signal(self) -> None:
        """Send a signal to ranks."""
        actions.send_signal(self)

    def action_hold(self) -> None:
        """Hold ranks or the barrier in PMI, or release them."""
        actions.hold(self)

    def action_leave(self) -> None:
        """Quit; ask what becomes of an instance of ours that runs."""
        actions.leave(self)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every view and every command in the palette."""
        yield from palette.commands(self, screen)
        for command in super().get_system_commands(screen):
            if command.title in ("Theme", "Screenshot"):
                yield command
