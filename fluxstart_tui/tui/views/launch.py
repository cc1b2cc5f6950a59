"""The Launch view: how far all ranks have come, the cause of a stall first, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from fluxstart_tui.tui import diagnosis
from fluxstart_tui.tui.views.launch_rows import CompareSource, MatrixSource
from fluxstart_tui.tui.widgets.page import RowsPage

if TYPE_CHECKING:
    from fluxstart_tui.tui.widgets.source import Source


class LaunchView(RowsPage):
    """Ranks by phase, collapsed to those that differ."""

    TITLE: ClassVar[str] = "Launch"
    ticks = True
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("{rows.choose}, click", "choose the ranks of the row in all views"),
        ("{app.findings}", "what hinders the launch: evidence, what to do, try it"),
        ("{launch.save}", "save a report of the launch (Markdown)"),
        ("{rows.next-mode}", "ranks, or before and after where a launch was tried anew"),
        *RowsPage.KEYS,
    ]
    hints = (("{app.findings}", "why, what to do"), ("{launch.save}", "save report"),
             ("{rows.search}", "search"))  # fmt: skip
    BINDINGS: ClassVar = [
        Binding("S", "app.save_report", "Save a report of the launch", id="launch.save"),
    ]

    def make_sources(self) -> list[Source]:
        """Return the ranks, and the difference to an earlier launch if there was one."""
        matrix = MatrixSource(self.model)
        before = self.model.before
        if before is None:
            return [matrix]
        return [matrix, CompareSource(self.model, before.phases, before.findings)]

    def on_mount(self) -> None:
        """Show the difference first, if there is one."""
        super().on_mount()
        if self.model.before is not None:
            self.go(1)

    def empty(self) -> str:
        """Return what is said if there are no rows."""
        return "no rank has said anything yet, and how many there are to be is not known"

    def look(self) -> None:
        """Take what is new."""
        diagnosis.of(self.model).look()
        super().look()
