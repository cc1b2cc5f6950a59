"""When enough brokers are online (flux-core: broker/state_machine.c)."""

from __future__ import annotations

from fluxstart_tui.broker.errors import StartError
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.reactor import Reactor

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
