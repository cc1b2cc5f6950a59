"""One sentence on what an instance is doing or waiting for, and on whom."""

from __future__ import annotations

import math

from fluxstart_tui.diagnose.interrupt import asker
from fluxstart_tui.diagnose.progress import deserted, in_barrier, passed
from fluxstart_tui.diagnose.words import (
    code,
    ending,
    halted,
    ordinal,
    printable,
    seconds,
    where,
    who,
)  # fmt: skip
from fluxstart_tui.session import tree
from fluxstart_tui.session.signals import signame
from fluxstart_tui.session.state import ranks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.session.events import End
    from fluxstart_tui.session.state import InstanceState
    from fluxstart_tui.session.tree import Parent

_NAMED = 3
"""How many kinds of missing ranks are told apart."""


def sentence(
    state: InstanceState,
    now: float,
    parent: Parent | None = None,
    *,
    timed: bool = True,
    past: bool = False,
) -> str:
    """Say in one line what an instance is doing or waiting for.

    Args:
        state: the instance.
        now: seconds since the session's start.
        parent: gives a rank's parent in the tree (session/tree.py), by default that of kary:32.
        timed: whether the exit timer is told, too.
        past: whether that is over, so that the program does not run any more.
    """
    if state.end is not None:
        return _ended(state, state.end)
    parent = parent or tree.parents(None, state.size)
    running = frozenset(rank for rank, broker in state.brokers.items() if broker.running)
    if not running:
        spawned = any(broker.spawned is not None for broker in state.brokers.values())
        return "all brokers have exited" if spawned else "no broker has been started yet"
    if state.aborts:
        abort = state.aborts[0][1]
        return f"PMI abort by rank {abort.rank}: waiting for {who(running)} to end"
    timer = _timer(state, now, running) if timed else ""
    ending_now = _shutdown(state, now, running, parent)
    if ending_now:
        return f"{ending_now}; {timer}" if timer else ending_now
    doing = _run(state, now, past=past) or _quorum(state, now, parent) or _boot(state, now)
    doing = doing or _pmi(state)
    return f"{timer}; {doing}" if timer else doing


def _ended(state: InstanceState, end: End) -> str:
    """Say how it ended: of a signal's exit code the signal is named once."""
    told = f"exit code {end.code}" if end.code == 128 + end.signum else code(end.code)
    by = asker(state)
    if end.signum and by:
        return f"{by} asked for an orderly end: {told} = 128 + {signame(end.signum)}"
    return f"ended by {signame(end.signum)}: {told}" if end.signum else f"ended: {told}"


def _timer(state: InstanceState, now: float, running: frozenset[int]) -> str:
    timer = state.timer
    if timer is None or timer.action == "cancelled":
        return ""
    if timer.action == "fired":
        return f"exit timer has fired: waiting for {who(running)} to end"
    if not (math.isfinite(timer.deadline) and timer.deadline >= 0):
        return ""
    left = timer.deadline - now
    since = f" since {printable(timer.cause, 80)}" if timer.cause else ""
    when = f"in {seconds(left)}" if left > 0 else "now"
    return f"exit timer kills {who(ranks_of(timer.ranks) or running)} {when}{since}"


def _shutdown(
    state: InstanceState, now: float, running: frozenset[int], parent: Parent
) -> str | None:
    leader = state.broker(0)
    over = state.program is not None and state.program.action == "ended"
    if leader.exit is not None:
        return f"waiting for {_named(state, now, running)} to end: rank 0 {ending(leader.exit)}"
    if leader.state == "cleanup":
        return f"cleanup runs ({seconds(now - leader.state_since)})"
    if ordinal(leader.state) > ordinal("cleanup") or over:
        return f"shutting down: waiting for {_named(state, now, tree.deepest(running, parent))}"
    return None


def _run(state: InstanceState, now: float, *, past: bool) -> str | None:
    leader = state.broker(0)
    if state.program is not None and state.program.action == "started":
        since = state.program_t
    elif leader.state == "run":
        since = leader.state_since
    else:
        return None
    gone = {rank: broker.exit_t for rank, broker in state.brokers.items() if broker.exit}
    without = ""
    if gone:
        last = seconds(now - min(gone.values()))
        without = f", the last {last} without {_named(state, now, frozenset(gone))}"
    halted = [one for one in state.brokers.values() if one.running and one.suspended is not None]
    if halted:
        without += f"; {who([one.rank for one in halted])} {_halted(state, halted, past=past)}"
    if out := deserted(state):
        without += f"; {_deserted(state, out, past=past)}"
    if leader.stopped:
        span = seconds(now - leader.stopped_since)
        return f"program is stopped ({span}), and no shell will continue it{without}"
    return f"program {'ran' if past else 'runs'} ({seconds(now - since)}){without}"


def _deserted(state: InstanceState, ranks: frozenset[int], *, past: bool) -> str:
    """Say of ranks that were started again where they wait in vain."""
    number = state.broker(min(ranks)).barrier
    verb = "waited" if past else "waits" if len(ranks) == 1 else "wait"
    had = "had" if past else "have"
    return f"{who(ranks)} {verb} in PMI barrier {number}, which the others {had} left"


def _halted(state: InstanceState, brokers: list[BrokerState], *, past: bool) -> str:
    one, more = ("was", "were") if past else ("is", "are")
    return f"{one if len(brokers) == 1 else more} {halted(state, brokers[0])}"


def _quorum(state: InstanceState, now: float, parent: Parent) -> str | None:
    leader = state.broker(0)
    if leader.state != "quorum":
        return None
    # Who has come to quorum joins the group a moment later.
    here = {r for r, b in state.brokers.items() if b.running and b.state in ("quorum", "run")}
    missing = frozenset(range(state.size)) - here - state.online
    wanted = state.quorum or state.size
    head = f"quorum {len(state.online) or len(here)}/{wanted}"
    if not missing:
        return head
    top = tree.topmost(missing, parent)
    below = missing - top
    victims = f"; {who(below)} below {'waits' if len(below) == 1 else 'wait'} too" if below else ""
    span = seconds(now - leader.state_since)
    return f"{head} for {span}: waiting for {_named(state, now, top, parent)}{victims}"


def _boot(state: InstanceState, now: float) -> str | None:
    leader = state.broker(0)
    span = seconds(now - leader.state_since)
    rest = "; the others wait for it" if state.size > 1 else ""
    if leader.state == "init":
        return f"rank 0 runs rc1 ({span}){rest}"
    if leader.state in ("join", "config-sync"):
        return f"rank 0 is in state {leader.state} ({span}){rest}"
    return None


def _pmi(state: InstanceState) -> str:
    if not state.by_pmi:
        return f"starting: waiting for {_named(state, state.t, frozenset(range(state.size)))}"
    if out := deserted(state):
        return _deserted(state, out, past=False)
    done = {r for r, b in state.brokers.items() if "finalize" in passed(state, b)}
    number = state.barriers + 1
    inside = in_barrier(state) - done
    everyone = frozenset(range(state.size))
    if inside:
        missing = everyone - inside - done
        if missing:
            return f"waiting in PMI barrier {number} for {_named(state, state.t, missing)}"
        held = ", held on request" if state.barrier_held else ""
        return f"all ranks are in PMI barrier {number}{held}"
    missing = everyone - done
    if not missing:
        return "brokers are past PMI, their states are not known"
    silent = frozenset(r for r in missing if not state.broker(r).pmi)
    if silent:
        head = f"starting, {state.size - len(silent)}/{state.size} brokers speak PMI"
        return f"{head}: waiting for {_named(state, state.t, silent)}"
    head = f"exchanging PMI cards, {len(done)}/{state.size} done"
    return f"{head}: waiting for {_named(state, state.t, missing)}"


def _named(
    state: InstanceState, now: float, ranks: frozenset[int], parent: Parent | None = None
) -> str:
    """Name ranks with the reason why they are waited for, those of one reason together."""
    groups: dict[str, list[int]] = {}
    for rank in sorted(ranks):
        groups.setdefault(_reason(state, now, rank, parent), []).append(rank)
    named = [f"{who(some)} ({reason})" for reason, some in list(groups.items())[:_NAMED]]
    rest = [rank for some in list(groups.values())[_NAMED:] for rank in some]
    if rest:
        named.append(f"{who(rest)}")
    frozen = ranks and all(state.broker(rank).suspended is not None for rank in ranks)
    timed = state.timer is not None and state.timer.action != "cancelled"
    return ", ".join(named) + ("; nothing goes on by itself" if frozen and not timed else "")


def _reason(state: InstanceState, now: float, rank: int, parent: Parent | None) -> str:
    broker = state.broker(rank)
    if broker.exit is not None:
        return ending(broker.exit)
    if broker.state == "join" and parent is not None:
        above = parent(rank)
        if above is not None:
            return _not_joined(state, above)
    text = where(state, broker)
    if broker.state == "init":
        # Ranks that came there at different times are told together unless one is alone in it.
        text = f"running rc1 for {seconds(now - broker.state_since)}"
    return text if broker.suspended is None else f"{text}, {halted(state, broker)}"


def _not_joined(state: InstanceState, above: int) -> str:
    if "quorum" in passed(state, state.broker(above)):
        return f"has not reached its parent rank {above}"
    return f"its parent rank {above} has not finished rc1"
