"""Keys: those of the view that is shown, and those that work everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class Help(ModalScreen[None]):
    """A list of keys.

    Args:
        groups: titles, and keys with what they do.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "dismiss", "back"),
        ("question_mark", "dismiss", "back"),
        ("q", "dismiss", "back"),
    ]

    def __init__(self, groups: list[tuple[str, list[tuple[str, str]]]]) -> None:
        super().__init__()
        self._groups = groups

    def compose(self) -> ComposeResult:
        """Lay it out."""
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", no_wrap=True)
        table.add_column()
        for title, keys in self._groups:
            if table.row_count:
                table.add_row()
            table.add_row("", Text(title, style="bold underline"))
            for key, text in keys:
                table.add_row(Text(key, style="bold"), Text(text))
        with VerticalScroll(classes="dialog help"):
            yield Static(table)
            yield Static(Text("\nEsc closes this", style="dim"))

    def on_mount(self) -> None:
        """Let keys scroll."""
        self.query_one(VerticalScroll).focus()
