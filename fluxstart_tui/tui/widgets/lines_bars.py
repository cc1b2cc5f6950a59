"""The bars of the Output view: what is shown and how, how much there is, and a question."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

from fluxstart_tui.tui import keymap
from fluxstart_tui.tui.widgets.paint import Painter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType
    from textual.strip import Strip

    from fluxstart_tui.tui.widgets.paint import Part


class Tool(NamedTuple):
    """Something that can be switched by a key or by a click."""

    name: str
    """Of the action, in the keymap's `output`."""
    text: str
    """What it is set to."""
    on: bool
    """Whether it is set to something else than usual."""
    action: str


class LinesTools(Painter):
    """A row of tools; those that are on are marked, and a click does what the key does."""

    DEFAULT_CSS = "LinesTools { height: 1; }"

    class Used(Message):
        """A tool was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self) -> None:
        super().__init__()
        self._tools: Sequence[Tool] = ()
        self._places: list[tuple[int, int, str]] = []

    def show(self, tools: Sequence[Tool]) -> None:
        """Show how tools are set."""
        if tools != self._tools:
            self._tools = tools
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is but one
        """Paint the tools."""
        parts: list[Part] = []
        self._places = []
        at, width = 0, self.size.width
        shown = keymap.of(self.app)
        keys = [shown.text(f"{{output.{tool.name}}}") for tool in self._tools]
        need = sum(len(tool.text) + 3 for tool in self._tools) + sum(map(len, keys))
        gap = " " if need <= width else ""
        for tool, key in zip(self._tools, keys, strict=True):
            mark = "●" if tool.on else " "
            size = len(key) + len(tool.text) + 2
            self._places.append((at, at + size, tool.action))
            text = "info strong" if tool.on else "dim"
            parts += [
                (mark, text),
                (key, "title"),
                (" " + tool.text, text),
                (gap, "plain"),
            ]
            at += size + len(gap)
        return self.row(parts, width, "head")

    def on_click(self, event: events.Click) -> None:
        """Use the tool that was clicked."""
        for begin, end, action in self._places:
            if begin <= event.x < end:
                self.post_message(self.Used(action))


class LinesStatus(Painter):
    """What there is at the left, what is going on at the right."""

    DEFAULT_CSS = "LinesStatus { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._parts: tuple[list[Part], list[Part]] = ([], [])

    class Clicked(Message):
        """What goes on was clicked."""

    def show(self, left: list[Part], right: list[Part]) -> None:
        """Show something at both ends."""
        if (left, right) != self._parts:
            self._parts = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is but one
        """Paint both ends; what there is gives way."""
        left, right = self._parts
        width = self.size.width
        end = self.row(right, sum(len(text) for text, _ in right), "head")
        begin = self.row([(" ", "plain"), *left], max(width - end.cell_length - 1, 0), "head")
        return self.row([], 0, "head").join([begin, end, self.row([], 1, "head")]).crop(0, width)

    def on_click(self, event: events.Click) -> None:
        """Tell that the right end was clicked."""
        if event.x >= self.size.width - sum(len(text) for text, _ in self._parts[1]) - 1:
            self.post_message(self.Clicked())


class Question(Input):
    """A line to type an answer in; it is there only while something is asked.

    Keys that were typed in the same burst as the one that asked are on their way to what had the
    focus then: the app passes them on (typed_ahead.py).
    """

    DEFAULT_CSS = """
    Question { height: 1; border: none; padding: 0 1; display: none; }
    Question.asking { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    class Left(Message):
        """It is not to be answered."""

    def __init__(self) -> None:
        super().__init__(compact=True, select_on_focus=False)
        self.asked = 0.0
        """When it was asked, by the clock of Textual's events."""

    def ask(self, question: str, answer: str) -> None:
        """Ask, and propose an answer."""
        self.placeholder = question
        self.value = answer
        self.cursor_position = len(answer)
        self.add_class("asking")
        self.asked = time.monotonic()
        self.screen.set_focus(self)  # at once, while `focus` would wait for what is queued

    def action_leave(self) -> None:
        """Do not answer."""
        self.post_message(self.Left())
