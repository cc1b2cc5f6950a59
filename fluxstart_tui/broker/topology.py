"""The shape of the tree based overlay network (flux-core: overlay/topology.c, libutil/kary.c)."""

from __future__ import annotations

from fluxstart_tui.broker.errors import BuiltinsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.broker.attrs import Attributes

_DEFAULT = "kary:32"


def configure(attrs: Attributes, rank: int, size: int) -> Topology:
    """Make the topology that attributes ask for, and set those that describe it.

    Raises:
        BuiltinsError: there is no such topology.
    """
    fanout = attrs.get("tbon.fanout")
    uri = attrs.setdefault("tbon.topo", _DEFAULT if fanout is None else f"kary:{fanout}")
    tree = Topology(uri or "", size)
    attrs.set("tbon.level", str(tree.level(rank)))
    attrs.set("tbon.maxlevel", str(tree.level(size - 1)))
    attrs.set("tbon.descendants", str(len(tree.subtree(rank)) - 1))
    return tree


class Topology:
    """A k-ary tree of ranks, rank 0 at its root.

    Args:
        uri: `kary:K`; K = 0 puts all ranks below rank 0.
        size: number of ranks.

    Raises:
        BuiltinsError: there is no such topology.
    """

    def __init__(self, uri: str, size: int) -> None:
        scheme, _, path = uri.partition(":")
        if scheme != "kary":
            raise BuiltinsError(
                f"error creating '{uri}' topology: unknown topology scheme '{scheme}'"
            )
        if not (path.isascii() and path.isdigit()):
            raise BuiltinsError(
                f"error creating '{uri}' topology: kary k value must be an integer >= 0"
            )
        self.size = size
        self._k = int(path) or max(1, size - 1)

    def parent(self, rank: int) -> int | None:
        """Return the parent of a rank, None for rank 0."""
        return (rank - 1) // self._k if rank else None

    def children(self, rank: int) -> range:
        """Return the children of a rank."""
        first = rank * self._k + 1
        return range(min(first, self.size), min(first + self._k, self.size))

    def subtree(self, rank: int) -> list[int]:
        """Return a rank and all ranks below it."""
        ranks = [rank]
        for one in ranks:
            ranks.extend(self.children(one))
        return ranks

    def level(self, rank: int) -> int:
        """Return the distance of a rank from rank 0."""
        level = 0
        while rank:
            rank = (rank - 1) // self._k
            level += 1
        return level
