"""Keys: those of the view that is shown, and those that work everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from fluxstart_tui.tui.widgets import looks
from fluxstart_tui.tui.widgets.strip import MARKS

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from fluxstart_tui.tui.keymap import Keymap
    from fluxstart_tui.tui.view import View

EVERYWHERE = [
    (
        "{app.brokers} {app.output} {app.pmi} {app.tree} {app.timeline} {app.log} {app.terminal}",
        "views",
    ),
    ("{app.launch}", "how far the launch of each rank has come"),
    ("{app.detail}", "detail of the chosen rank"),
    ("{app.rank-terminal}", "terminal of the chosen rank, if it has one"),
    ("{app.findings}", "what hinders the launch: evidence, what to do, try it"),
    ("{app.timer}", "exit timer: extend, cancel, kill now"),
    ("{app.signal}", "send a signal to ranks"),
    ("{app.hold}", "hold or release PMI"),
    ("{app.palette}", "all commands"),
    ("{app.quit+}", "quit"),
]
REPLAY = [
    ("{app.play}", "play, pause"),
    ("{app.seek-back} {app.seek-on}", "back, forward 1 s"),
    ("{app.step-back} {app.step-on}", "to the previous, next event"),
    ("{app.slower} {app.faster}", "slower, faster"),
]


LEGEND = [(look.glyph, looks.MEANINGS[name]) for name, look in looks.KINDS.items()] + [
    ("!5", "rank 5 is waited for, or has failed first"),
    ("▲ ▼", "in a title: rows are sorted by that column, upwards or downwards"),
]
"""What signs of ranks mean."""
STRIP = list(MARKS.items())
"""What signs of phases mean."""


class Help(ModalScreen[None]):
    """A list of keys.

    Args:
        view: the one whose keys come first; None for none.
        keymap: puts the keys there.
        replay: whether there is something to play.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "dismiss", "back"),
        Binding("question_mark", "dismiss", "back", id="app.help"),
        Binding("q", "dismiss", "back", id="app.quit"),
    ]

    def __init__(self, view: View | None, keymap: Keymap, *, replay: bool) -> None:
        super().__init__()
        self._keymap = keymap
        self._groups = [(view.TITLE, view.KEYS)] if view is not None else []
        self._groups += [("Replay", REPLAY)] if replay else []
        self._groups.append(("Everywhere", EVERYWHERE))
        self._groups.append(("What a rank does", LEGEND))
        self._groups.append(("Phases in the header, and below them how long they took", STRIP))

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
                shown, what = self._keymap.text(key), self._keymap.text(text)
                table.add_row(Text(shown, style="bold"), Text(what))
        with VerticalScroll(classes="dialog help"):
            yield Static(table)
            yield Static(Text("\nEsc closes this", style="dim"))

    def on_mount(self) -> None:
        """Let keys scroll."""
        self.query_one(VerticalScroll).focus()
