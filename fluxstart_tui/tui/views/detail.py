"""One broker, and what can be done to it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from fluxstart_tui.probe import processes
from fluxstart_tui.tui import keymap
from fluxstart_tui.tui.stacks import Gathering
from fluxstart_tui.tui.view import View
from fluxstart_tui.tui.views import detail_text
from fluxstart_tui.tui.views.broker_actions import ACTIONS
from fluxstart_tui.tui.views.detail_log import LastRecords
from fluxstart_tui.tui.views.detail_text import SECTIONS
from fluxstart_tui.tui.widgets import looks
from fluxstart_tui.tui.widgets.bar import Bar
from fluxstart_tui.tui.widgets.paint import memory, span
from fluxstart_tui.tui.widgets.sheet import Sheet
from fluxstart_tui.tui.widgets.sparkline import History, bars
from fluxstart_tui.tui.widgets.tails import Tails

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.worker import Worker

    from fluxstart_tui.probe.processes import Group
    from fluxstart_tui.tui.commands import Commands
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.widgets.bar import Item
    from fluxstart_tui.tui.widgets.sheet import Row

_AGE = 1.0
"""Seconds for which what the system said of a process is good."""


class DetailView(View):
    """The broker under the cursor; `show(rank)` picks another.

    Args:
        model: the session.
        commands: what can be asked of the instance.
    """

    TITLE = "Detail"
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("{detail.previous-section+} {detail.next-section+}", "previous, next section"),
        ("{detail.previous-rank} {detail.next-rank}", "previous, next rank"),
        ("↑ ↓ {sheet.up} {sheet.down}, PgUp PgDn", "scroll"),
        (
            "{detail.signal}",
            "send a signal to the rank, or to the chosen ones if it is one of them",
        ),
        ("{detail.start}", "start the rank, or end it and start it again"),
        ("{detail.hold}", "hold in PMI, or release"),
        ("{detail.terminal}", "the rank's terminal, if it has one"),
        ("{detail.gdb} {detail.shell}", "attach gdb; a shell in the instance; in Terminal"),
        ("{detail.waits}", "what the threads of all brokers wait in, equal ones together"),
        ("{detail.stacks}", "stacks of all brokers (or the chosen) by gdb, equal ones together"),
        ("{detail.back}", "stop looking at stacks; back to the brokers"),
    ]
    PARTS = (Sheet,)
    ticks = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,shift+tab", "section(-1)", "Previous section", id="detail.previous-section"),
        Binding("right,tab", "section(1)", "Next section", id="detail.next-section"),
        Binding("left_square_bracket", "rank(-1)", "Previous rank", id="detail.previous-rank"),
        Binding("right_square_bracket", "rank(1)", "Next rank", id="detail.next-rank"),
        Binding("escape", "back", "Back", id="detail.back"),
        *(
            Binding(one.key, f"act({at})", one.label.title(), id=f"detail.{one.label}")
            for at, one in enumerate(ACTIONS)
        ),
    ]
    DEFAULT_CSS = "DetailView { layout: vertical; }"

    class Launch(Message):
        """A program is wanted in a terminal of its own: a debugger, a shell."""

        def __init__(self, title: str, argv: list[str], env: Mapping[str, str]) -> None:
            super().__init__()
            self.title = title
            self.argv = argv
            self.env = env
            """What its environment has beyond ours."""

    def __init__(self, model: Model, commands: Commands | None = None) -> None:
        super().__init__(model, commands)
        self.section = 0
        self._tails = Tails(model)
        self._history = History(model)
        self._steps = detail_text.PmiSteps(model)
        self._records = LastRecords(model)
        self._groups: list[Group] | None = None
        self._gathering = False
        self._stacks: Gathering | None = None
        self._looking: Worker[None] | None = None
        self._asked = 0.0
        self._key: object = None
        self.top = Bar()
        self.sections = Bar()
        self.sheet = Sheet()
        self.actions = Bar()

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield self.top
        yield self.sections
        yield self.sheet
        yield self.actions

    @property
    def rank(self) -> int:
        """Whom it shows: the rank under the cursor of all views."""
        rank = getattr(self.app, "rank", None)
        return rank if isinstance(rank, int) and 0 <= rank < max(1, self.model.size) else 0

    @property
    def targets(self) -> frozenset[int]:
        """Whom an action is for: the chosen ranks if this one is among them, else this one."""
        return self.chosen if self.rank in self.chosen else frozenset({self.rank})

    def show(self, rank: int) -> None:
        """Look at a rank."""
        self.app.rank = rank  # type: ignore[attr-defined] # all views know the cursor's rank
        self.sheet.scroll_home(animate=False)
        self.look()

    def focus_main(self) -> None:
        """Give the focus to the text."""
        self.sheet.focus()

    def look(self) -> None:
        """Take what is new in the model and repaint what has changed."""
        model, rank = self.model, self.rank
        self.top.show(self._title())
        self.sections.show([
            (f" {name} ", "strong" if at == self.section else "dim",
             "cursor" if at == self.section else "", f"section:{at}")
            for at, name in enumerate(SECTIONS)
        ] + [("   ", "plain", "", ""), (self._turns, "dim", "", "")])  # fmt: skip
        self.actions.show(self._offers())
        name = SECTIONS[self.section]
        if name == "Overview":
            self._tails.update([rank], detail_text.OUTPUT)
            steps = self._steps.of(rank)
            log = self._records.of(rank)
            self.sheet.show(detail_text.overview(model, rank, self._tails.get(rank), steps, log))
            self._key = None
            return
        # What is asked of the system is asked again once a second.
        now = time.monotonic()
        done = self._stacks and (self._stacks.done, self._stacks.cancelled)
        key = (name, rank, model.state.broker(rank).pid, self._groups, done)
        if key != self._key or now - self._asked >= _AGE:
            self._key, self._asked = key, now
            self.sheet.show(self._section(name, rank))

    @property
    def _turns(self) -> str:
        """The keys that go to other sections and ranks."""
        actions = ("previous-section", "next-section", "previous-rank", "next-rank")
        keys = [keymap.of(self.app).text(f"{{detail.{name}}}") for name in actions]
        return "{} {} part  {} {} rank".format(*keys)

    def _section(self, name: str, rank: int) -> list[Row]:
        model = self.model
        if name == "Process":
            return detail_text.process(model, rank)
        if name == "Environment":
            return detail_text.environment(model, rank)
        if name == "Sockets":
            return detail_text.sockets(model, rank)
        if name == "Attributes":
            return detail_text.attributes(model, rank)
        pids, reason = self._pids()
        if name == "Stacks":
            if self._stacks is None and pids:
                self._stacks = Gathering(pids)
                self._looking = self.run_worker(self._stacks.run(), exclusive=False)
            return detail_text.stacks(self._stacks, reason)
        if self._groups is None and pids:
            self._gather(pids)
        return detail_text.waits(self._groups, "" if pids or self._groups else reason)

    def _title(self) -> list[Item]:
        model, rank = self.model, self.rank
        broker = model.state.broker(rank)
        kind = looks.look(broker)
        since = looks.since(broker)
        ago = "" if since is None else f" for {span(model.now - since)}"
        if broker.exit is not None:
            ago = f" {looks.end(broker)} at {broker.exit_t:.1f} s"
        facts = [model.host(rank)] + ([f"pid {broker.pid}"] if broker.pid > 0 else [])
        items: list[Item] = [
            (f" rank {rank} ", "title", "head", ""),
            (f" {kind.glyph} {looks.word(broker)}", kind.tone, "head", ""),
            (ago, kind.tone if broker.exit is not None else "plain", "head", ""),
            (" · ".join(["", *(fact for fact in facts if fact)]), "dim", "head", ""),
        ]
        usage = broker.usage
        if usage is not None and broker.exit is None:
            self._history.update()
            graph = bars(self._history.cpu(rank), 12).strip()
            text = f" {usage.cpu:.0f}% {memory(usage.rss)} {usage.threads} thr {usage.fds} fds"
            items += [("  " + graph, "info", "head", ""), (text, "plain", "head", "")]
        return [*items, (" " * self.size.width, "plain", "head", "")]

    def _offers(self) -> list[Item]:
        items: list[Item] = []
        for at, action in enumerate(ACTIONS):
            reason = action.reason(self)
            key = keymap.of(self.app).text(f" {{detail.{action.label}}}")
            items.append((key, "faint" if reason else "title", "", f"act:{at}"))
            items.append((f" {action.label} ", "faint" if reason else "plain", "", f"act:{at}"))
        reason = ACTIONS[0].reason(self)
        return [*items, (f"  {reason}" if reason else "", "dim", "", "")]

    def _pids(self) -> tuple[dict[int, int], str]:
        """Return the pids of all that can be looked at, and why others can not."""
        reasons = {
            rank: detail_text.unreadable(self.model, rank) for rank in range(self.model.size)
        }
        state = self.model.state
        wanted = self.chosen or reasons.keys()
        pids = {rank: state.broker(rank).pid for rank in sorted(wanted) if not reasons[rank]}
        return pids, next((reason for reason in reasons.values() if reason), "")

    def look_at(self, section: str) -> None:
        """Show a section; what all brokers wait in and their stacks are looked at anew."""
        self._stop_looking()
        self.section = SECTIONS.index(section)
        self._groups = self._stacks = self._key = None
        self.action_section(0)

    def _stop_looking(self) -> bool:
        """Look at stacks no more; tell whether that was going on."""
        looking, self._looking = self._looking, None
        if looking is None or looking.is_finished:
            return False
        looking.cancel()
        return True

    def _gather(self, pids: dict[int, int]) -> None:
        if self._gathering:
            return
        self._gathering = True

        async def ask() -> None:
            # A thousand brokers have ten thousand threads: half a second.
            self._groups = await asyncio.to_thread(processes.gather, pids)
            self._gathering = False
            self.look()

        self.run_worker(ask(), exclusive=False)

    def launch(self, title: str, argv: list[str], env: Mapping[str, str]) -> None:
        """Ask the app for a program in a terminal."""
        self.post_message(self.Launch(title, argv, env))

    def on_bar_clicked(self, event: Bar.Clicked) -> None:
        """Do what was clicked."""
        what, _, number = event.name.partition(":")
        if what == "section":
            self.section = int(number)
            self.action_section(0)
        elif what == "act":
            self.action_act(int(number))

    def action_section(self, step: int) -> None:
        """Show another section."""
        self.section = (self.section + step) % len(SECTIONS)
        self.sheet.scroll_home(animate=False)
        self.look()

    def action_rank(self, step: int) -> None:
        """Look at the next rank or the one before."""
        self.show((self.rank + step) % max(1, self.model.size))

    def action_act(self, number: int) -> None:
        """Do something to the broker, or say why that can not be done."""
        action = ACTIONS[number]
        reason = action.reason(self)
        if reason:
            self.app.notify(f"{action.label}: {reason}", severity="warning", markup=False)
        else:
            action.run(self)

    async def action_back(self) -> None:
        """Look at stacks no more, or go back to the brokers."""
        if self._stop_looking():
            return
        if hasattr(self.app, "action_show"):
            await self.app.run_action("app.show('brokers')")
