"""A question over the views: one of a few answers, by key, mouse or Enter."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

_FRAME = 6
"""Cells of a dialog beside what is in it: border and padding, on both sides."""
_BUTTON, _GAP = 10, 2
"""Cells of a button at the least, and between two (app.tcss)."""
_BACK = "Esc: back"


class Ask(ModalScreen[str | None]):
    """Ask one question; the result is the key of the answer, None if there is none.

    Args:
        question: what is asked; the first line is the question, more explain it.
        answers: key and text of each answer; the first one has the focus.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "dismiss(None)", "back"),
        ("left", "app.focus_previous", ""),
        ("right", "app.focus_next", ""),
    ]

    def __init__(self, question: str, answers: list[tuple[str, str]]) -> None:
        super().__init__()
        self._question = question
        self._answers = answers

    @property
    def lasting(self) -> bool:
        """Whether it has something to say when the instance is over."""
        return False

    def compose(self) -> ComposeResult:
        """Lay it out."""
        title, _, more = self._question.partition("\n")
        with Vertical(classes="dialog") as dialog:
            dialog.border_subtitle = _BACK
            yield Static(Text(title, style="bold"), classes="title")
            if more:
                yield Static(Text(more), classes="more")
            for row in _rows(self._answers, self.app.size.width * 9 // 10 - _FRAME):
                with Horizontal(classes="buttons"):
                    for key, text in row:
                        label = Text.assemble((key, "bold underline"), " ", text)
                        yield Button(label, id=f"answer-{key}")

    def say(self, question: str) -> None:
        """Ask something else, with the same answers; it explains no more than the first did."""
        self._question = question
        for name, text in zip(("title", "more"), question.split("\n", 1), strict=False):
            for one in self.query(f".{name}").results(Static):
                one.update(Text(text, style="bold" * (name == "title")))

    def on_mount(self) -> None:
        """Let Enter take the first answer."""
        self.query(Button).first().focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the answer that was clicked."""
        self.dismiss((event.button.id or "").removeprefix("answer-"))

    def on_key(self, event: events.Key) -> None:
        """Take the answer whose key was pressed."""
        if event.character and any(key == event.character for key, _ in self._answers):
            event.stop()
            self.dismiss(event.character)


def _rows(answers: list[tuple[str, str]], width: int) -> list[list[tuple[str, str]]]:
    """Return the answers in rows of as many buttons as fit into a width, about equally many."""
    sizes = [max(_BUTTON, len(key) + len(text) + 3) + _GAP for key, text in answers]
    count = len(answers)
    fits = (
        per for per in range(count, 1, -1)
        if all(sum(sizes[at : at + per]) <= width for at in range(0, count, per))
    )  # fmt: skip
    most = next(fits, 1)
    per = -(-count // -(-count // most))
    return [answers[at : at + per] for at in range(0, count, per)]


class Prompt(ModalScreen[str | None]):
    """Ask for one line; None if there is none.

    Args:
        question: what is asked.
        text: what is there already.
        hint: what could be typed, told above the line.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "back")]

    def __init__(self, question: str, text: str = "", hint: str = "") -> None:
        super().__init__()
        self._question = question
        self._text = text
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_subtitle = _BACK
            yield Static(Text(self._question, style="bold"))
            if self._hint:
                yield Static(Text(self._hint), classes="more")
            yield Input(self._text)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the line."""
        self.dismiss(event.value)
