"""What all views have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget

from fluxstart_tui.diagnose.words import who

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
    def last(self) -> int | None:
        """The rank that the cursor of another view was on; None as long as it was on none."""
        return getattr(self.app, "rank", None)

    @property
    def highlighted(self) -> frozenset[int]:
        """The ranks under the cursor; where a view has no cursor that is where the last one was."""
        return frozenset({self.last or 0})

    @property
    def targets(self) -> frozenset[int]:
        """Whom an action is for: the chosen ranks, or else those under the cursor."""
        return self.chosen or self.highlighted

    @property
    def whom(self) -> str:
        """Whom an action is for, in words for a question."""
        ranks = self.targets
        return f"{'the chosen ' if ranks == self.chosen else ''}{who(ranks)}"

    @property
    def placed(self) -> bool:
        """Whether it has a cursor of its own that is where somebody has put it."""
        return False

    def aim(self) -> None:
        """Have the cursor of other views be where that of this one is."""
        if self.last not in self.highlighted:
            self.app.rank = min(self.highlighted)  # type: ignore[attr-defined] # our app has it

    def follow(self) -> None:
        """Put the cursor on the rank that it was on in another view."""

    @property
    def chosen(self) -> frozenset[int]:
        """The ranks that the user has chosen, shared by all views; empty for none in particular."""
        return getattr(self.app, "chosen", frozenset())

    def choose(self, ranks: frozenset[int]) -> None:
        """Choose ranks in all views."""
        self.app.chosen = ranks  # type: ignore[attr-defined] # our app has it
