"""All terminals: those of ranks, and those of helper programs such as a debugger."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.tui.terminal import emulator, room, switch
from fluxstart_tui.tui.terminal.program import Program
from fluxstart_tui.tui.terminal.screen import ProgramScreen, TerminalScreen
from fluxstart_tui.tui.terminal.switch import Label
from fluxstart_tui.tui.terminal.typist import Typist
from fluxstart_tui.tui.view import View
from fluxstart_tui.tui.widgets import looks
from fluxstart_tui.tui.widgets.bar import Bar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from fluxstart_tui.tui.commands import Commands
    from fluxstart_tui.tui.model import Model


class TerminalView(View):
    """Shows one terminal at a time, below a line of all if there are several.

    A terminal gets its emulator when it is first shown; all have the size that they are shown with.

    Args:
        model: what there is to see.
        commands: takes input and size; None for a recorded instance.
    """

    TITLE: ClassVar[str] = "Terminal"
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("{terminal.type}, click", "keys go to the program"),
        ("{terminal.leave}", "leave: keys go to fluxstart-tui again"),
        ("{terminal.previous} {terminal.next}", "after that: the previous, the next terminal"),
        ("shift+PgUp/PgDn, wheel", "scroll back (shift+Home, shift+End: all the way)"),
        ("drag, shift+drag", "select and copy (by shift if the program has the mouse)"),
        ("double, triple click", "select and copy a word, a line"),
        ("{terminal.hand-over}", "after that: hand over the real terminal until ctrl+]"),
        ("{terminal.continue}", "after that: SIGCONT to a program that is stopped"),
        ("{terminal.close}", "close the tab of a helper program that has ended"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "capture", "Type", id="terminal.type"),
        Binding("ctrl+right_square_bracket", "leave", "Leave, or type", id="terminal.leave"),
        Binding("left_square_bracket", "turn(-1)", "Previous terminal", id="terminal.previous"),
        Binding("right_square_bracket", "turn(1)", "Next terminal", id="terminal.next"),
        Binding("o", "hand_over", "Hand over the real terminal", id="terminal.hand-over"),
        Binding("c", "continue", "Continue a stopped program", id="terminal.continue"),
        Binding("x", "close", "Close an ended helper program", id="terminal.close"),
    ]
    ticks: ClassVar[bool] = True
    pace: ClassVar[float] = 1 / 60
    DEFAULT_CSS = "TerminalView { layout: vertical; }"

    def __init__(self, model: Model, commands: Commands | None = None) -> None:
        super().__init__(model, commands)
        ranks = model.terminals or (0,)
        self._typists: dict[int, Typist] = {}
        if commands is not None:
            self._typists = {rank: Typist(commands, rank=rank) for rank in model.terminals}
        self._screens: dict[str, TerminalScreen] = {}
        self._makers: dict[str, Callable[[], TerminalScreen]] = {
            f"rank-{rank}": partial(self._screen_of, rank) for rank in ranks
        }
        """What makes the screen of each terminal, by its name, in order."""
        self._current = next(iter(self._makers))
        self._launched = 0
        self._bar = Bar()

    def _screen_of(self, rank: int) -> TerminalScreen:
        return TerminalScreen(self.model, rank, self._typists.get(rank))

    def compose(self) -> ComposeResult:
        """Lay out the line; terminals come when they are shown."""
        self._bar.display = len(self._makers) > 1
        yield self._bar

    def on_unmount(self) -> None:
        """Send nothing any more."""
        for typist in self._typists.values():
            typist.close()

    def front(self) -> TerminalScreen:
        """Return the terminal in front, which is made when it is first wanted."""
        screen = self._screens.get(self._current)
        if screen is None:
            screen = self._screens[self._current] = self._makers[self._current]()
            self.mount(screen)
        return screen

    def look(self) -> None:
        """Take what is new and repaint what has changed."""
        self._bar.display = len(self._makers) > 1
        self._bar.show(switch.items(self._labels(), self._current, self.size.width))
        self.front().look()

    def _labels(self) -> list[Label]:
        return [self._label(name) for name in self._makers]

    def _label(self, name: str) -> Label:
        screen = self._screens.get(name)
        if isinstance(screen, ProgramScreen):
            glyph, tone = ("✓", "dim") if screen.program.ended else ("$", "plain")
            return Label(f"{glyph} {screen.label}", tone, name)
        rank = int(name.removeprefix("rank-"))
        look = looks.look(self.model.state.broker(rank))
        return Label(f"{look.glyph} {rank}", look.tone, name)

    def focus_main(self) -> None:
        """Have keys go to the program."""
        front = self.front()
        front.focus()
        front.capture(captured=True)

    def show(self, name: str) -> None:
        """Bring a terminal to the front."""
        self._current = name
        front = self.front()
        for screen in self._screens.values():
            screen.display = screen is front
        front.focus()
        self.look()

    def open(self, rank: int) -> bool:
        """Bring a rank's terminal to the front; tell whether it has one."""
        if rank in self.model.terminals:
            self.show(f"rank-{rank}")
        return rank in self.model.terminals

    def launch(self, title: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Run a helper program in a terminal of its own, and bring that to the front.

        Raises:
            OSError: it can not be started.
            UnavailableError: there is no emulator.
        """
        emulator.create(emulator.COLUMNS_MIN, emulator.ROWS_MIN)
        program = Program(argv, env)
        self._launched += 1
        name = f"program-{self._launched}"
        self._makers[name] = partial(ProgramScreen, self.model, title, program)
        self.show(name)

    @property
    def launched(self) -> int:
        """How many helper programs have been started."""
        return self._launched

    @property
    def helpers(self) -> bool:
        """Whether there is a terminal of a helper program."""
        return any(name.startswith("program-") for name in self._makers)

    def on_resize(self) -> None:
        """Give all terminals our size."""
        if self.size.width and self.size.height:
            self.fit(*self.size)

    def fit(self, columns: int, rows: int) -> None:
        """Give all terminals the size that they have in a view of so many columns and rows."""
        size = room.in_view(columns, rows, len(self._makers))
        if size is None:
            return
        for screen in self._screens.values():
            screen.fit(*size)
        for rank, typist in self._typists.items():
            if f"rank-{rank}" not in self._screens:
                typist.resize(*size)

    def on_bar_clicked(self, event: Bar.Clicked) -> None:
        """Bring the terminal that was clicked to the front."""
        steps = {switch.PREVIOUS: -1, switch.NEXT: 1}
        if event.name in steps:
            self.action_turn(steps[event.name])
        else:
            self.show(event.name)

    def action_capture(self) -> None:
        """Have keys go to the program."""
        self.front().capture(captured=True)

    def action_leave(self) -> None:
        """Have keys go to the app again; from there, to the program."""
        front = self.front()
        front.capture(captured=not front.captured)

    def action_turn(self, step: int) -> None:
        """Bring the next terminal to the front, or the one before."""
        names = list(self._makers)
        self.show(names[(names.index(self._current) + step) % len(names)])

    async def action_hand_over(self) -> None:
        """Give the program the real terminal until ctrl+] is typed there."""
        await self.front().hand_over()

    async def action_continue(self) -> None:
        """Continue the program if it is stopped."""
        front = self.front()
        if self.commands is None or isinstance(front, ProgramScreen):
            return
        try:
            await self.commands.call("start.continue", {"rank": front.rank})
        except RpcError as error:
            self.app.notify(str(error), severity="error", markup=False)
        else:
            self.app.notify("the program goes on")

    async def action_close(self) -> None:
        """Close the tab of a helper program that has ended."""
        screen, name = self.front(), self._current
        if isinstance(screen, ProgramScreen) and screen.program.ended:
            self.action_turn(-1)
            del self._makers[name], self._screens[name]
            await screen.remove()
            self.look()
        else:
            self.app.notify("only the tab of a helper program that has ended can be closed")
