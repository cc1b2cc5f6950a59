"""Who is whose parent in the tree based overlay network (flux-core: overlay/topology.c)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Parent = Callable[[int], int | None]

DEFAULT = "kary:32"
"""flux-core's topology since v0.62."""

_MINCRIT_FANOUT = 1024


def parents(topology: str | None, size: int) -> Parent:
    """Return the function that names a rank's parent; rank 0 has none.

    Args:
        topology: value of tbon.topo, None for the default. What can not be known from it alone
            (custom) or is none is taken to be flat.
        size: number of brokers.
    """
    scheme, _, path = (topology or DEFAULT).partition(":")
    # Nothing has 10 digits here; int() refuses thousands of them with an error of its own.
    width = int(path) if path.isascii() and path.isdigit() and len(path) < 10 else None
    if scheme == "kary" and width is not None:
        k = width or max(1, size - 1)
        return lambda rank: (rank - 1) // k if rank > 0 else None
    if scheme == "binomial":
        return lambda rank: rank & (rank - 1) if rank > 0 else None
    routers = _routers(size) if scheme == "mincrit" and not path else width or 0
    if scheme == "mincrit" and routers:
        return lambda rank: _mincrit(rank, routers) if rank > 0 else None
    return lambda rank: 0 if rank > 0 else None


def _routers(size: int) -> int:
    """Return how many routers mincrit makes of itself: only as many as there must be."""
    below = max(0, size - 1)
    return 0 if below <= _MINCRIT_FANOUT else max(2, -(-below // (_MINCRIT_FANOUT + 1)))


def _mincrit(rank: int, routers: int) -> int:
    return (rank - routers - 1) % routers + 1 if rank > routers else 0


def topmost(ranks: frozenset[int], parent: Parent) -> frozenset[int]:
    """Return those of some ranks whose parent is none of them.

    Ranks below one that is missing are its victims, so only these are worth naming.
    """
    return frozenset(rank for rank in ranks if parent(rank) not in ranks)


def deepest(ranks: frozenset[int], parent: Parent) -> frozenset[int]:
    """Return those of some ranks that are above none of them: a shutdown waits for these."""
    above: set[int | None] = {None}
    for rank in ranks:
        one = parent(rank)
        while one not in above:
            above.add(one)
            one = parent(one) if one is not None else None
    return ranks - above
