"""What a broker does in each of its states, and on signals (flux-core: broker/state_machine.c)."""

from __future__ import annotations

import errno
import os

from fluxstart_tui.broker import state as states
from fluxstart_tui.broker.departure import Departure
from fluxstart_tui.broker.quorum import Quorum, quorum_size
from fluxstart_tui.broker.state import StateMachine
from fluxstart_tui.rfc import hostlist, idset
from fluxstart_tui.rpc.services import unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.boot import Card, Identity
    from fluxstart_tui.broker.children import Children
    from fluxstart_tui.broker.errors import BuiltinsError
    from fluxstart_tui.broker.groups import Groups
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.parent import Parent
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.broker.runat import Runat
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rfc.message import Message

_QUORUM_WARN = 60.0


class Lifecycle:
    """Drives a broker through its states.

    Args:
        reactor: runs everything.
        log: takes the lines.
        attrs: say how long to wait for what.
        identity: who we are.
        cards: names the host of each rank.
        runat: rc1, rc2, cleanup and rc3, where there are any.
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
        # From `attach` on, and so in all states that have a use for them:
        self._children: Children
        self._parent: Parent | None
        self._groups: Groups
        self._router: Router
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
        self._cleanup_timeout = attrs.duration("broker.cleanup-timeout", None)
        self._recovery = "broker.recovery-mode" in attrs
        self._exit_norestart, _ = idset.strtoul(attrs.get("broker.exit-norestart") or "")
        self._failed: BuiltinsError | None = None
        self.ignores_shutdown = False
        """Whether the parent's shutdown, and its loss, are no reason to leave: a fault on cue."""
        self._killed = False
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
            lambda: self._start("rc3"),
            self._say_goodbye,
            lambda: self._unload(unload),
            reactor.stop,
        )
        self._machine = StateMachine(reactor, log, lambda state: self._actions[state]())
        self.post = self._machine.post
        self._departure = Departure(reactor, log, attrs, identity.rank, self._machine, self._hosts)

    def serve(self, router: Router) -> None:
        """Answer requests about the broker's state, and about what it is to run."""
        self._router = router
        self._machine.serve(router)
        router.add("runat.push", self._runat.push)

    def start(self) -> None:
        """Enter the first state."""
        self._machine.start()

    def attach(self, children: Children, parent: Parent | None, groups: Groups) -> None:
        """Take the network, once it is there."""
        self._children = children
        children.on_gone = self._lose_child
        self._groups = groups
        groups.on_online = self._online_changed
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
        self._killed = True
        state = self._machine.state
        commands = {
            states.INIT: "rc1",
            states.RUN: "rc2",
            states.CLEANUP: "cleanup",
            states.FINALIZE: "rc3",
        }
        events = {
            states.JOIN: "parent-fail", states.CONFIG_SYNC: "sync-fail", states.INIT: "rc1-fail",
            states.QUORUM: "quorum-fail", states.RUN: "shutdown",
        }  # fmt: skip
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
        if self._rank:
            self._log.debug("parent update ignored: no change", "config")
        self.post("sync-success" if self._rank else "sync-none")

    def _init(self) -> None:
        self._router.online = True
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
        self._groups.join()
        if self._rank:
            self._check_parent()

    def _run(self) -> None:
        if self._rank == 0:
            self._start("rc2")
        else:
            self._check_parent()

    def _start(self, name: str) -> None:
        if name in self._runat:
            self._runat.start(name, lambda code: self._done(name, code))
        else:
            self.post(f"{name}-none")

    def _done(self, name: str, code: int) -> None:
        self.exit_code = self.exit_code or code
        self.post(f"{name}-fail" if code else f"{name}-success")

    def _clean_up(self) -> None:
        self._children.spurning = True
        self._start("cleanup")
        if self._killed and self._cleanup_timeout is not None:
            self._reactor.call_later(self._cleanup_timeout, self._end_cleanup)

    def _end_cleanup(self) -> None:
        if self._machine.state == states.CLEANUP and "cleanup" in self._runat:
            self._runat.abort("cleanup")

    def _shut_down(self) -> None:
        self._quorum.stop()
        self._children.spurning = True
        self._departure.await_children(self._children)

    def _say_goodbye(self) -> None:
        self._departure.take_leave(self._parent)

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
        if self._parent_state is not None and self._parent_state < states.SHUTDOWN:
            self._log.err(f"state-machine.monitor: {os.strerror(errno.EHOSTUNREACH)}")
            if self._machine.state > states.CONFIG_SYNC:
                # From there on, the parent's configuration is followed (modules/config).
                self._log.crit("parent update: overlay disconnect", "config")
        self._parent_lost = True
        self.exit_code = 1
        self._check_parent()

    def _lose_child(self, rank: int) -> None:
        self._groups.lose(rank)
        self._departure.miss(self._children)

    def _online_changed(self, former: frozenset[int]) -> None:
        online = self._groups.online
        self._quorum.changed(online)
        if self._machine.state in (states.RUN, states.CLEANUP):
            self._quorum.report_dead(former - online)

    def _hosts(self, ranks: Iterable[int]) -> str:
        return hostlist.encode([self._cards[rank].host for rank in sorted(ranks)])
