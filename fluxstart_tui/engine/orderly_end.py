"""End an instance in order after a signal: rank 0 gets one SIGTERM, if it needs one.

A SIGTERM is lost on a broker that loads its builtins and aborts rc3 of one that is about to finish
(flux-core: src/broker/state_machine.c), so rank 0 is asked for its state first.
"""

from __future__ import annotations

import os
import signal

from fluxstart_tui.engine import processes, rundir
from fluxstart_tui.rpc.client import Client
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.engine.broker import Broker
    from fluxstart_tui.engine.custody import Custody
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rpc.conversation import Answer

SETTLE = 0.1
"""Seconds in which the same signal may reach us twice and our group once: timeout(1) signals its
child and then the group, and both are one wish."""

TIMED_OUT = 124
"""Exit code of what has not ended in the time that it had (--timeout), as timeout(1) has it."""

_POLL = 0.05
_PATIENCE = 1.0
"""Seconds without an answer from rank 0 after which it is signalled unasked: it may be stopped,
or no flux-broker."""

_RESUME = 0.25

_TAKES_TERM = frozenset(("join", "config-sync", "init", "quorum", "run"))


class OrderlyEnd:
    """The course of an orderly end, from the signal until the brokers have exited.

    Args:
        reactor: the engine's loop.
        leader: rank 0.
        rundir: the instance's run directory, in which rank 0's local connector socket is.
        custody: the instance's processes, of which stopped ones are continued.
        signum: the signal.
        terminating: called when rank 0 is about to be sent SIGTERM.
    """

    def __init__(
        self,
        reactor: Reactor,
        leader: Broker,
        rundir: str,
        custody: Custody,
        signum: int,
        terminating: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._leader = leader
        self._rundir = rundir
        self._custody = custody
        self._signum = signum
        self._terminating = terminating
        self._answered = reactor.now()
        self._could_take_it: bool | None = None
        """Whether rank 0 was able to act on the signal when it came; None: it did not say."""
        self._ask(self._first)
        self._resume()

    def _ask(self, answer: Callable[[str | None], None]) -> None:
        def done(content: Answer) -> None:
            client.close()
            state = None if isinstance(content, RpcError) else content.get("state")
            answer(state if isinstance(state, str) else None)

        client = Client(self._reactor, rundir.connector(self._rundir, 0), retries=0)
        client.call("state-machine.get", None, done, timeout=_PATIENCE)

    def _first(self, state: str | None) -> None:
        if state is not None:
            self._could_take_it = state in _TAKES_TERM
        self._reactor.call_later(SETTLE, lambda: self._ask(self._decide))

    def _decide(self, state: str | None) -> None:
        if self._leader.pidfd < 0:
            return
        # One that does not say whether it can take a signal is not sent a second one.
        if self._could_take_it is not False and self._had_it():
            return
        now = self._reactor.now()
        if state is not None:
            self._answered = now
        if state in _TAKES_TERM or (state is None and now - self._answered >= _PATIENCE):
            self._terminating()
            self._leader.kill(signal.SIGTERM)
        elif state is None or state == "load-builtins":
            self._reactor.call_later(_POLL, lambda: self._ask(self._decide))

    def _had_it(self) -> bool:
        """Tell whether the signal went to rank 0 too: to our whole group, if it is still in it."""
        leader = processes.read(self._leader.pid)
        same = leader is not None and leader.pgrp == os.getpgrp()
        return same and self._custody.witness.saw(self._signum)

    def _resume(self) -> None:
        self._custody.family.resume()
        self._reactor.call_later(_RESUME, self._resume)
