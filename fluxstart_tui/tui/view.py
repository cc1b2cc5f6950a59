"""What all views have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget

if TYPE_CHECKING:
    from fluxstart_tui.tui.commands import Commands
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.settings import Settings


class View(Widget, can_focus=False):
    """One way to look at an instance.

    The app calls `look` once a frame on the view that is shown, and only if the model has changed,
    its time matters (`ticks`) or the view was just shown.

    Args:
        model: what there is to see.
        commands: what can be asked of the instance; None if nothing can (a recorded one).
    """

    TITLE: ClassVar[str] = ""
    KEYS: ClassVar[list[tuple[str, str]]] = []
    """Keys of this view, as keymap.Keymap.text takes them, and what they do, for the help."""
    PARTS: ClassVar[tuple[type[Widget], ...]] = ()
    """The widgets in it that have keys of their own."""
    ticks: ClassVar[bool] = False
    """Whether what it shows changes with time alone."""
    pace: ClassVar[float] = 1 / 30
    """Seconds between two frames at the least: nobody reads faster, and keys come in between."""

    def __init__(self, model: Model, commands: Commands | None = None) -> None:
        super().__init__()
        self.model = model
        self.commands = commands

    def configure(self, settings: Settings) -> None:
        """Take over what the user wants, before it is shown for the first time."""

    def look(self) -> None:
        """Take what is new in the model and repaint what has changed."""

    def focus_main(self) -> None:
        """Give the focus to what one would use first."""

    @property
    def chosen(self) -> frozenset[int]:
        """The ranks that the user has chosen, shared by all views; empty for none in particular."""
        return getattr(self.app, "chosen", frozenset())

    def choose(self, ranks: frozenset[int]) -> None:
        """Choose ranks in all views."""
        self.app.chosen = ranks  # type: ignore[attr-defined] # our app has it
