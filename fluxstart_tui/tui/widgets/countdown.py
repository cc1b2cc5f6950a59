"""What runs out: the time to the next complaint about the quorum, and the exit timer's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fluxstart_tui.diagnose.words import printable, who
from fluxstart_tui.session.state import ranks_of
from fluxstart_tui.tui.widgets.paint import span

if TYPE_CHECKING:
    from fluxstart_tui.session.state import InstanceState
    from fluxstart_tui.tui.widgets.paint import Part

_BAR = 12


def exit_timer(state: InstanceState, now: float, width: int) -> list[Part]:
    """Return the exit timer's row; empty if none runs."""
    timer = state.timer
    if state.end is not None or timer is None:
        return []
    if timer.action == "cancelled":
        text = f" exit timer cancelled at {span(state.timer_t)}: nobody is killed"
        gone = any(broker.exit is not None for broker in state.brokers.values())
        return [(text, "warn")] if gone and state.broker(0).running else []
    running = state.ranks(lambda broker: broker.running)
    if timer.action == "fired":
        return [(" ! exit timer has fired ", "alarm"), (f" waiting for {who(running)}", "warn")]
    if not (math.isfinite(timer.deadline) and timer.deadline >= 0):
        return []
    left = max(0.0, timer.deadline - now)
    full = max(timer.deadline - state.timer_t, 0.001)
    victims = ranks_of(timer.ranks) or running
    room = max(12, width // 3)
    why = f": {printable(timer.cause, 60)}" if timer.cause else ""
    head = f" ! exit timer {span(left):>5} "
    tail = " t: extend, cancel, kill now " if width > 100 else " t: menu "
    text = f" kills {who(victims, room)}{why} "
    spare = width - len(head) - len(text) - len(tail)
    parts = [(head, "alarm" if left < 10 else "warn")]
    if spare >= _BAR + 1:
        parts.append((" " + bar(left / full, _BAR), "warn"))
        spare -= _BAR + 1
    if spare < 0:
        text = text[: spare - 2] + "… "
        spare = 0
    return [*parts, (text, "plain"), (" " * spare, "plain"), (tail, "title")]


def quorum(state: InstanceState, now: float, width: int) -> list[Part]:
    """Return the quorum's row; empty if it is not waited for."""
    leader = state.broker(0)
    if state.end is not None or leader.exit is not None or leader.state != "quorum":
        return []
    wanted = state.quorum or state.size
    here = state.online or state.ranks(lambda one: one.running and one.state in ("quorum", "run"))
    missing = frozenset(range(state.size)) - here
    if not missing:
        return []
    waited = max(0.0, now - leader.state_since)
    parts: list[Part] = [
        (f" ◎ quorum {len(here)}/{wanted} ", "warn"),
        (bar(len(here) / max(1, wanted), _BAR), "info"),
    ]
    if width > 100:  # the phase strip and the sentence say it too
        parts.append((f" missing {who(missing, width // 3)} ", "plain"))
    warn = state.quorum_warn
    if warn > 0 and math.isfinite(warn):
        left = warn - waited % warn
        delayed = int(waited // warn)
        said = f", said {delayed}x" if delayed else ""
        parts.append((f" next log warning 'quorum delayed' in {span(left)}{said}", "dim"))
    return parts


def bar(part: float, width: int) -> str:
    """Return a bar that is filled in part; all of it only if nothing is missing."""
    full = width if part >= 1 else min(round(max(0.0, part) * width), width - 1)
    return "━" * full + "╌" * (width - full)
