"""What a broker does in each of its states, and on signals (flux-core: broker/state_machine.c)."""

from __future__ import annotations

import errno
import os

from fluxstart_tui.broker import state as states
from fluxstart_tui.broker.quorum import Quorum, quorum_size
from fluxstart_tui.broker.services import unpack
from fluxstart_tui.broker.state import StateMachine
from fluxstart_tui.rfc import hostlist, idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.boot import Card, Identity
    from fluxstart_tui.broker.children import Children
    from fluxstart_tui.broker.errors import BuiltinsError
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.parent import Parent
    from fluxstart_tui.broker.quorum import Online
    from fluxstart_tui.broker.runat import Runat
    from fluxstart_tui.broker.services import Services
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rfc.message import Message

_QUORUM_WARN = 60.0
_SHUTDOWN_WARN = 60.0
_GOODBYE_TIMEOUT = 60.0


class Lifecycle:
    """Drives a broker through its states.

    Args:
        reactor: runs everything.
        log: takes the lines.
        attrs: say how long to wait for what.
        identity: who we are.
        cards: names the host of each rank.
        runat: rc1, rc2 and rc3, where there are any.
        load: starts the built-in services; calls `attach` and then `post("builtins-success")`.
        unload: ends them.

    Raises:
        StartError: an attribute has no sensible value.
    """

    def __init__(
        self,
        reactor: Reactor,
        log: Log,
        attrs: Attributes,
        identity: Identity,
        cards: Mapping[int, Card],
        runat: Runat,
        load: Callable[[], None],
        unload: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._log = log
        self._rank = identity.rank
        self._cards = cards
        self._runat = runat
        # There from `attach` on, and so in all states that have a use for them.
        self._children: Children
        self._parent: Parent | None
        self._online: Online
        self._parent_state: int | None = None
        self._parent_lost = False
        self._quorum = Quorum(
            reactor,
            log,
            identity.size,
            quorum_size(attrs, log, identity.rank, identity.size),
            attrs.duration("broker.quorum-warn", _QUORUM_WARN),
            self._hosts,
            lambda: self.post("quorum-full"),
        )
        self._shutdown_warn = attrs.duration("broker.shutdown-warn", _SHUTDOWN_WARN)
        self._shutdown_timeout = attrs.duration("broker.shutdown-timeout", None)
        self._recovery = "broker.recovery-mode" in attrs
        self._exit_norestart, _ = idset.strtoul(attrs.get("broker.exit-norestart") or "")
        self._failed: BuiltinsError | None = None
        self.ignores_shutdown = False
        """Whether the parent's shutdown, and its loss, are no reason to leave: a fault on cue."""
        self.exit_code = 0
        self._actions: tuple[Callable[[], None], ...] = (
            load,
            self._join,
            self._sync_config,
            self._init,
            self._wait_for_quorum,
            self._run,
            self._clean_up,
            self._shut_down,
            self._finalize,
            self._say_goodbye,
            lambda: self._unload(unload),
            reactor.stop,
        )
        self._machine = StateMachine(reactor, log, lambda state: self._actions[state]())
        self.post = self._machine.post

    def serve(self, services: Services) -> None:
        """Answer requests about the broker's state."""
        services.add("state-machine.get", self._machine.get)
        services.add("state-machine.monitor", self._machine.monitor)

    def start(self) -> None:
        """Enter the first state."""
        self._machine.start()

    def attach(self, children: Children, parent: Parent | None, online: Online) -> None:
        """Take the network, once it is there."""
        self._children = children
        children.on_gone = self._lose_child
        self._online = online
        online.on_change = self._online_changed
        self._parent = parent
        if parent is not None:
            self._log.forward = parent.forward_log
            parent.on_joined = self._watch_parent
            parent.on_lost = self._lose_parent

    def fail_builtins(self, error: BuiltinsError) -> None:
        """Exit, since a built-in service could not be started."""
        self._failed = error
        self.exit_code = self._exit_norestart or 1
        self.post("builtins-fail")

    def kill(self, signum: int) -> None:
        """Act on a deadly signal."""
        state = self._machine.state
        commands = {states.INIT: "rc1", states.RUN: "rc2", states.FINALIZE: "rc3"}
        events = {
            states.JOIN: "parent-fail",
            states.CONFIG_SYNC: "sync-fail",
            states.INIT: "rc1-fail",
            states.QUORUM: "quorum-fail",
            states.RUN: "shutdown",
        }
        if commands.get(state, "") in self._runat:
            self._runat.abort(commands[state])
        elif state in events:
            # An event that leads on to the next state and waits already would make it be ignored.
            self._machine.supersede(events[state])
        elif state not in (states.CLEANUP, states.FINALIZE):
            self._log.info(f"ignored signal {signum} in {self._machine.name}")

    def _join(self) -> None:
        if self._rank == 0:
            self.post("parent-none")
        else:
            self._check_parent()

    def _sync_config(self) -> None:
        # There is no configuration that a parent could have changed.
        self.post("sync-success" if self._rank else "sync-none")

    def _init(self) -> None:
        if "rc1" in self._runat:
            self._runat.start("rc1", self._rc1_done)
        else:
            self.post("rc1-none")

    def _rc1_done(self, code: int) -> None:
        if code == 0:
            self.post("rc1-success")
        elif self._recovery:
            self.post("rc1-ignorefail")
        else:
            self.exit_code = self._exit_norestart or code
            self.post("rc1-fail")

    def _wait_for_quorum(self) -> None:
        if self._rank == 0:
            self._quorum.wait()
        self._online.join()
        if self._rank:
            self._check_parent()

    def _run(self) -> None:
        if "rc2" in self._runat:
            self._runat.start("rc2", lambda code: self._done("rc2", code))
        elif self._rank == 0:
            self.post("rc2-none")
        else:
            self._check_parent()

    def _done(self, name: str, code: int) -> None:
        self.exit_code = self.exit_code or code
        self.post(f"{name}-fail" if code else f"{name}-success")

    def _clean_up(self) -> None:
        self._children.spurning = True
        self.post("cleanup-none")

    def _shut_down(self) -> None:
        self._quorum.stop()
        self._children.spurning = True
        if not self._children.online:
            self.post("children-none")
            return
        if self._shutdown_warn is not None:
            self._reactor.call_later(self._shutdown_warn, self._warn_of_shutdown)
        if self._shutdown_timeout is not None and self._rank == 0:
            self._reactor.call_later(self._shutdown_timeout, self._end_shutdown)

    def _warn_of_shutdown(self) -> None:
        if self._machine.state == states.SHUTDOWN and self._shutdown_warn is not None:
            ranks = self._children.online
            self._log.err(
                f"shutdown delayed: waiting for {len(ranks)} peers:"
                f" {self._hosts(ranks)} (rank {idset.encode(ranks)})"
            )
            self._reactor.call_later(self._shutdown_warn, self._warn_of_shutdown)

    def _end_shutdown(self) -> None:
        if self._machine.state == states.SHUTDOWN:
            self._log.err("shutdown timeout")
            self.post("children-complete")

    def _finalize(self) -> None:
        if "rc3" in self._runat:
            self._runat.start("rc3", lambda code: self._done("rc3", code))
        else:
            self.post("rc3-none")

    def _say_goodbye(self) -> None:
        if self._parent is None:
            self.post("goodbye")
            return
        self._parent.goodbye(lambda: self.post("goodbye"))
        self._reactor.call_later(_GOODBYE_TIMEOUT, self._end_goodbye)

    def _end_goodbye(self) -> None:
        if self._machine.state == states.GOODBYE:
            self._log.err(f"goodbye timeout after {_GOODBYE_TIMEOUT:.1f}s")
            self.post("goodbye")

    def _unload(self, unload: Callable[[], None]) -> None:
        unload()
        if self._failed is not None:
            self._log.err(f"{self._failed.app}: {os.strerror(self._failed.errnum)}")
        self.post("builtins-done")

    def _watch_parent(self) -> None:
        assert self._parent is not None
        # Later states of the parent are of no concern: it waits for us in this one.
        final = {"final": states.SHUTDOWN}
        self._parent.ask("state-machine.monitor", final, self._parent_changed, streaming=True)

    def _parent_changed(self, response: Message) -> None:
        if response.errnum == errno.ENODATA:
            return
        state = None if response.errnum else unpack(response).get("state")
        if isinstance(state, int):
            self._parent_state = state
        else:
            self._parent_lost = True
        self._check_parent()

    def _check_parent(self) -> None:
        """Post what the parent's state means to ours."""
        parent = states.EXIT if self._parent_lost else self._parent_state
        if parent is not None and not (self.ignores_shutdown and parent > states.RUN):
            event = states.event_of_parent(self._machine.state, parent)
            if event is not None:
                self.post(event)

    def _lose_parent(self) -> None:
        self._log.forward = None
        self._parent_lost = True
        self.exit_code = 1
        self._check_parent()

    def _lose_child(self, rank: int) -> None:
        self._online.lose(rank)
        if self._machine.state == states.SHUTDOWN and not self._children.online:
            self.post("children-complete")

    def _online_changed(self, former: frozenset[int]) -> None:
        online = self._online.members
        self._quorum.changed(online)
        if self._machine.state in (states.RUN, states.CLEANUP):
            self._quorum.report_dead(former - online)

    def _hosts(self, ranks: Iterable[int]) -> str:
        return hostlist.encode([self._cards[rank].host for rank in sorted(ranks)])
