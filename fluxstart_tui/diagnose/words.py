"""How ranks, times, signals and ends are put in words, safe to print whatever a journal says."""

from __future__ import annotations

import math
import signal

from fluxstart_tui.rfc import idset
from fluxstart_tui.session.signals import signame
from fluxstart_tui.session.state import ranks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.session.events import Exit
    from fluxstart_tui.session.state import InstanceState

ORDER = (
    "load-builtins", "join", "config-sync", "init", "quorum", "run", "cleanup", "shutdown",
    "finalize", "goodbye", "unload-builtins", "exit",
)  # fmt: skip
"""flux-core's broker states in their order."""

_ORDINALS = {name: number for number, name in enumerate(ORDER)} | {"none": 0}
_HINTS = {
    "init": "init: rc1",
    "join": "join: waits for its parent",
    "finalize": "finalize: rc3",
}
PROGRAM = "fluxstart-tui"


def ordinal(state: str) -> int:
    """Return the place of a state in ORDER, -1 for what is none."""
    return _ORDINALS.get(state, -1)


def printable(text: str, limit: int = 300) -> str:
    """Return a text as printable ASCII on one line, cut if it is long.

    Args:
        text: anything, control characters and lone surrogates included.
        limit: most characters of the result.
    """
    # Cut before escaping too: a text may have megabytes.
    escaped = "".join(
        c if " " <= c <= "~" else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in text[: limit + 1].replace("\t", " ").rstrip()
    )
    return escaped if len(escaped) <= limit else escaped[: limit - 3] + "..."


def capital(text: str) -> str:
    """Return a text with a capital at its begin."""
    return text[:1].upper() + text[1:]


def ids(ranks: Collection[int], limit: int = 40) -> str:
    """Return ranks as an idset, cut in its middle if it is long."""
    text = idset.encode(ranks)
    if len(text) <= limit:
        return text
    last = text.rpartition(",")[2]
    return f"{text[: limit - len(last) - 4].rpartition(',')[0]},...,{last}"


def who(ranks: Collection[int], limit: int = 40) -> str:
    """Return `rank 3`, `ranks 0-2`, or with their number if not all are named."""
    text = ids(ranks, limit) or "none"
    number = f"{len(ranks)} " if "..." in text else ""
    return f"{number}rank{'' if len(ranks) == 1 else 's'} {text}"


def seconds(span: float) -> str:
    """Return a span of time as one reads it."""
    if not math.isfinite(span):
        return "unlimited time"
    if span < 0.995:
        return f"{max(0.0, span):.2g} s" if span >= 0.001 else "0 s"
    if span < 99.95:
        return f"{span:.1f} s"
    if span < 600:
        return f"{span:.0f} s"
    minutes = min(round(span / 60), 10**9)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def span(t: float) -> str:
    """Return a span of time in few characters and with three digits or so."""
    if t < 0:
        return "-" + span(-t)
    if t < 0.00095:
        return f"{t * 1e6:.0f} µs"
    if t < 0.00995:
        return f"{t * 1e3:.2f} ms"
    if t < 0.9995:
        return f"{t * 1e3:.0f} ms"
    if t < 9.995:
        return f"{t:.2f} s"
    if t < 600:
        return f"{t:.1f} s"
    minutes = round(t / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"


def code(number: int) -> str:
    """Return an exit code with what it usually means."""
    return f"exit code {number}{_meaning(number)}"


def _meaning(number: int) -> str:
    if 128 < number < 160:
        return f" (128 + {signame(number - 128)})"
    return {126: " (not executable)", 127: " (command not found)"}.get(number, "")


def halted(state: InstanceState, broker: BrokerState) -> str:
    """Return what keeps a broker's process from running, given that something does."""
    if broker.traced:
        return "halted by a debugger"
    sent = (
        one
        for _, one in reversed(state.signals)
        if one.signum in (signal.SIGSTOP, signal.SIGCONT) and broker.rank in ranks_of(one.ranks)
    )
    last = next(sent, None)
    if last is None or last.signum == signal.SIGCONT:
        return "suspended by a signal (SIGSTOP)"
    return f"stopped by {sender(last.by)} (SIGSTOP)"


def ending(end: Exit) -> str:
    """Return in few words how a broker ended, to be put after its name."""
    note = reason(end)
    return act(end) + (f", {note}" if note else "")


def act(end: Exit) -> str:
    """Return what happened to a broker, without the reason."""
    if end.cause == "timer":
        return "killed by the exit timer"
    if end.cause == "oom":
        return "killed by the OOM killer"
    if not end.signum:
        return f"exited with code {end.code}{_meaning(end.code)}"
    if end.cause == "abort":
        return "killed by the PMI abort"
    return f"{'crashed with' if end.cause == 'crash' else 'killed by'} {signame(end.signum)}"


def reason(end: Exit) -> str:
    """Return why that happened as far as the act does not say it."""
    if end.cause == "user":
        return f"sent by {sender(end.detail)}" if end.detail else f"sent through {PROGRAM}"
    if end.cause == "shutdown" and end.signum:
        return "to end the instance"
    return {"sender": "sender unknown", "parent": "parent lost"}.get(end.cause, "")


def sender(by: str) -> str:
    """Return who wanted a signal, as one reads it: `start.signal from NAME, pid N` asks us."""
    _, asked, who_asked = by.partition(" from ")
    return printable(who_asked if asked else by, 60)


def where(state: InstanceState, broker: BrokerState) -> str:
    """Return where a broker is on its way, or was when it ended."""
    if broker.spawned is None and not broker.pmi and not broker.state:
        return "on another host, not looked at" if broker.away else "never started"
    if ordinal(broker.state) > 0 or (broker.state and not broker.pmi):
        return _HINTS.get(broker.state, printable(broker.state, 30))
    if broker.held and broker.running and broker.pmi != "finalize":
        return "held in PMI on request"
    if not state.by_pmi:
        return "no state known yet"
    if not broker.pmi:
        return "not in PMI yet"
    if broker.pmi == "finalize":
        return "done with PMI"
    if broker.nth > state.barriers and broker.pmi in ("barrier", "closed"):
        return f"PMI barrier {broker.barrier}" + (" again" if broker.before else "")
    if broker.pmi in ("closed", "barrier"):
        return f"PMI after barrier {broker.barrier}" if broker.barrier else "PMI before barrier 1"
    return f"PMI {printable(broker.pmi, 20)}"
