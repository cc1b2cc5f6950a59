"""The app: views of a session side by side with the commands that one can give."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import termios
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding
from textual.widgets import ContentSwitcher

from fluxstart_tui.tui import actions
from fluxstart_tui.tui.screens.help import Help
from fluxstart_tui.tui.terminal import emulator
from fluxstart_tui.tui.views.brokers import BrokersView
from fluxstart_tui.tui.views.detail import DetailView
from fluxstart_tui.tui.views.log import LogView
from fluxstart_tui.tui.views.output import OutputView
from fluxstart_tui.tui.views.pmi import PmiView
from fluxstart_tui.tui.views.terminal import TerminalView
from fluxstart_tui.tui.views.timeline import TimelineView
from fluxstart_tui.tui.views.tree import TreeView
from fluxstart_tui.tui.widgets.header import HeaderBar
from fluxstart_tui.tui.widgets.tabs import Tab, Tabs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.app import ComposeResult, SystemCommand
    from textual.binding import BindingType
    from textual.screen import Screen

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
    "detail": DetailView,
}

_TABS = [
    *(
        Tab("d" if name == "detail" else str(number), view.TITLE, f"show('{name}')", name)
        for number, (name, view) in enumerate(VIEWS.items(), 1)
    ),
    Tab("?", "Help", "keys"),
    Tab("q", "Quit", "leave"),
]

_FRAME = 1 / 60
"""Seconds between two frames at the least."""

_TICK = 0.25
"""Seconds between two frames if nothing happens: what counts down has to."""

_KEYS = [
    ("1 ... 7", "views"),
    ("d", "detail of the chosen rank"),
    ("t", "exit timer: extend, cancel, kill now"),
    ("s", "send a signal to ranks"),
    ("H", "hold or release PMI"),
    ("ctrl+p", "all commands"),
    ("q", "quit"),
]
_REPLAY_KEYS = [
    ("space", "play, pause"),
    ("< >", "back, forward 1 s"),
    ("{ }", "to the previous, next event"),
    ("- +", "slower, faster"),
    ("home end", "to the beginning, to the end (in the header)"),
]


class FluxApp(App[int]):
    """Shows one source.

    Args:
        source: what there is to see; it has been started.
        environ: what programs that are started from here get; as it was before Textual changed it.
    """

    CSS_PATH = "app.tcss"
    TITLE = "fluxstart-tui"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"show('{name}')", view.TITLE)
            for number, (name, view) in enumerate(VIEWS.items(), 1)
            if name != "detail"
        ),
        Binding("d", "show('detail')", "Detail"),
        Binding("t", "timer", "Timer", show=False),
        Binding("s", "signal", "Signal", show=False),
        Binding("H", "hold", "Hold", show=False),
        Binding("space", "play", "Play", show=False),
        Binding("less_than_sign", "seek(-1)", show=False),
        Binding("greater_than_sign", "seek(1)", show=False),
        Binding("left_curly_bracket", "step(-1)", show=False),
        Binding("right_curly_bracket", "step(1)", show=False),
        Binding("minus", "speed(-1)", show=False),
        Binding("plus", "speed(1)", show=False),
        Binding("question_mark", "keys", "Help"),
        Binding("q,ctrl+q", "leave", "Quit"),
        Binding("ctrl+c", "leave", show=False, priority=False),
    ]

    def __init__(self, source: Source, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._environ = environ
        self.source = source
        self.model: Model = source.model
        self.chosen: frozenset[int] = frozenset()
        self.rank: int | None = None
        """The rank under the cursor, whichever view it is in."""
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
        yield ContentSwitcher(id="views")
        yield Tabs(_TABS)

    async def on_mount(self) -> None:
        """Show the first view and begin to follow."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(signum, self._end_by, signum)
        self.model.poll()
        await self._show("brokers")
        self.set_interval(_TICK, self._frame)
        self.run_worker(emulator.preload, thread=True, exclusive=False)
        if self.source.commands is not None:
            self.run_worker(self._follow(), exclusive=False)

    def _end_by(self, signum: int) -> None:
        """Restore the terminal, which Textual would leave as it is, and end."""
        try:
            termios.tcgetattr(0)
        except termios.error:  # it is gone, and Textual would wait for it to take what is painted
            os._exit(128 + signum)
        self.exit(128 + signum)

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
            wait = _FRAME - (asyncio.get_running_loop().time() - self._last)
            self.set_timer(max(wait, 0.001), self._frame)

    def _frame(self) -> None:
        self._due = False
        if not self.is_running or not self.query(HeaderBar):
            return  # it is being closed
        self._last = asyncio.get_running_loop().time()
        changed = self.model.poll()
        if self.source.poll() is not None and not self._ended:
            self._ended = True
            changed |= self.model.poll()
            actions.after_the_end(self)
        self.query_one(HeaderBar).look()
        view = self.view
        if view is not None and (changed or view.ticks or self.model.version != self._painted):
            self._painted = self.model.version
            view.look()
        if self.model.lines.behind:
            self.wake()

    @property
    def view(self) -> View | None:
        """The view that is shown."""
        name = self.query_one(ContentSwitcher).current
        return self._views.get(name) if name else None

    async def action_show(self, name: str) -> None:
        """Show a view."""
        await self._show(name)

    async def _show(self, name: str) -> None:
        switcher = self.query_one(ContentSwitcher)
        if name not in self._views:
            view = VIEWS[name](self.model, self.source.commands)
            view.id = name
            self._views[name] = view
            await switcher.add_content(view)
        switcher.current = name
        self.query_one(Tabs).show(name)
        view = self._views[name]
        view.look()
        view.focus_main()

    async def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        """Do what a tab stands for."""
        await self.run_action(event.action)

    async def on_header_bar_picked(self, event: HeaderBar.Picked) -> None:
        """Show the ranks that a phase misses."""
        self.chosen = event.ranks
        await self._show("brokers")

    def on_header_bar_timer_menu(self) -> None:
        """Offer what can be done about the exit timer."""
        actions.timer(self)

    def on_detail_view_launch(self, event: DetailView.Launch) -> None:
        """Give the terminal to a debugger or a shell until that ends."""
        with self.suspend():
            try:
                subprocess.run(event.argv, env={**self._environ, **event.env}, check=False)
            except OSError as error:
                self.notify(f"{event.argv[0]}: {error.strerror}", severity="error", markup=False)
        self.refresh(layout=True)

    def action_keys(self) -> None:
        """Show the keys of the view and of the app."""
        view = self.view
        groups = [(view.TITLE, view.KEYS)] if view is not None else []
        if self.model.replay is not None:
            groups.append(("Replay", _REPLAY_KEYS))
        self.push_screen(Help([*groups, ("Everywhere", _KEYS)]))

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

    def action_play(self) -> None:
        """Play a replay, or pause it."""
        if (clock := self.model.replay) is not None:
            clock.pause() if clock.playing else clock.play()
            self.wake()

    def action_seek(self, seconds: float) -> None:
        """Move in a replay by some seconds."""
        if (clock := self.model.replay) is not None:
            clock.seek(clock.now() + seconds)
            self.wake()

    def action_step(self, direction: int) -> None:
        """Move in a replay to the next event, or to the one before."""
        if (clock := self.model.replay) is not None:
            now = clock.now()
            times = [t for t, _ in self.model.events]
            if direction > 0:
                clock.seek(min((t for t in times if t > now), default=clock.end))
            else:
                clock.seek(max((t for t in times if t < now), default=0.0))
            self.wake()

    def action_speed(self, steps: int) -> None:
        """Play a replay faster or slower."""
        if (clock := self.model.replay) is not None:
            clock.faster(steps)
            self.notify(f"{clock.speed:g} times real time", timeout=1)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every view and every command in the palette."""
        yield from super().get_system_commands(screen)
        yield from actions.palette(self, VIEWS)
