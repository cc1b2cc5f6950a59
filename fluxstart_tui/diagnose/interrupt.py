"""When somebody lost patience with an instance: signals to us, and the exit timer."""

from __future__ import annotations

import math
from typing import NamedTuple

from fluxstart_tui.diagnose.words import PROGRAM, printable, seconds, sender
from fluxstart_tui.rfc import fsd
from fluxstart_tui.session.signals import signame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.session.state import InstanceState

_SECOND = "a second signal"
"""How a signal begins that we send because of one (engine/supervisor.py)."""


class Failure(NamedTuple):
    """The first thing that went wrong."""

    kind: str
    """"program", "abort", "violation", "interrupt", "timeout" (of --timeout), "broker" (a rank
    ended or failed), "exit timer" (an end took too long) or "unknown"."""
    t: float
    """Seconds since the session's start."""
    ranks: tuple[int, ...]
    """Who failed, and whoever failed in the same way then."""
    text: str
    """What happened, in a sentence without full stop."""
    core: str = ""
    """Path of a core file."""


def interrupted(state: InstanceState) -> Failure | None:
    """Return the signal to us that ended the instance, or that its time was up, if so."""
    signum = state.end.signum if state.end is not None else 0
    first = [(t, one.by) for t, one in state.signals if not one.ranks or _to_us(one.by)]
    second = [t for t, one in state.signals if one.by.startswith(_SECOND)]
    if not (signum or first):
        return None
    if state.timeout is not None and first and state.timeout[0] <= first[0][0]:
        at, timeout = state.timeout
        text = f"time was up at {seconds(at)} (--timeout={fsd.format(max(0.0, timeout.after))})"
        return Failure("timeout", at, (), text)
    name = signame(signum) if signum else printable(first[0][1].split(" ")[0], 20)
    t = min([t for t, _ in first] or _released(state), default=min(second, default=state.t))
    who = sender(first[0][1].partition(" (pid ")[0]) if first else f"{name} to {PROGRAM}"
    text = f"{who} at {seconds(t)} asked for an orderly end"
    if second:
        text += f", a second one at {seconds(second[0])} killed the brokers"
    return Failure("interrupt", t, (), text)


def asker(state: InstanceState) -> str:
    """Return who asked for the end by other means than a signal to us, "" if nobody did."""
    by = next((one.by for _, one in state.signals if not one.ranks), "")
    return "" if not by or _to_us(by) else sender(by)


def killed(state: InstanceState) -> float | None:
    """Return when somebody lost patience: an exit timer fired or a signal came; None if never."""
    times = [
        broker.exit_t
        for broker in state.brokers.values()
        if broker.exit is not None and broker.exit.cause == "timer"
    ]
    if timed_out(state) and state.timer is not None and state.timer.action == "fired":
        times.append(state.timer_t)
    interrupt = interrupted(state)
    if interrupt is not None:
        times.append(interrupt.t)
    return min(times, default=None)


def patience(state: InstanceState) -> float:
    """Return when the time of an instance was up: what is said from then on explains nothing."""
    return state.timeout[0] if state.timeout is not None else math.inf


def timed_out(state: InstanceState) -> bool:
    """Tell whether the exit timer has killed somebody."""
    fired = state.timer is not None and state.timer.action == "fired"
    exits = (broker.exit for broker in state.brokers.values())
    return fired or any(end is not None and end.cause == "timer" for end in exits)


def _to_us(by: str) -> bool:
    return by.startswith("SIG") and " to " in by


def _released(state: InstanceState) -> list[float]:
    """Return when a signal of which there is no event came at the latest, by what it caused."""
    brokers = state.brokers.values()
    closed = [broker.pmi_since for broker in brokers if broker.pmi == "closed"]
    ends = [b.exit_t for b in brokers if b.exit is not None and b.exit.cause == "shutdown"]
    # A signal to us releases all brokers that are in PMI then, so none is closed later.
    return ends + ([max(closed)] if closed else [])
