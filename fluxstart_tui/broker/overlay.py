"""How the tree is, on demand: overlay.health and its like (flux-core: overlay/overlay.c)."""

from __future__ import annotations

import errno

from fluxstart_tui.broker.child import OFFLINE, STATUSES
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.broker.child import Child
    from fluxstart_tui.broker.children import Children
    from fluxstart_tui.broker.parent import Parent
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.broker.topology import Topology
    from fluxstart_tui.rpc.services import Request


class Overlay:
    """Answers requests about the tree from here on downwards.

    Args:
        router: gets the handlers.
        children: those below.
        topology: who is below them.
        parent: gives the link to whoever is above, None if there is nobody.
    """

    def __init__(
        self,
        router: Router,
        children: Children,
        topology: Topology,
        parent: Callable[[], Parent | None],
    ) -> None:
        self._router = router
        self._children = children
        self._topology = topology
        self._parent = parent
        self._streams = router.streams("overlay")
        children.on_change = self._changed
        router.add("overlay.topology", self._get_topology)
        router.add("overlay.health", self._get_health)
        router.add("overlay.monitor", self._monitor)
        router.add("overlay.stats-get", self._get_stats)
        router.add("overlay.disconnect-subtree", self._disconnect)

    def _get_topology(self, request: Request) -> None:
        rank = _rank(request)
        if rank != self._router.rank and rank not in self._children.all:
            text = "requested rank is not this broker or its direct child"
            raise RpcError(errno.ENOENT, text)
        nodes: dict[int, dict[str, object]] = {}
        # From the leaves on, so that those below are there.
        for one in reversed(self._topology.subtree(rank)):
            below = self._topology.children(one)
            size = 1 + sum(int(str(nodes[child]["size"])) for child in below)
            children = [nodes[child] for child in below]
            nodes[one] = {"rank": one, "size": size, "children": children}
        request.respond(nodes[rank])

    def _get_health(self, request: Request) -> None:
        request.unpack()
        if request.streaming:
            self._streams.append(request)
        request.respond(self._health())

    def _health(self) -> dict[str, object]:
        now = self._router.now()
        entries = []
        for child in self._children.all.values():
            entry: dict[str, object] = {
                "rank": child.rank,
                "status": STATUSES[child.status],
                "duration": now - child.since,
            }
            if not child.online and child.error:
                entry["error"] = child.error
            entries.append(entry)
        return {
            "rank": self._router.rank,
            "status": STATUSES[self._children.status],
            "duration": now - self._children.since,
            "children": entries,
        }

    def _monitor(self, request: Request) -> None:
        """Tell how the children are, and each change; those offline are left out at first."""
        request.unpack()
        if not request.streaming:
            raise RpcError(errno.EPROTO)
        for child in self._children.all.values():
            if child.status != OFFLINE or child.torpid:
                _tell(request, child)
        self._streams.append(request)

    def _changed(self, child: Child) -> None:
        health: dict[str, object] = {}
        for request in list(self._streams):
            if request.message.topic == "overlay.monitor":
                _tell(request, child)
            else:
                health = health or self._health()
                request.respond(health)

    def _get_stats(self, request: Request) -> None:
        request.unpack()
        parent, children = self._parent(), self._children.all.values()
        request.respond(
            {
                "child-count": len(children),
                "child-connected": len(self._children.online),
                "parent-count": 0 if parent is None else 1,
                "parent-rpc": 0 if parent is None else parent.rpcs,
                "child-rpc": sum(len(child.pending) for child in children),
                "interthread": {"sendq": 0, "recvq": 0},
            }
        )

    def _disconnect(self, request: Request) -> None:
        """Force a child out, and all below it."""
        rank = _rank(request)
        child = self._children.all.get(rank)
        if child is None:
            raise RpcError(errno.ENOENT, "requested rank is not this broker's direct child")
        if not child.online:
            raise RpcError(errno.EINVAL, f"rank {rank} is already {STATUSES[child.status]}")
        self._children.disconnect(child)
        request.respond()


def _rank(request: Request) -> int:
    rank = request.unpack().get("rank")
    if not isinstance(rank, int) or isinstance(rank, bool):
        raise RpcError(errno.EPROTO)
    return rank


def _tell(request: Request, child: Child) -> None:
    request.respond({"rank": child.rank, "status": STATUSES[child.status], "torpid": child.torpid})
