"""How a broker's state is shown, and who is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxstart_tui.tui.widgets import looks

if TYPE_CHECKING:
    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.tui.model import Model

_STYLES = {
    "good": "green", "info": "cyan", "warn": "bold yellow", "bad": "bold red", "dim": "dim",
    "faint": "bold yellow",
}  # fmt: skip
"""A style for each tone of a look, as rows of text have them."""


def look(broker: BrokerState) -> tuple[str, str, str]:
    """Return glyph, name and style of what a rank does."""
    kind = looks.look(broker)
    return kind.glyph, looks.word(broker), _STYLES[kind.tone]


def missing(model: Model) -> frozenset[int]:
    """Return the ranks that the others wait for, or that were lost."""
    state = model.state
    bad = state.ranks(lambda one: one.exit is not None and bool(one.exit.code or one.exit.signum))
    if state.end is not None or bad:
        return bad
    if state.online or state.broker(0).state in ("quorum", "run"):
        here = {rank for rank, one in state.brokers.items() if one.state in ("quorum", "run")}
        if state.broker(0).state in ("quorum", "run"):
            return frozenset(range(state.size)) - state.online - here
        return frozenset()
    for phase in model.phases:
        if phase.name not in ("exit", "cleanup", "shutdown") and 0 < phase.k < phase.total:
            return phase.missing
    return frozenset()


def alarm(broker: BrokerState) -> str:
    """Return the colour for a missing rank: one that is on its way is no failure."""
    halted = broker.exit is not None or broker.suspended is not None
    lost = halted or broker.overlay in ("lost", "offline")
    return "red" if lost else "yellow"
