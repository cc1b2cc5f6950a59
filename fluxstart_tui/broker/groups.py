"""Groups of brokers, such as those that are online (flux-core: modules/groups/groups.c).

On rank 0 a group has all its members, elsewhere those of the subtree. Changes travel towards
rank 0.
"""

from __future__ import annotations

import errno

from fluxstart_tui.rfc import idset
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.broker.topology import Topology
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rpc.services import Request

ONLINE = "broker.online"
TORPID = "broker.torpid"

_BATCH_SECONDS = 0.01
"""How long changes wait for more of them on their way up: flux-broker takes 0.1."""

_WATCH_SECONDS = 0.1
"""How long they wait until those who watch a group are told."""


class Groups:
    """Who is in which group.

    A broker with children waits a moment for more changes; rank 0 does so only for brokers that
    leave, since it may be about to leave, too.

    Args:
        reactor: for that moment.
        router: takes our services.
        topology: tells who is lost with a child.
        size: number of brokers.
        tell: sends a request's topic and payload up; None on rank 0.
    """

    def __init__(
        self,
        reactor: Reactor,
        router: Router,
        topology: Topology,
        size: int,
        tell: Callable[[str, object], None] | None,
    ) -> None:
        self._reactor = reactor
        self._topology = topology
        self._rank = router.rank
        self._size = size
        self._tell = tell
        self._watchers = router.streams("groups")
        self._stale: set[str] = set()
        self._unsent: dict[str, dict[int, bool]] = {}
        self._delay = _BATCH_SECONDS if topology.children(router.rank) else 0.0
        self._told: frozenset[int] = frozenset()
        self._members: dict[str, frozenset[int]] = {}
        self.on_online: Callable[[frozenset[int]], None] = lambda _: None
        """Called on rank 0 with the members of broker.online before a change."""
        router.add("groups.update", self._update)
        router.add("groups.get", self._get)
        router.add("groups.stats-get", self._get_stats)

    @property
    def online(self) -> frozenset[int]:
        """Members of broker.online."""
        return self._members.get(ONLINE, frozenset())

    def join(self) -> None:
        """Become a member of broker.online."""
        self.change(ONLINE, (self._rank,), member=True)

    def lose(self, child: int) -> None:
        """Take out a child that is gone, and with it all that were reached through it."""
        gone = self._topology.subtree(child)
        for name, members in list(self._members.items()):
            leave = members.intersection(gone)
            if leave or name == ONLINE:
                self.change(name, leave, member=False)

    def change(self, name: str, ranks: Iterable[int], *, member: bool) -> None:
        """Make ranks of our subtree members of a group, or have them leave it."""
        former = self._members.get(name, frozenset())
        members = former.union(ranks) if member else former.difference(ranks)
        self._members[name] = members
        if self._tell is not None:
            if not self._unsent:
                self._reactor.call_later(self._delay, self._send)
            self._unsent.setdefault(name, {}).update(dict.fromkeys(ranks, member))
            return
        if name == ONLINE:
            if member:
                self._report()
            else:
                self._reactor.call_later(self._delay, self._report)
        # Nobody is to miss that all are there, even if they do not stay.
        full = len(members) == self._size
        if self._watchers and former != members and (full or name not in self._stale):
            self._stale.add(name)
            self._reactor.call_later(0 if full else _WATCH_SECONDS, lambda: self._notify(name))

    def _report(self) -> None:
        former, self._told = self._told, self.online
        if former != self._told:
            self.on_online(former)

    def _send(self) -> None:
        update = {
            name: [
                {
                    "ranks": idset.encode(one for one, in_ in ranks.items() if in_ is wanted),
                    "set": wanted,
                }
                for wanted in (True, False)
                if wanted in ranks.values()
            ]
            for name, ranks in self._unsent.items()
        }
        self._unsent = {}
        assert self._tell is not None
        self._tell("groups.update", {"update": update})

    def _update(self, request: Request) -> None:
        """Answer groups.update, by which a child tells of changes in its subtree."""
        update = request.unpack().get("update")
        if not isinstance(update, dict):
            raise RpcError(errno.EPROTO)
        try:
            changes = [
                (name, idset.decode(str(one["ranks"])), bool(one["set"]))
                for name, entries in update.items()
                for one in entries
            ]
        except (KeyError, TypeError, ValueError):
            raise RpcError(errno.EPROTO) from None
        for name, ranks, member in changes:
            self.change(name, ranks, member=member)

    def _get(self, request: Request) -> None:
        """Answer groups.get: the members and, if streaming, again at each change."""
        name = request.unpack().get("name")
        if not isinstance(name, str):
            raise RpcError(errno.EPROTO)
        if self._rank:
            raise RpcError(errno.EPROTO, "this RPC is only available on rank 0")
        self._members.setdefault(name, frozenset())
        self._respond(request, name)
        if request.streaming:
            self._watchers.append(request)

    def _notify(self, name: str) -> None:
        self._stale.discard(name)
        for request in self._watchers:
            if request.unpack().get("name") == name:
                self._respond(request, name)

    def _respond(self, request: Request, name: str) -> None:
        request.respond({"members": idset.encode(self._members[name])})

    def _get_stats(self, request: Request) -> None:
        subtree = {name: idset.encode(members) for name, members in self._members.items()}
        request.respond({"subtree": subtree})
