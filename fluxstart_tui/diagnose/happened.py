"""Events in words: what is listed beside the brokers' records, marked on an axis, stepped to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from fluxstart_tui.diagnose.words import act, printable, sender, span, who
from fluxstart_tui.rfc import idset
from fluxstart_tui.session.events import (
    Attr,
    Barrier,
    End,
    Exit,
    Finding,
    Hold,
    Message,
    Online,
    Overlay,
    Pmi,
    Program,
    Quorum,
    Sample,
    Signal,
    Spawn,
    State,
    Timer,
)
from fluxstart_tui.session.signals import signame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fluxstart_tui.session.events import Event

_STEP = 0.001
"""Seconds that a step takes at the least."""
_QUIET = (Sample, Attr, Overlay)
"""Events that nobody steps to."""


class Deed(NamedTuple):
    """Something that was done to the instance rather than by it."""

    t: float
    kind: str
    """signal, timer, hold, or engine for what the engine has said."""
    text: str


def deed(t: float, event: Event) -> Deed | None:
    """Return what was done, None for an event that is no deed."""
    if isinstance(event, Signal):
        by = sender(event.by)
        if not event.ranks:
            return Deed(t, "signal", f"an orderly end, asked for by {by}")
        return Deed(t, "signal", f"{signame(event.signum)} to {_ranks(event.ranks)}, by {by}")
    if isinstance(event, Timer):
        return Deed(t, "timer", _timer(t, event))
    if isinstance(event, Hold):
        held = [_ranks(event.ranks)] * bool(event.ranks) + ["the barrier"] * event.barrier
        return Deed(t, "hold", f"held in PMI: {' and '.join(held) or 'nothing any more'}")
    return Deed(t, "engine", printable(event.text)) if isinstance(event, Message) else None


def deeds(events: Iterable[tuple[float, Event]]) -> list[Deed]:
    """Return all that was done."""
    return [one for t, event in events if (one := deed(t, event)) is not None]


def near(done: list[Deed], t: float, reach: float) -> Deed | None:
    """Return the last deed that was at a time, give or take some seconds."""
    return next((one for one in reversed(done) if abs(one.t - t) <= reach), None)


class Moments:
    """The events of a record that one can step to, by their times.

    Args:
        events: all events, in any order.
    """

    def __init__(self, events: Iterable[tuple[float, Event]]) -> None:
        self._events = sorted(
            (pair for pair in events if not isinstance(pair[1], _QUIET)), key=lambda pair: pair[0]
        )
        self._times = [t for t, _ in self._events]

    def next(self, t: float, direction: int) -> float | None:
        """Return the time of the event after (1) or before (-1) a time, None if there is none.

        Events that one could not tell apart by their times are one.
        """
        if direction > 0:
            at = bisect_right(self._times, t + _STEP)
        else:
            at = bisect_left(self._times, t - _STEP) - 1
        return self._times[at] if 0 <= at < len(self._times) else None

    def last(self, t: float) -> str:
        """Return what happened last until a time, in words."""
        at = bisect_right(self._times, t)
        return told(self._events[at - 1][1]) if at else ""


def told(event: Event) -> str:
    """Return an event in words."""
    if (one := deed(0.0, event)) is not None:
        return one.text
    if isinstance(event, Spawn):
        return f"rank {event.rank} is started"
    if isinstance(event, Exit):
        return f"rank {event.rank} {act(event)}"
    if isinstance(event, Pmi):
        return f"rank {event.rank}: PMI {event.phase}"
    if isinstance(event, Barrier):
        return f"PMI barrier {event.number} is complete"
    if isinstance(event, State):
        return f"rank {event.rank} enters {event.state}"
    if isinstance(event, Program):
        return f"the initial program is {event.action}" if event.action == "started" else (
            f"the initial program has ended, code {event.code}"
        )  # fmt: skip
    if isinstance(event, End):
        return f"the end, exit code {event.code}"
    if isinstance(event, Quorum):
        return f"the quorum that rank 0 is to wait for: {event.size}"
    if isinstance(event, Online):
        return f"online: {_ranks(event.ranks)}"
    if isinstance(event, Finding):
        return f"{'no longer: ' * event.over}{printable(event.sentence)}"
    rank = getattr(event, "rank", None)
    return type(event).__name__.lower() + (f" of rank {rank}" if rank is not None else "")


def _timer(t: float, event: Timer) -> str:
    text = f"exit timer {event.action}"
    if event.deadline >= 0 and event.ranks:
        left = f" in {span(event.deadline - t)}" if t else ""
        text += f": kills {_ranks(event.ranks)}{left}"
    return f"{text}, {sender(event.cause)}" if event.cause else text


def _ranks(text: str) -> str:
    try:
        return who(idset.decode(text), 24)
    except ValueError:
        return f"ranks {printable(text, 24)}"
