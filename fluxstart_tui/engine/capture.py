"""Look once at what the brokers on this host hang in, the most suspicious of them first.

All of it is bounded in time, since nothing else is served meanwhile.
"""

from __future__ import annotations

import time

from fluxstart_tui.engine import backtrace, processes
from fluxstart_tui.probe import broker
from fluxstart_tui.probe.processes import children
from fluxstart_tui.session.events import Backtrace, Pmi, Probe, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fluxstart_tui.session.events import Event

_LOOKS = 3.0
"""Seconds for all looks at /proc, some milliseconds each."""

_STACKS = 2
"""Ranks of which a debugger is asked for stacks; it takes tenths of a second for each."""


def looks(pids: Mapping[int, int], ranks: Sequence[int]) -> Iterator[Probe]:
    """Yield how brokers look from outside, by their pids and in this order."""
    end = time.monotonic() + _LOOKS
    for rank in ranks:
        if time.monotonic() < end:
            yield Probe(rank, *broker.look(pids[rank]))


def stacks(pids: Mapping[int, int], ranks: Sequence[int]) -> Iterator[Backtrace]:
    """Yield the stacks of the first of these ranks, as far as there is a debugger."""
    for rank in ranks[:_STACKS]:
        pid, title = _innermost(pids[rank])
        if text := backtrace.live(pid):
            yield Backtrace(rank, f"{title}\n{text}")


def suspicious(pids: Mapping[int, int], past: Sequence[tuple[float, Event]]) -> list[int]:
    """Return ranks: first those that do not sleep, then by how long nothing has come of them.

    Args:
        pids: their pids, by rank.
        past: what has happened so far.
    """
    heard = {event.rank: t for t, event in past if isinstance(event, Pmi | State)}

    def key(rank: int) -> tuple[bool, float, int]:
        process = processes.read(pids[rank])
        asleep = process is not None and process.state == "S"
        return asleep, heard.get(rank, 0.0), rank

    return sorted(pids, key=key)


def _innermost(pid: int) -> tuple[int, str]:
    """Return the process that a broker waits for in the end, itself if it runs none."""
    below = children(pid)
    if not below:
        return pid, f"broker (pid {pid}):"
    last = max(below, key=lambda child: child.depth)
    return last.pid, f"{last.command[:120]} (pid {last.pid}):"
