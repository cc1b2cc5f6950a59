"""When each rank came to each phase of a start and an end: the one source for all reports."""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.diagnose import progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.session.state import InstanceState


class Phase(NamedTuple):
    """When ranks came to a phase; times are seconds since the session's begin."""

    first: float | None = None
    """When the first of them came; None if that is known of nobody."""
    last: float | None = None
    """When the last of those did of whom it is known."""
    ranks: dict[int, float] = {}
    """When each did, by rank; one of which it is not known is missing."""

    @property
    def last_rank(self) -> int | None:
        """Who came last; None if that is not known, or was no race: several at once, or one."""
        late = [rank for rank, t in self.ranks.items() if t == self.last]
        return late[0] if len(late) == 1 < len(self.ranks) else None


def times(state: InstanceState) -> dict[str, Phase]:
    """Return when ranks came to the phases of an instance.

    Args:
        state: what it has come to.

    Returns:
        Phases by their names in the UI's strip (diagnose/progress.py), in their order; those that
        this kind of instance has not, such as PMI's of a singleton, are missing. A rank that was
        only seen later, since it was asked but now and then, has no time for what it passed.
    """
    found: dict[str, dict[int, float]] = {phase.name: {} for phase in progress.phases(state)}
    for rank in sorted(state.brokers):
        for name, t in progress.came(state.brokers[rank]):
            if name in found:
                found[name][rank] = t
    return {
        name: Phase(min(ranks.values()), max(ranks.values()), ranks) if ranks else Phase()
        for name, ranks in found.items()
    }
