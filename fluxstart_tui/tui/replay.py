"""The app as a player: what its keys do while it shows a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from fluxstart_tui.tui.typed_ahead import TypedAheadApp
from fluxstart_tui.tui.widgets.replay_bar import ReplayBar

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from fluxstart_tui.tui.model import Model


class ReplayApp(TypedAheadApp):
    """Plays the model's record, if it is one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "Play or pause", id="app.play"),
        Binding("less_than_sign", "seek(-1)", "Back 1 s", id="app.seek-back"),
        Binding("greater_than_sign", "seek(1)", "Forward 1 s", id="app.seek-on"),
        Binding("left_curly_bracket", "step(-1)", "To the previous event", id="app.step-back"),
        Binding("right_curly_bracket", "step(1)", "To the next event", id="app.step-on"),
        Binding("left_parenthesis", "speed(-1)", "Play slower", id="app.slower"),
        Binding("right_parenthesis", "speed(1)", "Play faster", id="app.faster"),
    ]
    model: Model

    def wake(self) -> None:
        """Paint a frame soon."""
        raise NotImplementedError

    def bars(self) -> ComposeResult:
        """Show the time and the keys where there is something to play."""
        if self.model.replay is not None:
            yield ReplayBar(self.model)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what plays only where there is something to play."""
        if action in ("play", "seek", "step", "speed") and self.model.replay is None:
            return False
        return super().check_action(action, parameters)

    def action_play(self) -> None:
        """Play a replay, or pause it."""
        if (clock := self.model.replay) is not None:
            clock.pause() if clock.playing else clock.play()
            self.wake()

    def action_seek(self, seconds: float) -> None:
        """Move in a replay by some seconds."""
        if (clock := self.model.replay) is not None:
            clock.seek(clock.now() + seconds)
            self.wake()

    def action_step(self, direction: int) -> None:
        """Move in a replay to the next event, or to the one before."""
        if (clock := self.model.replay) is not None:
            found = self.query_one(ReplayBar).moments.next(clock.now(), direction)
            clock.seek((clock.end if direction > 0 else 0.0) if found is None else found)
            self.wake()

    def action_speed(self, steps: int) -> None:
        """Play a replay faster or slower."""
        if (clock := self.model.replay) is not None:
            clock.faster(steps)
            self.wake()
