"""How a broker looks: one word, one glyph, one tone for where it is. Never a colour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.diagnose.words import ending, ordinal, printable
from fluxstart_tui.session.signals import signame

if TYPE_CHECKING:
    from fluxstart_tui.session.state import BrokerState


class Look(NamedTuple):
    """How brokers of a kind look."""

    name: str
    glyph: str
    tone: str
    weight: int
    """Of several brokers in one cell the one of most weight shows."""


KINDS = {
    look.name: look
    for look in (
        Look("not started", "·", "faint", 5),  # not started yet
        Look("started", "○", "info", 6),
        Look("PMI", "◔", "info", 7),
        Look("boot", "◑", "info", 4),  # join, config-sync, rc1
        Look("quorum", "◕", "info", 3),
        Look("run", "●", "good", 2),
        Look("ending", "◒", "dim", 1),  # cleanup, shutdown, rc3...
        Look("exited", "✓", "dim", 0),
        Look("held", "◇", "warn", 8),
        Look("stopped", "‖", "warn", 9),
        Look("cut off", "▲", "warn", 10),  # its TBON parent has lost it
        Look("followed", "†", "warn", 11),  # ended by exit timer, abort, shutdown or lost parent
        Look("failed", "✗", "bad", 12),
    )
}
"""All looks by name, in the order in which a legend names them."""

FAILED = frozenset(("failed", "followed"))
_CONSEQUENCES = ("timer", "shutdown", "abort", "parent")
_BOOT = ("join", "config-sync", "init")
_SHORT = {"init": "rc1", "finalize": "rc3", "load-builtins": "loading", "unload-builtins": "unload"}


def look(broker: BrokerState) -> Look:
    """Return how a broker looks."""
    if broker.exit is not None:
        return KINDS[_ended(broker)]
    if _unheard(broker):
        return KINDS["held" if broker.held else "not started"]
    if _stopped(broker):
        return KINDS["stopped"]
    if broker.overlay == "lost":
        return KINDS["cut off"]
    if broker.state in _BOOT:
        return KINDS["boot"]
    if broker.state in ("quorum", "run"):
        return KINDS[broker.state]
    if ordinal(broker.state) > ordinal("run"):
        return KINDS["ending"]
    if broker.held and broker.pmi != "finalize":
        return KINDS["held"]
    return KINDS["PMI" if broker.pmi else "started"]


def _ended(broker: BrokerState) -> str:
    end = broker.exit
    assert end is not None
    if not end.code and not end.signum:
        return "exited"
    return "followed" if end.cause in _CONSEQUENCES else "failed"


def _unheard(broker: BrokerState) -> bool:
    """Tell whether it has not been started: what others start is known by what it says."""
    return broker.spawned is None and not broker.pmi and not broker.state


def _stopped(broker: BrokerState) -> bool:
    return broker.usage is not None and broker.usage.state in "Tt"


def word(broker: BrokerState) -> str:
    """Return where a broker is, in one word or two."""
    if broker.exit is not None:
        return _ended(broker)
    if _unheard(broker):
        return "held" if broker.held else "not started"
    if _stopped(broker):
        return "stopped"
    if ordinal(broker.state) > 0:
        return _SHORT.get(broker.state, printable(broker.state, 12))
    if broker.held and broker.pmi != "finalize":
        return "held in PMI"
    if broker.pmi == "finalize":
        return "PMI done"
    return f"PMI {printable(broker.pmi, 8)}" if broker.pmi else "started"


def since(broker: BrokerState) -> float | None:
    """Return when it came there; None if it was never started, or stopped we do not know when."""
    if broker.exit is not None:
        return broker.exit_t
    if _unheard(broker) or _stopped(broker):
        return None
    if ordinal(broker.state) > 0:
        return broker.state_since
    return broker.pmi_since if broker.pmi else broker.spawned


def end(broker: BrokerState) -> str:
    """Return how a broker ended and why; "" while it has not."""
    one = broker.exit
    if one is None:
        return ""
    if not one.code and not one.signum:
        return "0"
    text = ending(one)
    for long, short in (("exited with code ", "exit "), ("killed by the ", ""), ("killed by ", "")):
        if text.startswith(long):
            return short + text.removeprefix(long)
    return text


def brief_end(broker: BrokerState) -> str:
    """Return how a broker ended without the reason, in few cells."""
    one = broker.exit
    if one is None:
        return ""
    return signame(one.signum) if one.signum else f"exit {one.code}"
