"""Which rank's end made the launcher end the others."""

from __future__ import annotations

import re
from typing import NamedTuple

from fluxstart_tui.diagnose.launch.finding import end_of, named
from fluxstart_tui.diagnose.launch.launch import SLACK
from fluxstart_tui.diagnose.launch.state import ENDED
from fluxstart_tui.diagnose.words import who

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.launch import Launch
    from fluxstart_tui.diagnose.launch.state import Rank

_BY_LAUNCHER = re.compile(r"\b(?:SIGKILL|SIGTERM|Killed|Terminated)\b")
"""How launchers end the others."""


class First(NamedTuple):
    """The rank that is taken for the first."""

    rank: int
    says: str
    sure: bool = True


def ended(launch: Launch) -> First | None:
    """Return the rank that ended first and what to say of it, None if nothing tells.

    A launcher hears that a task is gone before the kernel shows its end, so those that it kills for
    it may be seen to end before. Who ended in another way than they do has ended by itself.
    """
    ends = {rank: one.exit for rank, one in launch.ranks.items() if one.exit is not None}
    if not ends:
        failed = {rank: one.errors[0].number for rank, one in launch.ranks.items() if one.errors}
        first = min(failed, key=failed.__getitem__, default=-1)
        return First(first, _sentence(launch, first)) if failed else None
    first = min(ends, key=lambda rank: ends[rank].order)
    if not ends[first].seen:
        return First(first, _sentence(launch, first))  # launchers tell it in this order
    last = ends[first].order[0] + SLACK
    moment = {rank for rank, end in ends.items() if end.order[0] <= last}
    own = {rank for rank in moment if by_itself(launch.ranks[rank])}
    first = min(own or moment, key=lambda rank: ends[rank].order)
    others = moment - {first}
    if own or not others:
        return First(first, _sentence(launch, first))
    doubt = f"; {who(others)} ended in the same moment, so that may have been the first instead"
    return First(first, _sentence(launch, first) + doubt, sure=False)


def _sentence(launch: Launch, first: int) -> str:
    return f"{named(launch, {first})} {end_of(launch.ranks[first])}"


def by_itself(rank: Rank) -> bool:
    """Tell whether a rank has ended in another way than launchers end them."""
    end = rank.exit
    if end is None or end.how == ENDED or end.hung_up:
        return False
    return bool(rank.errors) or not _BY_LAUNCHER.search(end.how)
