"""The shape of the tree based overlay network (flux-core: overlay/topology.c, libutil/kary.c)."""

from __future__ import annotations

from fluxstart_tui.broker.errors import BuiltinsError
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fluxstart_tui.broker.attrs import Attributes

_MINCRIT_FANOUT = 1024


def configure(
    attrs: Attributes, rank: int, size: int, custom: Sequence[int] | None = None
) -> Topology:
    """Make the topology that attributes ask for, and set those that describe it.

    Args:
        attrs: tbon.topo.
        rank: this broker.
        size: number of brokers.
        custom: the parents that the configuration gives to all ranks, if there is one.

    Raises:
        BuiltinsError: there is no such topology.
    """
    uri = attrs.get("tbon.topo") or ""
    try:
        tree = Topology(_parents(uri, size, custom))
    except ValueError as error:
        raise BuiltinsError(f"error creating '{uri}' topology: {error}") from None
    if len(tree.subtree(0)) < size:
        raise BuiltinsError(f"error creating '{uri}' topology: some ranks are not below rank 0")
    routers = {0, *tree.routers()}
    attrs.setdefault("broker.critical-ranks", idset.encode(routers))
    attrs.set("tbon.level", str(tree.level(rank)))
    attrs.set("tbon.maxlevel", str(tree.maxlevel()))
    attrs.set("tbon.descendants", str(len(tree.subtree(rank)) - 1))
    return tree


class Topology:
    """A tree of ranks, rank 0 at its root.

    Args:
        parents: the parent of each rank; that of rank 0 is not looked at.
    """

    def __init__(self, parents: Sequence[int]) -> None:
        self._parents = parents
        self._children: dict[int, list[int]] = {}
        for rank in range(1, len(parents)):
            self._children.setdefault(parents[rank], []).append(rank)

    def parent(self, rank: int) -> int | None:
        """Return the parent of a rank, None for rank 0."""
        return self._parents[rank] if rank else None

    def children(self, rank: int) -> Sequence[int]:
        """Return the children of a rank."""
        return self._children.get(rank, ())

    def routers(self) -> list[int]:
        """Return the ranks that have others below them."""
        return list(self._children)

    def subtree(self, rank: int) -> list[int]:
        """Return a rank and all ranks below it."""
        ranks = [rank]
        for one in ranks:
            ranks.extend(self.children(one))
        return ranks

    def hop(self, rank: int, target: int) -> int | None:
        """Return the child of `rank` by way of which `target` is reached, None if it is not."""
        if target < len(self._parents):
            while target:
                above = self._parents[target]
                if above == rank:
                    return target
                target = above
        return None

    def level(self, rank: int) -> int:
        """Return the distance of a rank from rank 0."""
        level = 0
        while rank:
            rank = self._parents[rank]
            level += 1
        return level

    def maxlevel(self) -> int:
        """Return the distance of the farthest rank from rank 0."""
        # Parents come before their children here, so the last one is as far away as any.
        return self.level(self.subtree(0)[-1])


def _parents(uri: str, size: int, custom: Sequence[int] | None) -> Sequence[int]:
    scheme, colon, path = uri.partition(":")
    make = _SCHEMES.get(scheme)
    if make is not None:
        return make(path, size)
    if scheme != "custom":
        raise ValueError(f"unknown topology scheme '{scheme}'")
    if colon and path:
        raise ValueError(f"unknown custom topology directive: '{path}'")
    return [0] * size if custom is None else custom


def _width(scheme: str, path: str) -> int:
    if not (path.isascii() and path.isdigit()):
        raise ValueError(f"{scheme} k value must be an integer >= 0")
    return int(path)


def _kary(path: str, size: int) -> Sequence[int]:
    k = _width("kary", path) or max(1, size - 1)
    return [(rank - 1) // k for rank in range(size)]


def _mincrit(path: str, size: int) -> Sequence[int]:
    """Put all ranks below K routers; without K, there are only as many routers as there must be."""
    k = 0
    if path:
        k = _width("mincrit", path)
    elif size > _MINCRIT_FANOUT + 1:
        k = 2
        while (size - 1 - k) > _MINCRIT_FANOUT * k:
            k += 1
    return [(rank - k - 1) % k + 1 if k and rank > k else 0 for rank in range(size)]


def _binomial(path: str, size: int) -> Sequence[int]:
    if path:
        raise ValueError(f"unknown binomial topology directive: '{path}'")
    return [rank & (rank - 1) for rank in range(size)]


_SCHEMES: dict[str, Callable[[str, int], Sequence[int]]] = {
    "kary": _kary,
    "mincrit": _mincrit,
    "binomial": _binomial,
}
