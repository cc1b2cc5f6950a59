"""Keys: those of the view that is shown, and those that work everywhere; each works here, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from fluxstart_tui.tui import keymap
from fluxstart_tui.tui.widgets import looks
from fluxstart_tui.tui.widgets.strip import MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from fluxstart_tui.tui.app import FluxApp
    from fluxstart_tui.tui.keymap import Keymap
    from fluxstart_tui.tui.view import View

EVERYWHERE = [
    (
        "{app.brokers} {app.output} {app.pmi} {app.tree} {app.timeline} {app.log} {app.terminal}",
        "views",
    ),
    ("{app.launch}", "how far the launch of each rank has come"),
    ("{app.detail}", "detail of the chosen rank"),
    ("{app.phases}, click on a phase", "how long each phase took, and which rank was last"),
    ("{app.rank-terminal}", "terminal of the chosen rank, if it has one"),
    ("{app.findings}", "what hinders the launch: evidence, what to do, try it"),
    ("{app.timer}", "exit timer: extend, cancel, kill now"),
    ("{app.signal}", "send a signal to ranks"),
    ("{app.hold}", "hold or release PMI"),
    ("{app.palette}", "all commands"),
    ("{app.help}", "this help"),
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
_MOVES = frozenset((
    "up", "down", "left", "right", "pageup", "pagedown", "home", "end", "tab", "shift+tab",
))  # fmt: skip
"""Keys that move in a view, and here: they and what is the same do not leave the help."""


class Help(ModalScreen[Key | None]):
    """A list of keys; the result is the key that was pressed to do what it says, if any.

    Args:
        view: the one whose keys come first; None for none.
        keys: puts the keys there.
        active: keys that do something in the view as it is.
        replay: whether there is something to play.
        legend: whether the end is shown first: what signs mean.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "dismiss(None)", "back"),
        Binding("question_mark", "dismiss(None)", "back", id="app.help"),
        Binding("q", "dismiss(None)", "back", id="app.quit"),
    ]

    def __init__(
        self, view: View | None, keys: Keymap, active: Iterable[Binding], *, replay: bool,
        legend: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self._legend = legend
        self._keymap = keys
        self._active = {one.key: one for one in active}
        everywhere = [*(REPLAY if replay else []), *EVERYWHERE]
        own = view.KEYS if view is not None else []
        rest = list(self._rest([*own, *everywhere]))
        self._groups = [(view.TITLE, [*own, *rest])] if view is not None else []
        self._groups += [("Replay", REPLAY)] if replay else []
        self._groups.append(("Everywhere", EVERYWHERE))
        self._groups.append(("What a rank does", LEGEND))
        self._groups.append(
            ("Phases in the header; took: from the first rank in to the last out", STRIP)
        )

    def _rest(self, told: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield what else is a key now: other actions, and further keys of what is told."""
        known = {key for pair in told for text in pair for key in self._keymap.told(text)}
        other: dict[str, str] = {}
        further: dict[str, str] = {}
        for key, one in self._active.items():
            first = self._keymap.keys(one.id or "")[0]
            if key not in known and (first == key or first not in {*known, *self._active}):
                other[keymap.written(key)] = one.description.lower()
            elif key not in known:
                further[keymap.written(key)] = keymap.written(first)
        if other:
            yield " ".join(other), ", ".join(other.values())
        if further:
            yield " ".join(further), f"as {' '.join(further.values())}"

    def compose(self) -> ComposeResult:
        """Lay it out."""
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", no_wrap=True)
        table.add_column()
        for title, keys in self._groups:
            if table.row_count:
                table.add_row()
            table.add_row("", Text.assemble((title, "bold underline")))
            for key, text in keys:
                shown, what = self._keymap.text(key), self._keymap.text(text)
                table.add_row(Text(shown, style="bold"), Text(what))
        with VerticalScroll(classes="dialog help") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = (
                "a key that is listed does it · ↑ ↓ scroll · End: signs · Esc closes"
            )
            yield Static(table)

    def on_mount(self) -> None:
        """Let keys scroll."""
        scroll = self.query_one(VerticalScroll)
        scroll.focus()
        if self._legend:
            self.call_after_refresh(scroll.scroll_end, animate=False)

    def on_key(self, event: Key) -> None:
        """Leave for what the key does."""
        one = self._active.get(event.key)
        own = event.key in self._bindings.key_to_bindings
        if one is not None and not own and self._keymap.keys(one.id or "")[0] not in _MOVES:
            event.stop()
            event.prevent_default()
            self.dismiss(event)


def show(app: FluxApp, *, legend: bool = False) -> None:
    """Show the keys of the view and of the app, or signs first, and do what a key does."""
    known = keymap.defaults()
    active = [one.binding for one in app.screen.active_bindings.values() if one.enabled]

    def pressed(event: Key | None) -> None:
        if event is not None:
            app.post_message(Key(event.key, event.character))

    keys = [one for one in active if one.id in known]
    replay = app.model.replay is not None
    app.push_screen(Help(app.view, app.keymap, keys, replay=replay, legend=legend), pressed)
