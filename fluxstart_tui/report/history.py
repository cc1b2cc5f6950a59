"""What a session's events tell of time: who did what when, in one pass over its journal."""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.diagnose import happened
from fluxstart_tui.diagnose.lives import Lives
from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events
from fluxstart_tui.session.state import RANK_MAX, ranks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fluxstart_tui.session.events import Event
    from fluxstart_tui.session.state import InstanceState

_TOLD = (
    events.Signal, events.Timer, events.Hold, events.Barrier, events.Violation, events.Abort,
    events.Program, events.Timeout, events.End,
)  # fmt: skip
"""Events of which each is told; of a thousand brokers' own steps only rank 0's are."""
_MOMENTS = 500
"""How many moments are told; what goes is the middle."""
_POINTS = 600
"""Of how many samples a curve is made."""
_BARRIERS = 16
"""How many barriers are looked at: Flux has two, a hostile journal might have millions."""


class Usage(NamedTuple):
    """What all processes used together, and who used most."""

    t: float
    cpu: float
    """Percent of one core."""
    rss: int
    """KiB."""
    top_cpu: tuple[float, int]
    """The highest of one rank, and which."""
    top_rss: tuple[int, int]


class Barrier(NamedTuple):
    """A PMI barrier."""

    number: int
    arrivals: dict[int, float]
    """When each rank came there."""
    released: float | None
    """When all were let go, if they were."""


class Moment(NamedTuple):
    """Something that happened, in words."""

    t: float
    text: str


class History(NamedTuple):
    """The course of an instance; times are seconds since the session's start."""

    lives: Lives
    barriers: list[Barrier]
    online: list[tuple[float, int]]
    """How many brokers were in the group broker.online from when on."""
    wanted: int
    """How many were waited for; 0 if that is not known."""
    timers: list[tuple[float, events.Timer]]
    usage: list[Usage]
    moments: list[Moment]
    left_out: int
    """Moments that are not among these."""


def history(timed: Iterable[tuple[float, Event]], state: InstanceState) -> History:
    """Return the course of an instance from its events, and what these have come to."""
    everything = list(timed)
    lives = Lives()
    lives.take(everything)
    arrivals: dict[int, dict[int, float]] = {}
    released: dict[int, float] = {}
    online: list[tuple[float, int]] = []
    timers: list[tuple[float, events.Timer]] = []
    usage: list[Usage] = []
    moments: list[Moment] = []
    wanted = 0
    for t, event in everything:
        if isinstance(event, events.Pmi):
            known = event.barrier in arrivals or len(arrivals) < _BARRIERS
            if event.phase == "barrier" and known and 0 <= event.rank < RANK_MAX:
                arrivals.setdefault(event.barrier, {}).setdefault(event.rank, t)
        elif isinstance(event, events.Barrier):
            released.setdefault(event.number, t)
        elif isinstance(event, events.Online):
            online.append((t, len(ranks_of(event.ranks))))
        elif isinstance(event, events.Quorum):
            wanted = event.size
        elif isinstance(event, events.Sample) and (used := _usage(t, event)) is not None:
            usage.append(used)
        elif isinstance(event, events.Timer):
            timers.append((t, event))
        if isinstance(event, _TOLD) or _matters(event):
            moments.append(Moment(t, _told(event)))
    moments += _stops(state)
    moments.sort(key=lambda one: one.t)
    half, left = _MOMENTS // 2, max(0, len(moments) - _MOMENTS)
    return History(
        lives,
        [Barrier(n, arrivals[n], released.get(n)) for n in sorted(arrivals)],
        online,
        wanted,
        timers,
        usage[:: max(1, len(usage) // _POINTS)],
        moments if not left else moments[:half] + moments[-half:],
        left,
    )


def _usage(t: float, event: events.Sample) -> Usage | None:
    ranks = sorted(ranks_of(event.ranks))
    if not ranks or not event.cpu or not event.rss:
        return None
    cpu, rss = zip(event.cpu, ranks, strict=False), zip(event.rss, ranks, strict=False)
    return Usage(t, sum(event.cpu), sum(event.rss), max(cpu), max(rss))


def _matters(event: Event) -> bool:
    """Tell whether an event that every rank has is worth telling: rank 0's, or a bad end."""
    if isinstance(event, events.Exit):
        return event.rank == 0 or bool(event.code or event.signum)
    if isinstance(event, events.Pmi):
        return event.phase == "closed"
    return isinstance(event, events.State) and event.rank == 0


def _told(event: Event) -> str:
    if isinstance(event, events.Violation):
        return f"rank {event.rank} broke the PMI protocol: {event.text}"
    if isinstance(event, events.Abort):
        return f"rank {event.rank} called PMI abort with code {event.code}: {event.text}"
    if isinstance(event, events.Timeout):
        return "time is up (--timeout)"
    if isinstance(event, events.Pmi):
        return f"rank {event.rank} cut off from PMI"
    return happened.told(event)


def _stops(state: InstanceState) -> Iterator[Moment]:
    """Yield when processes were seen to be stopped, and to go on."""
    for rank, broker in state.brokers.items():
        for begin, end in broker.stops:
            yield Moment(begin, f"rank {rank} seen to be suspended")
            if end is not None and broker.exit_t != end:
                yield Moment(end, f"rank {rank} goes on")


def together(moments: list[Moment]) -> list[Moment]:
    """Return moments, neighbors that tell the same of one rank each as one."""
    found: list[tuple[float, str, set[int]]] = []
    for t, text in moments:
        name, rank, rest = _split(text)
        if rank is not None and found and found[-1][1] == rest:
            found[-1][2].add(rank)
        else:
            found.append((t, rest if rank is not None else name, set() if rank is None else {rank}))
    return [Moment(t, _joined(text, ranks)) for t, text, ranks in found]


def _split(text: str) -> tuple[str, int | None, str]:
    words = text.split(" ", 2)
    if len(words) == 3 and words[0] == "rank" and words[1].isascii() and words[1].isdigit():
        return text, int(words[1][:9]), words[2]
    return text, None, ""


def _joined(text: str, ranks: set[int]) -> str:
    if not ranks:
        return text
    return f"rank{'' if len(ranks) == 1 else 's'} {idset.encode(ranks)} {text}"
