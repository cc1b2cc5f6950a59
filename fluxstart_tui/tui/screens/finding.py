"""What hinders a launch, one finding at a time: the lines that tell, and what to do about it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen

from fluxstart_tui.diagnose.launch.finding import suspended
from fluxstart_tui.diagnose.words import printable
from fluxstart_tui.report.diagnosis import place, see, shown
from fluxstart_tui.tui import actions, diagnosis, exit_timer, keymap, launch_actions
from fluxstart_tui.tui.widgets.bar import Bar
from fluxstart_tui.tui.widgets.sheet import Sheet, heading, note

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from fluxstart_tui.tui.app import FluxApp
    from fluxstart_tui.tui.diagnosis import Shown
    from fluxstart_tui.tui.widgets.bar import Item
    from fluxstart_tui.tui.widgets.sheet import Row

_PERIOD = 0.5
_REMEDY = 4000
_ROWS = 2
"""Rows of a line that is shown as evidence."""
_KEYS = (
    ("1", "copy a command", "copy(1)"),
    ("{finding.try}", "try it", "try_it"),
    ("{finding.continue}", "continue it (SIGCONT)", "resume"),
    ("{finding.save}", "save report", "save"),
    ("{finding.ranks}", "choose its ranks", "ranks"),
    ("{finding.timer}", "exit timer", "timer"),
    ("Esc", "back", "dismiss"),
)


class FindingScreen(ModalScreen[None]):
    """Shows findings.

    Args:
        app: ours.
        number: which finding comes first, from 0.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,F", "dismiss", "Back", id="finding.back"),
        Binding("left,p", "turn(-1)", "Previous finding", id="finding.previous"),
        Binding("right,n", "turn(1)", "Next finding", id="finding.next"),
        Binding("r", "try_it", "Run it anew, changed like that", id="finding.try"),
        Binding("c", "resume", "Send SIGCONT to ranks that are stopped", id="finding.continue"),
        Binding("S", "save", "Save a report", id="finding.save"),
        Binding("t", "timer", "Exit timer: extend, cancel or kill now", id="finding.timer"),
        Binding("x", "ranks", "Choose its ranks", id="finding.ranks"),
    ]
    DEFAULT_CSS = """
    FindingScreen { align: center middle; background: $background 60%; }
    FindingScreen > Vertical { width: 96%; max-width: 120; height: 90%; background: $surface;
        border: round $accent; }
    """

    def __init__(self, app: FluxApp, number: int = 0) -> None:
        super().__init__()
        self._ours = app
        self._number = number
        self._sheet = Sheet()
        self._bar = Bar()

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield self._sheet
            yield self._bar

    def on_mount(self) -> None:
        """Show it, and go on while it lasts."""
        self._sheet.focus()
        self.look()
        self.set_interval(_PERIOD, self.look)
        self.call_after_refresh(self.look)

    @property
    def _found(self) -> list[Shown]:
        return diagnosis.of(self._ours.model).findings

    @property
    def _one(self) -> Shown | None:
        found = self._found
        self._number = max(0, min(self._number, len(found) - 1))
        return found[self._number] if found else None

    @property
    def _stopped(self) -> frozenset[int]:
        """The ranks of the finding that a signal has stopped, if they take one from here."""
        one = self._one
        if one is None or self._ours.source.commands is None or self._ours.model.ended:
            return frozenset()
        return frozenset(suspended(diagnosis.of(self._ours.model).launch, one.finding.ranks))

    def look(self) -> None:
        """Take what is new."""
        one = self._one
        model = self._ours.model
        rows = note("nothing hinders the instance now") if one is None else self._rows(one)
        if exit_timer.runs(model):
            head = [((f" {line}", "alarm"),) for line in exit_timer.told(model).split("\n")]
            key = keymap.of(self._ours).text("{finding.timer}")
            rows = [*head, ((f" {key} extends or cancels it, or kills now", "info"),), (), *rows]
        self._sheet.show(rows)
        self._bar.show(self._items(one))

    def _items(self, one: Shown | None) -> list[Item]:
        keys = keymap.of(self._ours)
        items: list[Item] = []
        count = len(self._found)
        if count > 1:
            items.append((f" ← → {self._number + 1} of {count}  ", "title", "", "turn(1)"))
        for key, text, action in _KEYS:
            if action == "timer":
                if not exit_timer.runs(self._ours.model):
                    continue
            elif one is None and action != "dismiss":
                continue
            if action == "copy(1)" and not (one and one.finding.remedies):
                continue
            if action == "try_it" and not (one and launch_actions.reruns(self._ours, one.finding)):
                continue
            if action == "resume" and not self._stopped:
                continue
            written = keys.text(key)
            if action == "copy(1)" and one and len(one.finding.remedies) > 1:
                written += f"-{min(9, len(one.finding.remedies))}"
            items += [(f" {written}", "title", "", action), (f" {text} ", "dim", "", action)]
        return items

    def _rows(self, shown_: Shown) -> list[Row]:
        model = self._ours.model
        one = shown_.finding
        when = f" {one.confidence}, {shown_.when(model)}, rule {one.id} in docs/troubleshooting.md"
        rows: list[Row] = []
        room = max(20, self._sheet.size.width - 2)
        sentence = textwrap.wrap(printable(one.sentence, 1000), room)
        rows += [((f" {text}", "strong"),) for text in sentence]
        rows.append(((when, "dim"),))
        if one.evidence:
            rows += heading("the lines that tell")
            log = launch_actions.log(model)
            for line in one.evidence:
                head = f"   {place(line, log)} "
                text = shown(line)[: _ROWS * max(20, room - len(head))]
                rows.append(((head, "dim"), (text, "plain")))
        if one.remedies:
            rows += heading("what to do")
            can = {text for text, _ in launch_actions.reruns(self._ours, one)}
            for number, remedy in enumerate(one.remedies, 1):
                command, mark, comment = remedy.partition("   #")
                rows.append(((f"  {number} ", "title"), (printable(command, _REMEDY), "good")))
                if mark:
                    rows.append((("    ", "plain"), (f"#{printable(comment, 400)}", "dim")))
                if remedy in can:
                    key = keymap.of(self._ours).text("{finding.try}")
                    rows.append((("    ", "plain"), (f"{key} runs it anew like that", "info")))
        if one.tip:
            rows += [(), ((" ", "plain"), (see(one.tip), "dim"))]
        return rows

    def on_key(self, event: events.Key) -> None:
        """Copy the command that has the number."""
        if event.key.isdecimal():
            event.stop()
            self.action_copy(int(event.key))

    def action_turn(self, step: int) -> None:
        """Show the next finding, or the one before."""
        self._number = (self._number + step) % max(1, len(self._found))
        self._sheet.scroll_home(animate=False)
        self.look()

    def action_copy(self, number: int) -> None:
        """Copy a command."""
        one = self._one
        if one is not None and 0 < number <= len(one.finding.remedies):
            launch_actions.copy(self._ours, one.finding.remedies[number - 1].partition("   #")[0])

    def action_try_it(self) -> None:
        """Run the launch anew, changed as the finding proposes."""
        if (one := self._one) is not None:
            launch_actions.try_it(self._ours, one.finding)

    def action_resume(self) -> None:
        """Let those of its ranks go on that a signal has stopped."""
        if self._stopped:
            actions.resume(self._ours, self._stopped)

    def action_timer(self) -> None:
        """Do something about the exit timer."""
        actions.timer(self._ours)

    def action_save(self) -> None:
        """Save a report."""
        launch_actions.save(self._ours)

    def action_ranks(self) -> None:
        """Choose the ranks that are the cause, in all views."""
        if (one := self._one) is not None:
            self._ours.chosen = one.finding.ranks
            self.dismiss()

    async def on_bar_clicked(self, event: Bar.Clicked) -> None:
        """Do what was clicked."""
        await self.run_action(event.name)
