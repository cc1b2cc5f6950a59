"""The exit timer in words: what it will do, and what would start it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fluxstart_tui.diagnose.words import seconds, who
from fluxstart_tui.session.state import ranks_of
from fluxstart_tui.tui import keymap
from fluxstart_tui.tui.screens.ask import Ask

if TYPE_CHECKING:
    from textual.timer import Timer

    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.view import View

_PERIOD = 0.2
"""Seconds between two looks at how long is left."""


def runs(model: Model) -> bool:
    """Tell whether it counts down."""
    timer = model.state.timer
    known = timer is not None and math.isfinite(timer.deadline) and timer.deadline >= 0
    return known and not model.ended


def told(model: Model) -> str:
    """Say what it will do and why, or what it has done: a sentence a line; "" if it never ran."""
    state, timer = model.state, model.state.timer
    if timer is None:
        return ""
    running = state.ranks(lambda broker: broker.running)
    if timer.action == "fired":
        return f"The exit timer has fired: it has killed {who(ranks_of(timer.ranks) or running)}"
    if timer.action == "cancelled" or not runs(model):
        return "The exit timer does not run any more"
    left = max(0.0, timer.deadline - model.now)
    return f"The exit timer kills {who(running)} in {left:.0f} s\nIt runs since {timer.cause}."


def warning(view: View, ranks: frozenset[int]) -> str:
    """Say that it begins when some ranks end, as flux-start's does; "" if it does not."""
    model, key = view.model, keymap.of(view.app).text("{app.timer}")
    timeout = model.header.get("exit_timeout")
    state = model.state
    others = state.ranks(lambda broker: broker.running) - ranks
    spared = model.header.get("exit_mode") == "leader" and 0 not in ranks
    cancelled = state.timer is not None and state.timer.action == "cancelled"
    lacking = any(broker.exit is not None for broker in state.brokers.values())
    if not isinstance(timeout, int | float) or not others or spared or (cancelled and lacking):
        return ""
    if runs(model):
        return f"The exit timer runs already; {key} extends or cancels it."
    after = seconds(timeout).replace(".0 s", " s")
    kills = f"That starts the exit timer: it kills {who(others, 24)} {after} later."
    return f"{kills} {key} extends or cancels it."


class TimerMenu(Ask):
    """Asks what to do about it while it counts down, and says so when it has fired.

    Args:
        model: the session.
        answers: key and text of each answer.
    """

    def __init__(self, model: Model, answers: list[tuple[str, str]]) -> None:
        super().__init__(told(model), answers)
        self._model = model
        self._ticks: Timer | None = None

    @property
    def lasting(self) -> bool:
        """Whether it has something to say when the instance is over."""
        timer = self._model.state.timer
        return timer is not None and timer.action == "fired"

    def on_mount(self) -> None:
        """Go on counting."""
        super().on_mount()
        self._ticks = self.set_interval(_PERIOD, self._look)

    def _look(self) -> None:
        self.say(told(self._model))
        if not runs(self._model) and self._ticks is not None:
            self._ticks.stop()
            self.query("Button").remove()
