"""How a broker's state is shown, and who is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluxstart_tui.session.state import BrokerState
    from fluxstart_tui.tui.model import Model

STATE_STYLES = {
    "run": ("●", "green"), "quorum": ("◐", "cyan"), "init": ("◔", "yellow"),
    "join": ("○", "yellow"), "config-sync": ("○", "yellow"), "load-builtins": ("○", "yellow"),
    "cleanup": ("◕", "magenta"), "shutdown": ("◑", "magenta"), "finalize": ("◔", "magenta"),
    "goodbye": ("◌", "magenta"), "unload-builtins": ("◌", "magenta"), "exit": ("◌", "dim"),
}  # fmt: skip
"""A glyph and a style for each state of a broker."""


def look(broker: BrokerState) -> tuple[str, str, str]:
    """Return glyph, name and style of what a rank does."""
    if broker.exit is not None:
        end = broker.exit
        if end.code == 0 and not end.signum:
            return "◌", "exited", "dim"
        name = f"signal {end.signum}" if end.signum else f"exited {end.code}"
        return "✗", name, "bold red"
    if broker.usage is not None and broker.usage.state == "T":
        return "■", "stopped", "bold red"
    if broker.state in STATE_STYLES:
        glyph, style = STATE_STYLES[broker.state]
        return glyph, broker.state, style
    if broker.pmi:
        return "○", f"PMI {broker.pmi}", "yellow"
    if broker.spawned is not None:
        return "○", "started", "yellow"
    return "·", "not started", "bold yellow"


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
    stopped = broker.usage is not None and broker.usage.state == "T"
    lost = broker.exit is not None or stopped or broker.overlay in ("lost", "offline")
    return "red" if lost else "yellow"
