"""Start the brokers of a test instance and see them to their end."""

from __future__ import annotations

import os
import signal
import time

from fluxstart_tui.engine import processes
from fluxstart_tui.engine.errors import LaunchError, reason
from fluxstart_tui.engine.exit_timer import ExitTimer
from fluxstart_tui.engine.orderly_end import SETTLE, OrderlyEnd
from fluxstart_tui.engine.pmi_server import PmiServer
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fluxstart_tui.engine.broker import Broker, FileLimit
    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.guardian import Guardian
    from fluxstart_tui.engine.relay import Relay
    from fluxstart_tui.engine.witness import Witness
    from fluxstart_tui.options import Options
    from fluxstart_tui.reactor import Reactor, Timer

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
"""Signals that ask for the instance's end."""


class Supervisor:
    """The brokers, from the first one's start to the last one's end.

    Args:
        options: the command line.
        reactor: the loop to run on.
        messages: where exits and kills are reported.
        brokers: all ranks, in order, none started.
        mapping: PMI_process_mapping, "" for none.
        rundir: the instance's run directory.
        limit: gives brokers the descriptor limits that we got.
        relay: takes their output, if it is to be labelled.
        family: the instance's processes; told of each broker.
        guardian: told of each broker.
        witness: tells whether a signal went to our whole group.
    """

    def __init__(
        self,
        options: Options,
        reactor: Reactor,
        messages: Messages,
        brokers: Sequence[Broker],
        mapping: str,
        rundir: str,
        limit: FileLimit,
        relay: Relay | None,
        family: processes.Family,
        guardian: Guardian,
        witness: Witness,
    ) -> None:
        self._options = options
        self._reactor = reactor
        self._messages = messages
        self._brokers = brokers
        self._rundir = rundir
        self._limit = limit
        self._relay = relay
        self._family = family
        self._guardian = guardian
        self._witness = witness
        self._pmi = PmiServer(
            reactor, len(brokers), mapping, messages, self._aborted, trace=options.verbose >= 2
        )
        self._timer = ExitTimer(options.exit_mode, options.exit_timeout, len(brokers))
        self._alarm: Timer | None = None
        self._running: set[int] = set()
        self._signal: int | None = None
        self._signal_time = 0.0
        self._killed = False
        self._disorderly = False
        """Whether something may be left to sweep up: a broker was killed, or we were signalled."""
        self.signals = 0
        """How many signals have come."""
        for signum in SIGNALS:
            # Under nohup, say, a signal that was ignored when we came stays ignored.
            if signal.getsignal(signum) is not signal.SIG_IGN:
                reactor.on_signal(signum, self._signalled_by(signum))

    @property
    def exit_code(self) -> int:
        """The exit code: by the exit mode, or 128 + the signal that ended the instance."""
        return self._timer.exit_code if self._signal is None else 128 + self._signal

    def run(self) -> None:
        """Start the brokers and return when every one that was started has exited.

        Raises:
            LaunchError: one could not be started; the others are ended.
        """
        try:
            for broker in self._brokers if self._options.start_mode == "all" else self._brokers[:1]:
                self._reactor.run_once(0)
                if self._signal is not None or self._killed:
                    break
                self._spawn(broker)
            self._serve()
        finally:
            if self._running:  # a start has failed half way, or we have
                self._kill()
                self._serve()
            if self._disorderly:
                self._family.kill_until_gone(time.sleep)
            self._pmi.close_all()

    def _spawn(self, broker: Broker) -> None:
        try:
            pmi_fd, pipes = broker.spawn(self._limit, piped=self._relay is not None)
        except OSError as error:
            raise LaunchError(f"flux_exec: {reason(error)}") from error
        self._running.add(broker.rank)
        self._family.brokers[broker.pid] = broker.start
        self._guardian.tell("broker", broker.pid, broker.start)
        self._pmi.add(broker.rank, pmi_fd)
        if self._relay is not None and pipes is not None:
            self._relay.add(broker.rank, pipes)

    def _serve(self) -> None:
        # Not before all have been started: the exit timer compares those that run with the size.
        for rank in self._running:
            self._watch_exit(self._brokers[rank])
        while self._running:
            self._reactor.run_once()

    def _watch_exit(self, broker: Broker) -> None:
        self._reactor.add_reader(broker.pidfd, lambda: self._exited(broker))

    def _exited(self, broker: Broker) -> None:
        self._reactor.remove_reader(broker.pidfd)
        status = broker.reap()
        if status is None:
            self._watch_exit(broker)
            return
        self._running.discard(broker.rank)
        del self._family.brokers[broker.pid]
        self._guardian.tell("reaped", broker.pid)
        code = os.waitstatus_to_exitcode(status)
        who = f"{broker.rank} (pid {broker.pid})"
        if code < 0:
            self._disorderly = True
            self._messages.say(f"{who} {signal.strsignal(-code)}")
            code = 128 - code
        elif code > 0:
            self._messages.say(f"{who} exited with rc={code}")
        self._timer.exited(broker.rank, code, self._running, self._reactor.now())
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._timer.deadline is not None and not self._killed:
            delay = self._timer.deadline - self._reactor.now()
            self._alarm = self._reactor.call_later(delay, self._timed_out)

    def _timed_out(self) -> None:
        ranks = self._kill()
        self._messages.say(f"Exit timeout: killed rank {idset.encode(ranks)}")

    def _aborted(self, rank: int, message: str) -> None:
        self._messages.say(f"{rank}: PMI_Abort(): {message}")
        self._kill()

    def _kill(self) -> set[int]:
        """Kill the brokers and what they run; return the ranks that were running."""
        self._killed = self._disorderly = True
        ranks = set(self._running)
        # Looked up before the brokers die: afterwards descent tells nothing any more.
        members = self._family.members()
        for rank in ranks:
            self._brokers[rank].kill(signal.SIGKILL)
        for process in members:
            processes.send(process, signal.SIGKILL)
        return ranks

    def _signalled_by(self, signum: int) -> Callable[[], None]:
        return lambda: self._signalled(signum)

    def _signalled(self, signum: int) -> None:
        """End in order at the first signal, at once at the second."""
        now = self._reactor.now()
        self.signals += 1
        if self._signal is None:
            self._signal, self._signal_time = signum, now
            self._end_in_order(signum)
        elif now - self._signal_time > SETTLE:
            self._kill()

    def _end_in_order(self, signum: int) -> None:
        self._disorderly = True
        self._timer.end_ordered(self._reactor.now())
        self._set_alarm()
        self._pmi.close_all()
        OrderlyEnd(
            self._reactor, self._brokers[0], self._rundir, self._family, self._witness, signum
        )
