"""The app as a troubleshooter: findings, reports, and helper programs such as a debugger."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding

from fluxstart_tui.tui import launch_actions, launch_shell
from fluxstart_tui.tui.replay import ReplayApp
from fluxstart_tui.tui.screens.finding import FindingScreen
from fluxstart_tui.tui.terminal import emulator
from fluxstart_tui.tui.views.timeline import TimelineView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.binding import BindingType

    from fluxstart_tui.tui.app import FluxApp
    from fluxstart_tui.tui.views.detail import DetailView
    from fluxstart_tui.tui.views.terminal import TerminalView
    from fluxstart_tui.tui.widgets.findings import FindingsBar
    from fluxstart_tui.tui.widgets.header import HeaderBar


class LaunchApp(ReplayApp):
    """Shows what hinders a launch, and runs programs that look into it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("F", "findings", "What hinders the launch, and what to do", id="app.findings"),
        Binding("P", "phases", "How long each phase took, which rank was last", id="app.phases"),
    ]
    _environ: Mapping[str, str]

    def on_findings_bar_picked(self, event: FindingsBar.Picked) -> None:
        """Show a finding."""
        self.action_findings(event.number)

    def action_findings(self, number: int = 0) -> None:
        """Show what hinders the launch, and what to do."""
        self.push_screen(FindingScreen(cast("FluxApp", self), number))

    async def on_header_bar_picked(self, event: HeaderBar.Picked) -> None:
        """Show who has failed, or a phase's times; who is missing from it is chosen."""
        app = cast("FluxApp", self)
        app.chosen = event.ranks or app.chosen
        if event.name == "failure":
            await app.action_show("brokers")
        else:
            await self.action_phases(event.name)

    async def action_phases(self, name: str = "") -> None:
        """Show how long phases took and which rank was last, with the cursor on one of them."""
        app = cast("FluxApp", self)
        await app.action_show("timeline")
        if isinstance(app.view, TimelineView):
            app.view.show_phases(name)

    def action_save_report(self) -> None:
        """Save a report of the launch."""
        launch_actions.save(cast("FluxApp", self))

    def run_helper(self, view: TerminalView, program: DetailView.Launch) -> bool:
        """Run a program in a terminal of its own; say why if it does not, and return whether."""
        try:
            view.launch(program.title, program.argv, {**self._environ, **program.env})
        except (OSError, emulator.UnavailableError) as error:
            self.notify(f"{program.argv[0]}: {error}", severity="error", markup=False)
            return False
        return True

    def open_shell(self, view: TerminalView) -> None:
        """Run a shell in an instance that waits for one, if there is one."""
        shell = launch_shell.shell(self.model, self._environ)
        if shell is not None:
            self.run_helper(view, shell)
