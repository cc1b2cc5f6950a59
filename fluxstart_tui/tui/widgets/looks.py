"""How a broker looks: one word, one glyph, one tone for where it is. Never a colour alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.diagnose.words import ending, ordinal, printable
from fluxstart_tui.session.signals import signame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fluxstart_tui.session.broker_state import BrokerState


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
        Look("not started", "·", "faint", 5),
        Look("elsewhere", "?", "dim", 5),
        Look("started", "○", "info", 6),
        Look("PMI", "□", "info", 7),
        Look("boot", "▷", "info", 4),
        Look("quorum", "◎", "info", 3),
        Look("run", "●", "good", 2),
        Look("ending", "▽", "dim", 1),
        Look("exited", "✓", "dim", 0),
        Look("held", "◇", "warn", 8),
        Look("stopped", "‖", "warn", 9),
        Look("cut off", "▲", "warn", 10),
        Look("followed", "†", "warn", 11),
        Look("failed", "✗", "bad", 12),
    )
}
"""All looks by name, in the order in which a legend names them."""

MEANINGS = {
    "not started": "not started yet",
    "elsewhere": "on another host: nobody looks at it",
    "started": "started, nothing heard of it yet",
    "PMI": "in PMI: exchanges its address with the others'",
    "boot": "boots: join (waits for its parent), config-sync, or rc1",
    "quorum": "done with rc1, awaits the quorum",
    "run": "runs",
    "ending": "ends: cleanup, shutdown, rc3...",
    "exited": "exited with code 0",
    "held": "held in PMI on request",
    "stopped": "its process is stopped by a signal",
    "cut off": "its parent in the tree has lost it",
    "followed": "ended by exit timer, PMI abort, shutdown or a lost parent",
    "failed": "failed, or was killed",
}
"""What each look means."""

FAILED = frozenset(("failed", "followed"))
_CONSEQUENCES = ("timer", "shutdown", "abort", "parent")
_BOOT = ("join", "config-sync", "init")
_SHORT = {
    "init": "rc1",
    "finalize": "rc3",
    "load-builtins": "loading",
    "unload-builtins": "unload",
}


def look(broker: BrokerState) -> Look:
    """Return how a broker looks."""
    if broker.exit is not None:
        return KINDS[_ended(broker)]
    if _unheard(broker):
        return KINDS["held" if broker.held else _absent(broker)]
    if broker.suspended is not None:
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


def _absent(broker: BrokerState) -> str:
    return "elsewhere" if broker.away else "not started"


def word(broker: BrokerState) -> str:
    """Return where a broker is, in one word or two."""
    if broker.exit is not None:
        return _ended(broker)
    if _unheard(broker):
        return "held" if broker.held else _absent(broker)
    if broker.suspended is not None:
        return "stopped"
    if ordinal(broker.state) > 0:
        return "awaiting quorum" if broker.state == "quorum" else called(broker.state)
    if broker.held and broker.pmi != "finalize":
        return "held in PMI"
    if broker.pmi == "finalize":
        return "PMI done"
    return f"PMI {printable(broker.pmi, 8)}" if broker.pmi else "started"


def called(state: str) -> str:
    """Return what is said for a broker's state: `init` is known better by what runs in it, rc1."""
    return _SHORT.get(state, printable(state, 12))


def counts(brokers: Iterable[BrokerState], *, exact: bool) -> list[tuple[str, str]]:
    """Return how many ranks do what, each with its tone.

    Args:
        brokers: all ranks.
        exact: whether to tell them apart by their words, else by the kinds of their looks alone.
    """
    found: Counter[tuple[str, str]] = Counter()
    for broker in brokers:
        name = look(broker).name
        found[name, word(broker) if exact else name] += 1
    kinds = list(KINDS)
    ordered = sorted(found.items(), key=lambda pair: kinds.index(pair[0][0]))
    tones = {name: "dim" if kind.tone == "faint" else kind.tone for name, kind in KINDS.items()}
    return [(f"{KINDS[name].glyph} {n} {text}", tones[name]) for (name, text), n in ordered]


def since(broker: BrokerState) -> float | None:
    """Return when it came there; None if it was never started."""
    if broker.exit is not None:
        return broker.exit_t
    if broker.suspended is not None or _unheard(broker):
        return broker.suspended
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
