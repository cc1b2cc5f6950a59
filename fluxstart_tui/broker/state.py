"""The broker's states and events (flux-core: broker/state_machine.c)."""

from __future__ import annotations

import errno

from fluxstart_tui.rfc import fsd
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rpc.services import Request

NAMES = (
    "load-builtins",
    "join",
    "config-sync",
    "init",
    "quorum",
    "run",
    "cleanup",
    "shutdown",
    "finalize",
    "goodbye",
    "unload-builtins",
    "exit",
)
"""States by number, as state-machine.monitor counts them."""

(
    LOAD_BUILTINS,
    JOIN,
    CONFIG_SYNC,
    INIT,
    QUORUM,
    RUN,
    CLEANUP,
    SHUTDOWN,
    FINALIZE,
    GOODBYE,
    UNLOAD_BUILTINS,
    EXIT,
) = range(12)

_NEXT = {
    (LOAD_BUILTINS, "builtins-success"): JOIN,
    (LOAD_BUILTINS, "builtins-fail"): UNLOAD_BUILTINS,
    (JOIN, "parent-ready"): CONFIG_SYNC,
    (JOIN, "parent-none"): CONFIG_SYNC,
    (JOIN, "parent-fail"): SHUTDOWN,
    (CONFIG_SYNC, "sync-success"): INIT,
    (CONFIG_SYNC, "sync-none"): INIT,
    (CONFIG_SYNC, "sync-fail"): SHUTDOWN,
    (INIT, "rc1-success"): QUORUM,
    (INIT, "rc1-none"): QUORUM,
    (INIT, "rc1-ignorefail"): QUORUM,
    (INIT, "rc1-fail"): SHUTDOWN,
    (QUORUM, "quorum-full"): RUN,
    (QUORUM, "quorum-fail"): SHUTDOWN,
    (RUN, "rc2-success"): CLEANUP,
    (RUN, "rc2-fail"): CLEANUP,
    (RUN, "shutdown"): CLEANUP,
    (RUN, "parent-fail"): CLEANUP,
    (CLEANUP, "cleanup-success"): SHUTDOWN,
    (CLEANUP, "cleanup-none"): SHUTDOWN,
    (CLEANUP, "cleanup-fail"): SHUTDOWN,
    (SHUTDOWN, "children-complete"): FINALIZE,
    (SHUTDOWN, "children-none"): FINALIZE,
    (FINALIZE, "rc3-success"): GOODBYE,
    (FINALIZE, "rc3-none"): GOODBYE,
    (FINALIZE, "rc3-fail"): GOODBYE,
    (GOODBYE, "goodbye"): UNLOAD_BUILTINS,
    (UNLOAD_BUILTINS, "builtins-done"): EXIT,
}


def event_of_parent(state: int, parent: int) -> str | None:
    """Return the event that a parent in state `parent` means to a broker in `state`, if any."""
    if state == JOIN:
        if parent in (QUORUM, RUN):
            return "parent-ready"
        return "parent-fail" if parent > RUN else None
    if state == QUORUM:
        if parent == RUN:
            return "quorum-full"
        return "quorum-fail" if parent > RUN else None
    if state == RUN and parent >= SHUTDOWN:
        return "shutdown" if parent == SHUTDOWN else "parent-fail"
    return None


class StateMachine:
    """What state the broker is in, and what it does on the way to the next.

    Args:
        reactor: runs events one after another, never from within what posted them.
        log: gets a line for each transition.
        on_enter: called with each new state: does what is to be done in it.
    """

    def __init__(self, reactor: Reactor, log: Log, on_enter: Callable[[int], None]) -> None:
        self._reactor = reactor
        self._log = log
        self._on_enter = on_enter
        self._events: list[str] = []
        self._monitors: list[Request] = []
        self._waiters: list[Request] = []
        self._since = reactor.now()
        self.state = LOAD_BUILTINS

    @property
    def name(self) -> str:
        """Name of the state."""
        return NAMES[self.state]

    def serve(self, router: Router) -> None:
        """Answer requests about the state."""
        self._monitors = router.streams("state-machine")
        router.add("state-machine.get", self._get)
        router.add("state-machine.monitor", self._monitor)
        router.add("state-machine.wait", self._wait)

    def start(self) -> None:
        """Enter the first state."""
        self._since = self._reactor.now()
        self._on_enter(self.state)

    def post(self, event: str) -> None:
        """Have `event` processed, after those that were posted before."""
        self._events.append(event)
        if len(self._events) == 1:
            self._reactor.call_later(0, self._process)

    def supersede(self, event: str) -> None:
        """Have `event` processed in place of those that were posted before."""
        waiting = bool(self._events)
        self._events = [event]
        if not waiting:
            self._reactor.call_later(0, self._process)

    def _process(self) -> None:
        event = self._events[0]
        following = _NEXT.get((self.state, event))
        if following is None:
            self._log.debug(f"{event}: ignored in {self.name}")
        else:
            now = self._reactor.now()
            self._log.info(
                f"{event}: {self.name}->{NAMES[following]} {fsd.format(now - self._since)}"
            )
            self._since = now
            self.state = following
            self._on_enter(following)
            if self._monitors:
                self._monitors[:] = [one for one in self._monitors if self._report(one)]
            if self._waiters:
                self._waiters = [one for one in self._waiters if not self._settle(one)]
        self._events.pop(0)
        if self._events:
            self._reactor.call_later(0, self._process)

    def _get(self, request: Request) -> None:
        request.respond({"state": self.name, "duration": self._reactor.now() - self._since})

    def _monitor(self, request: Request) -> None:
        """Tell the state now and, if streaming, at each change."""
        if self._report(request):
            self._monitors.append(request)

    def _report(self, request: Request) -> bool:
        """Tell the state; return whether more is to be told."""
        try:
            final = request.unpack().get("final")
        except RpcError:
            final = None
        if not isinstance(final, int) or isinstance(final, bool):
            final = EXIT
        if self.state <= final:
            request.respond({"state": self.state})
            if not request.streaming:
                return False
        if self.state >= final:
            request.end()
            return False
        return True

    def _wait(self, request: Request) -> None:
        """Answer once the broker runs, or cannot any more."""
        if not self._settle(request):
            self._waiters.append(request)

    def _settle(self, request: Request) -> bool:
        if self.state > RUN:
            request.fail(errno.ENOENT, "broker has surpassed RUN state")
        elif self.state == RUN:
            request.respond()
        return self.state >= RUN
