"""Where two instances went apart: the first event of one that the other has not.

What is done in an instance comes from several sources at once, so only what one of them says of one
rank has an order that means something: its PMI conversation, its states, its process, its
errors, its children in the tree. Two events are equal if they are of the same kind and say
the same but for what differs from run to run: times, pids, cores, addresses, numbers in log texts.
What was only seen by looking now and then (samples, probes, who is online) is not compared.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from fluxstart_tui.diagnose.words import ORDER, act, ordinal, printable, seconds, who
from fluxstart_tui.session import events as e
from fluxstart_tui.session.signals import signame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Key = tuple[Any, ...]
    """What has to be the same for two events to be equal."""
    Source = tuple[str, int]
    """What tells of a rank, and which; -1 for what is told of all of them."""

_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?")
_TMP = re.compile(r"flux-\w{6}\b")
"""A run directory's own part (mkdtemp(3))."""
_ALL = -1


class Step(NamedTuple):
    """An event that is compared."""

    t: float
    key: Key
    words: str
    """What happened, without who."""
    event: str = ""
    """What led to a state, "" if that was not seen: then it may have been anything."""

    def equals(self, other: Step) -> bool:
        """Tell whether another is the same but for its time."""
        known = bool(self.event and other.event)
        return self.key == other.key and (self.event == other.event or not known)


class Apart(NamedTuple):
    """A step of one instance, and what the other did instead."""

    ranks: frozenset[int]
    """Whose it is, all that go apart alike; empty if it is nobody's own."""
    t: float
    """When the first of them did so, in seconds since the session's start."""
    words: str
    instead: str
    """What the other instance's ranks did then, or that they did nothing more."""

    @property
    def sentence(self) -> str:
        """Who did what."""
        if not self.ranks:
            return f"the instance {self.words}"
        many = len(self.ranks) > 1 and self.words.startswith("was ")
        return f"{who(self.ranks)} {self.words.replace('was', 'were', 1) if many else self.words}"


def _same(text: str) -> str:
    return _NUMBER.sub("N", _TMP.sub("flux-X", text))


def _end(event: e.Exit) -> str:
    how = act(event)
    return f"was {how}" if how.startswith("killed") else how


def _log(event: e.Log) -> tuple[Key, str]:
    text = printable(f"{event.app}: {event.text}", 120)
    return (event.severity, event.app, _same(event.text)), f"logged `{text}`"


_STEPS: dict[type[e.Event], tuple[str, Callable[[Any], tuple[Key, str]]]] = {
    e.Spawn: ("process", lambda _: ((), "was started")),
    e.Exit: ("process", lambda one: ((one.code, one.signum, one.cause), _end(one))),
    e.Pmi: ("PMI", lambda one: ((one.phase, one.barrier), _pmi(one))),
    e.Violation: ("PMI", lambda one: ((_same(one.text),), "broke the PMI protocol")),
    e.Abort: ("PMI", lambda one: ((one.code,), f"called PMI abort with code {one.code}")),
    e.Log: ("errors", _log),
    e.Barrier: ("barriers", lambda one: ((one.number,), f"left PMI barrier {one.number}")),
    e.Quorum: ("quorum", lambda one: ((one.size,), f"waited for {one.size} brokers")),
    e.Hold: (
        "holds",
        lambda one: (tuple(one), f"had {printable(one.ranks, 60) or 'nobody'} held in PMI"),
    ),
    e.Signal: (
        "signals",
        lambda one: (
            (one.ranks, one.signum),
            f"had {signame(one.signum)} sent to {printable(one.ranks, 60) or 'the engine'}",
        ),
    ),
    e.Timer: ("timer", lambda one: ((one.action,), "had its exit timer fire")),
    e.Program: (
        "program",
        lambda one: (
            (one.action, one.code),
            f"had its program {one.action}" + (f" with code {one.code}" if one.code else ""),
        ),
    ),
    e.End: ("end", lambda one: ((one.code, one.signum), f"ended with exit code {one.code}")),
}
"""What is compared, from which source, by what, and in what words."""


def _pmi(event: e.Pmi) -> str:
    if event.phase == "barrier":
        return f"entered PMI barrier {event.barrier}"
    if event.phase == "closed":
        return "closed its PMI conversation"
    return f"came to PMI {event.phase}"


def _streams(timed: Iterable[tuple[float, e.Event]]) -> dict[Source, list[Step]]:
    """Return what is compared of an instance, by source."""
    found: dict[Source, list[Step]] = {}
    top: dict[int, int] = {}
    for t, event in timed:
        if isinstance(event, e.State):
            steps = found.setdefault(("state", event.rank), [])
            steps += _states(t, event, top.get(event.rank, 0))
            top[event.rank] = max(ordinal(event.state), top.get(event.rank, 0))
        elif isinstance(event, e.Overlay):
            word = f"saw rank {event.child} {printable(event.status, 20)}"
            steps = found.setdefault((f"child {event.child}", event.rank), [])
            steps.append(Step(t, (event.status,), word))
        elif isinstance(event, e.Timer) and event.action != "fired":
            continue  # any end arms it, for whoever is left then
        elif (known := _STEPS.get(type(event))) is not None:
            source, described = known
            key, words = described(event)
            steps = found.setdefault((source, getattr(event, "rank", _ALL)), [])
            steps.append(Step(t, (type(event).__name__, *key), words))
    return found


def _states(t: float, event: e.State, top: int) -> Iterator[Step]:
    """Yield a state, and before it those that were passed unseen: how soon one asks is chance.

    Args:
        t: when it was seen.
        event: the state.
        top: ordinal of the last state before.
    """
    number = ordinal(event.state)
    former = ordinal(event.former) if event.event else number - 1
    for passed in ORDER[top + 1 : former + 1]:
        yield Step(t, (passed,), f"came to {passed}")
    if number > top or event.event:
        by = f" ({printable(event.event, 30)})" if event.event else ""
        yield Step(t, (event.state,), f"came to {printable(event.state, 30)}{by}", event.event)


def divergence(
    one: Iterable[tuple[float, e.Event]], other: Iterable[tuple[float, e.Event]]
) -> tuple[Apart | None, Apart | None]:
    """Return the first step of each of two instances that the other has not at that place."""
    first, second = _streams(one), _streams(other)
    return _first(first, second), _first(second, first)


def _first(mine: dict[Source, list[Step]], its: dict[Source, list[Step]]) -> Apart | None:
    """Return the earliest step of mine that differs, with all ranks that differ alike."""
    found: list[tuple[int, Step, Step | None, Step | None]] = []
    for source, steps in mine.items():
        others = its.get(source, [])
        pairs = enumerate(zip(steps, others, strict=False))
        at = next((n for n, (a, b) in pairs if not a.equals(b)), len(others))
        if at < len(steps):
            instead = others[at] if at < len(others) else None
            found.append((source[1], steps[at], instead, others[at - 1] if at else None))
    if not found:
        return None
    _, step, instead, former = min(found, key=lambda one: (one[1].t, one[0]))
    if instead is not None:
        words = f"{instead.words} at {seconds(instead.t)}"
    elif former is not None:
        words = f"nothing of that kind after it {former.words} at {seconds(former.t)}"
    else:
        words = "nothing of that kind"
    alike = {
        one[0]
        for one in found
        if one[1].key == step.key and (one[2] and one[2].key) == (instead and instead.key)
    }
    return Apart(frozenset(alike - {_ALL}), step.t, step.words, words)
