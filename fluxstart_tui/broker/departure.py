"""Waits on the way out: for children, and for the parent (flux-core: broker/state_machine.c)."""

from __future__ import annotations

from fluxstart_tui.broker import state as states
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.children import Children
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.parent import Parent
    from fluxstart_tui.broker.state import StateMachine
    from fluxstart_tui.reactor import Reactor

_SHUTDOWN_WARN = 60.0
_GOODBYE_TIMEOUT = 60.0
_UNLOAD_TIMEOUT = 60.0


class Departure:
    """What is to be done in the states shutdown and goodbye.

    Args:
        reactor: drives the timers.
        log: takes the lines.
        attrs: say how long to wait.
        rank: this broker.
        machine: gets the events that end the waits.
        hosts: names the hosts of ranks.

    Raises:
        StartError: an attribute has no sensible value.
    """

    def __init__(
        self,
        reactor: Reactor,
        log: Log,
        attrs: Attributes,
        rank: int,
        machine: StateMachine,
        hosts: Callable[[Iterable[int]], str],
    ) -> None:
        self._reactor = reactor
        self._log = log
        self._machine = machine
        self._hosts = hosts
        self._warn = attrs.duration("broker.shutdown-warn", _SHUTDOWN_WARN)
        timeout = attrs.duration("broker.shutdown-timeout", None)
        self._timeout = None if rank else timeout
        # What this would limit takes no time here: sockets are closed, there are no threads.
        attrs.duration("broker.unload-builtins-timeout", _UNLOAD_TIMEOUT)

    def await_children(self, children: Children) -> None:
        """Wait until they are gone; `miss` is to be called with each that goes."""
        if not children.online:
            self._machine.post("children-none")
        if self._warn is not None:
            self._reactor.call_later(self._warn, lambda: self._warn_again(children))
        if self._timeout is not None:
            self._reactor.call_later(self._timeout, self._expire)

    def miss(self, children: Children) -> None:
        """See whether a child that is gone was the last one to wait for."""
        if self._machine.state == states.SHUTDOWN and not children.online:
            self._machine.post("children-complete")

    def _warn_again(self, children: Children) -> None:
        if self._machine.state == states.SHUTDOWN and self._warn is not None:
            ranks = children.online
            self._log.err(
                f"shutdown delayed: waiting for {len(ranks)} peers:"
                f" {self._hosts(ranks)} (rank {idset.encode(ranks)})"
            )
            self._reactor.call_later(self._warn, lambda: self._warn_again(children))

    def _expire(self) -> None:
        # flux-broker says so even if the children are gone and it is rc3 that takes its time.
        self._log.err("shutdown timeout")
        self._machine.post("children-complete")

    def take_leave(self, parent: Parent | None) -> None:
        """Say goodbye to the parent, and wait a while for its answer."""
        if parent is None:
            self._machine.post("goodbye")
            return
        parent.goodbye(lambda: self._machine.post("goodbye"))
        self._reactor.call_later(_GOODBYE_TIMEOUT, self._leave_unanswered)

    def _leave_unanswered(self) -> None:
        if self._machine.state == states.GOODBYE:
            self._log.err(f"goodbye timeout after {_GOODBYE_TIMEOUT:.1f}s")
            self._machine.post("goodbye")
