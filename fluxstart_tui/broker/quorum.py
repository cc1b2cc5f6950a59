"""Who is online, and when that is enough (flux-core: modules/groups, state_machine.c)."""

from __future__ import annotations

import errno

from fluxstart_tui.broker.errors import StartError
from fluxstart_tui.broker.services import ServiceError
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.services import Request
    from fluxstart_tui.broker.topology import Topology
    from fluxstart_tui.reactor import Reactor

_BATCH_SECONDS = 0.01
_ONLINE_SECONDS = 5.0


def quorum_size(attrs: Attributes, log: Log, rank: int, size: int) -> int:
    """Return how many brokers make a quorum, as broker.quorum says.

    Raises:
        StartError: it says nothing sensible.
    """
    value = attrs.setdefault("broker.quorum", str(size))
    former = {"0": 1, f"0-{size - 1}": size}.get(value or "")
    if former is not None:
        if rank == 0:
            log.err(f"warning: broker.quorum is now a size - assuming {former}")
        return former
    # strtoul(3) stops at what is no digit.
    wanted, _ = idset.strtoul(value or "")
    if not 1 <= wanted <= size:
        raise StartError("Error parsing broker.quorum attribute")
    return wanted


class Online:
    """The group `broker.online`: on rank 0 all brokers in it, elsewhere those of the subtree.

    Changes travel towards rank 0. A broker with children waits a moment for more of them; rank 0
    does so only for those that leave, since it may be about to leave, too.

    Args:
        reactor: for that moment.
        topology: tells who is lost with a child.
        rank: this broker.
        tell: sends a request's topic and payload up; None on rank 0.
    """

    def __init__(
        self,
        reactor: Reactor,
        topology: Topology,
        rank: int,
        tell: Callable[[str, object], None] | None,
    ) -> None:
        self._reactor = reactor
        self._topology = topology
        self._rank = rank
        self._tell = tell
        self._unsent: dict[int, bool] = {}
        self._delay = _BATCH_SECONDS if topology.children(rank) else 0.0
        self._told: frozenset[int] = frozenset()
        self.members: frozenset[int] = frozenset()
        self.on_change: Callable[[frozenset[int]], None] = lambda _: None
        """Called on rank 0 with the members before a change."""

    def join(self) -> None:
        """Become a member."""
        self._update((self._rank,), ())

    def lose(self, child: int) -> None:
        """Take out a child that is gone, and with it all that were reached through it."""
        self._update((), self.members.intersection(self._topology.subtree(child)))

    def update(self, request: Request) -> None:
        """Answer groups.update, by which a child tells of changes in its subtree."""
        fields = request.unpack()
        try:
            join, leave = (idset.decode(str(fields[name])) for name in ("join", "leave"))
        except (KeyError, ValueError):
            raise ServiceError(errno.EPROTO) from None
        self._update(join, leave)

    def _update(self, join: Iterable[int], leave: Iterable[int]) -> None:
        self.members = self.members.union(join).difference(leave)
        if self._tell is None:
            if leave:
                self._reactor.call_later(self._delay, self._report)
            else:
                self._report()
            return
        if not self._unsent:
            self._reactor.call_later(self._delay, self._send)
        self._unsent.update(dict.fromkeys(join, True))
        self._unsent.update(dict.fromkeys(leave, False))

    def _report(self) -> None:
        former, self._told = self._told, self.members
        if former != self.members:
            self.on_change(former)

    def _send(self) -> None:
        sets = {
            name: idset.encode(rank for rank, member in self._unsent.items() if member is wanted)
            for name, wanted in (("join", True), ("leave", False))
        }
        self._unsent = {}
        assert self._tell is not None
        self._tell("groups.update", sets)


class Quorum:
    """Rank 0's wait for enough brokers, and its view of who is there afterwards.

    Args:
        reactor: drives the warnings.
        log: takes the lines.
        size: number of brokers.
        wanted: how many of them make a quorum.
        warn: seconds between warnings, None for none.
        hosts: names the hosts of ranks.
        reached: called when there are enough.
    """

    def __init__(
        self,
        reactor: Reactor,
        log: Log,
        size: int,
        wanted: int,
        warn: float | None,
        hosts: Callable[[Iterable[int]], str],
        reached: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._log = log
        self._all = frozenset(range(size))
        self._wanted = wanted
        self._warn = warn
        self._hosts = hosts
        self._reached = reached
        self._online: frozenset[int] = frozenset()
        self._told: float | None = None
        self._warned = False
        self._waiting = False

    def wait(self) -> None:
        """Start to wait."""
        self._waiting = True
        if self._warn:
            self._reactor.call_later(self._warn, self._warn_again)
        if self._online:
            self.changed(self._online)

    def stop(self) -> None:
        """Wait no more: the instance is going down."""
        self._waiting = False

    def changed(self, online: frozenset[int]) -> None:
        """Take the brokers that are online."""
        self._online = online
        if not self._waiting:
            return
        enough = len(online) >= self._wanted
        now = self._reactor.now()
        if online and (enough or self._told is None or now - self._told > _ONLINE_SECONDS):
            self._log.info(f"online: {self._hosts(online)} (ranks {idset.encode(online)})")
            self._told = now
        if enough:
            self._waiting = False
            if self._warned:
                self._log.err("quorum reached")
            self._reached()

    def report_dead(self, lost: frozenset[int]) -> None:
        """Log brokers that left while the instance was running."""
        if lost:
            self._log.err(f"dead to Flux: {self._hosts(lost)} (rank {idset.encode(lost)})")

    def _warn_again(self) -> None:
        if self._waiting and self._warn:
            missing = self._all - self._online
            hosts = self._hosts(missing)
            self._log.err(f"quorum delayed: waiting for {hosts} (rank {idset.encode(missing)})")
            self._warned = True
            self._reactor.call_later(self._warn, self._warn_again)
