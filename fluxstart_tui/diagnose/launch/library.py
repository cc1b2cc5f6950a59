"""Ranks that are stuck inside the PMI library of a vendor (S0)."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch.finding import Finding, last_lines, lines, named
from fluxstart_tui.diagnose.launch.state import Stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.diagnose.launch.launch import Launch

_LIBRARIES = ("libpmi2", "libpmi")


def inside(launch: Launch) -> frozenset[int]:
    """Return the ranks that have asked a library for PMI and got no answer."""
    return frozenset(
        r
        for r, rank in launch.ranks.items()
        if rank.stage == Stage.TRYING and rank.trying in _LIBRARIES and not rank.gone
    )


def stuck(launch: Launch) -> Iterator[Finding]:
    """Yield S0 if there are such ranks."""
    ranks = inside(launch)
    if ranks:
        library = launch.ranks[min(ranks)].trying
        yield Finding(
            "S0",
            f"{named(launch, ranks)}: stuck in the initialization of the PMI library {library}",
            ranks,
            lines(last_lines(launch, ranks)),
            (
                'FLUX_PMI_CLIENT_METHODS="simple single"   # without that library',
                "flux start -o,-Sbroker.boot-method=single ...   # if one node is meant",
            ),
            "5, 6",
            "likely",
        )
