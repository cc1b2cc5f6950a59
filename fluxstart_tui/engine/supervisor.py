"""Start the brokers of an instance and see them to their end."""

from __future__ import annotations

import math
import os
import signal

from fluxstart_tui.engine.causes import Causes, in_words
from fluxstart_tui.engine.countdown import Countdown
from fluxstart_tui.engine.errors import LaunchError, reason
from fluxstart_tui.engine.exit_timer import ExitTimer
from fluxstart_tui.engine.orderly_end import SETTLE, TIMED_OUT, OrderlyEnd
from fluxstart_tui.engine.place import SIGNALS
from fluxstart_tui.engine.pmi_server import PmiServer
from fluxstart_tui.options.checked import DEFAULT_EXIT_TIMEOUT
from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events
from fluxstart_tui.session.signals import signame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fluxstart_tui.engine.broker import Broker
    from fluxstart_tui.engine.company import Company
    from fluxstart_tui.options import Options


class Supervisor:
    """The brokers, from the first one's start to the last one's end.

    Args:
        options: the command line.
        company: the engine's other rooms.
        brokers: all ranks, in order, none started.
        mapping: PMI_process_mapping, "" for none.
        rundir: the instance's run directory.
    """

    def __init__(
        self,
        options: Options,
        company: Company,
        brokers: Sequence[Broker],
        mapping: str,
        rundir: str,
    ) -> None:
        self._options = options
        self._company = company
        self._reactor = company.reactor
        self._messages = company.messages
        self._record = company.record
        self.brokers = brokers
        self._rundir = rundir
        monitor = company.monitor
        self._causes = Causes(
            company.record,
            monitor.lost_parent if monitor else lambda _: False,
            company.custody.witness.saw,
        )
        self.pmi = PmiServer(
            company.reactor,
            len(brokers),
            mapping,
            company.messages,
            company.record,
            self._aborted,
            trace=options.verbose >= 2,
        )
        self.pmi.on_phase = self._progressed
        # Normal mode has no exit timer; only what a UI has left behind is not to run for ever.
        timed = not options.normal or options.tether is not None
        timeout = options.exit_timeout if timed else math.inf
        self._policy = ExitTimer(options.exit_mode, timeout, len(brokers))
        self.pids: dict[int, int] = {}
        """Pids of the brokers that run, by rank."""
        self.timer = Countdown(
            company.reactor, company.record, self._policy, self.pids.keys(), self._timed_out
        )
        self.exit_codes: dict[int, int] = {}
        """How each rank's last process ended: its exit code, 128 + signal if it was killed."""
        self.on_exit: Callable[[int], None] = lambda _rank: None
        """Called with each rank that has ended."""
        self._serving = False
        self.ending = False
        """Whether no broker may be started any more."""
        self._signal: int | None = None
        self._signal_time = 0.0
        self._expired = False
        self._killed = False
        self._disorderly = False
        """Whether something may be left to sweep up: a broker was killed, or we were signalled."""
        self.signals = 0
        """How many signals have come."""
        for signum in SIGNALS:
            # Under nohup, say, a signal that was ignored when we came stays ignored.
            if signal.getsignal(signum) is not signal.SIG_IGN:
                company.reactor.on_signal(signum, self._signalled_by(signum))

    @property
    def exit_code(self) -> int:
        """The exit code: by the exit mode, 128 + the signal that ended the instance, or timeout's.

        In normal mode it is the broker's own, signal or not, as if it had taken our place.
        """
        if self._expired:
            return TIMED_OUT
        if self._signal is None or (self._options.normal and self.exit_codes):
            return self._policy.exit_code
        return 128 + self._signal

    @property
    def ended_by(self) -> int:
        """The signal to us that ended the instance, 0 if none."""
        return 0 if self._expired else self._signal or 0

    def run(self) -> None:
        """Start the brokers and return when every one that was started has exited.

        Raises:
            LaunchError: one could not be started; the others are ended.
        """
        try:
            for broker in self.brokers if self._options.start_mode == "all" else self.brokers[:1]:
                self._reactor.run_once(0)
                if self._signal is not None or self._killed:
                    break
                if broker.rank in self.pids:  # somebody has started it through the start service
                    continue
                try:
                    self.start(broker)
                except OSError as error:
                    what = "error execing broker" if self._options.normal else "flux_exec"
                    raise LaunchError(f"{what}: {reason(error)}") from error
            self._serve()
        finally:
            if self.pids:  # a start has failed half way, or we have
                self._kill("shutdown", "a failing start")
                self._serve()
            if self._disorderly:
                self._company.custody.sweep()
            self.pmi.close_all()

    def start(self, broker: Broker) -> None:
        """Start a broker that does not run.

        Raises:
            OSError: it can not be started.
        """
        company, rank = self._company, broker.rank
        console = company.consoles.get(rank)
        pmi_fd, pipes = broker.spawn(
            company.limit,
            piped=company.relay is not None and console is None,
            tty=console.slave if console is not None else None,
            stdin_null=0 in company.consoles,
            log=company.monitor.log_fd if company.monitor is not None else None,
        )
        self.pids[rank] = broker.pid
        company.custody.started(broker)
        self._record.event(events.Spawn(rank, broker.pid))
        if pmi_fd is not None:
            self.pmi.add(rank, pmi_fd)
        if company.relay is not None and pipes is not None:
            company.relay.add(rank, pipes)
        if console is not None:
            console.spawned(broker.pid)
        if company.monitor is not None:
            company.monitor.started(rank)
        if pmi_fd is None:
            self._settled(rank)
        if self._serving:
            self._watch_exit(broker)
            self.timer.started()

    def _serve(self) -> None:
        # Not before all have been started: the exit timer compares those that run with the size.
        self._serving = True
        for rank in self.pids:
            self._watch_exit(self.brokers[rank])
        while self.pids:
            self._reactor.run_once()
        self.ending = True

    def _progressed(self, rank: int, phase: str) -> None:
        if phase == "finalize":
            self._settled(rank)

    def _settled(self, rank: int) -> None:
        """Take that a rank has nothing more to do with PMI."""
        self._causes.settled(self.brokers[rank])
        if self._company.monitor is not None:
            self._company.monitor.settled(rank)

    def _watch_exit(self, broker: Broker) -> None:
        self._reactor.add_reader(broker.pidfd, lambda: self._exited(broker))

    def _exited(self, broker: Broker) -> None:
        self._reactor.remove_reader(broker.pidfd)
        status = broker.reap()
        if status is None:
            self._watch_exit(broker)
            return
        rank = broker.rank
        del self.pids[rank]
        self._company.custody.reaped(broker)
        if self._company.monitor is not None:
            self._company.monitor.ended(rank)
        if rank in self._company.consoles:
            self._company.consoles[rank].exited()
        end = self._causes.explain(broker, status)
        self._record.event(end)
        self._disorderly = self._disorderly or end.signum != 0
        how, told = in_words(end)
        if told and not self._options.normal:  # whose broker speaks for itself
            self._messages.say(f"{rank} (pid {broker.pid}) {told}")
        self.exit_codes[rank] = end.code
        self.timer.exited(rank, end.code, f"rank {rank} {how}")
        self.on_exit(rank)

    def _timed_out(self) -> None:
        self.fire_timer("timer", "exit timer")

    def fire_timer(self, cause: str, by: str) -> frozenset[int]:
        """Kill whoever runs; return their ranks.

        Args:
            cause: one of events.CAUSES.
            by: who wants it.
        """
        self.timer.stop(fired=True)
        ranks = self._kill(cause, by)
        self._messages.say(f"Exit timeout: killed rank {idset.encode(ranks)}")
        return ranks

    def _aborted(self, rank: int, message: str) -> None:
        self._messages.say(f"{rank}: PMI_Abort(): {message}")
        self._kill("abort", f"PMI abort by rank {rank}")

    def _kill(self, cause: str, by: str) -> frozenset[int]:
        """Kill the brokers and what they run; return the ranks that were running."""
        self._killed = self._disorderly = self.ending = True
        self.timer.stop(fired=False)
        ranks = frozenset(self.pids)
        self._causes.signalled(ranks, signal.SIGKILL, cause, by)
        self._company.custody.kill(self.brokers[rank] for rank in ranks)
        return ranks

    def signal(self, ranks: Iterable[int], signum: int, by: str) -> frozenset[int]:
        """Signal those of `ranks` that run, for somebody; return them."""
        running = frozenset(rank for rank in ranks if rank in self.pids)
        if running:
            self._causes.signalled(running, signum, "user", by)
        for rank in running:
            self.brokers[rank].kill(signum)
        return running

    def _signalled_by(self, signum: int) -> Callable[[], None]:
        return lambda: self.interrupt(signum)

    def interrupt(self, signum: int, by: str = "") -> None:
        """Take a signal to us, or a wish for one: end in order at the first, at once at the second.

        Args:
            signum: the signal; 128 + its number is the exit code.
            by: who wants it, if it is not a signal that has come.
        """
        now = self._reactor.now()
        self.signals += 1
        who = by or f"{signame(signum)} to {self._messages.prog} (pid {os.getpid()})"
        if self._signal is None:
            self._signal, self._signal_time = signum, now
            self.ending = True
            self._record.event(events.Signal("", signum, who))
            self._end_in_order(signum, who)
        elif now - self._signal_time > SETTLE:
            self._kill("shutdown", f"a second signal: {who}")

    def expire(self, by: str) -> None:
        """Take that time is up, `by` whom: end in order, as by a signal; kill who does not go."""
        if self._signal is None:
            self._expired = True
            self.interrupt(signal.SIGTERM, by)
        if self.timer.left in (None, math.inf):
            self._reactor.call_later(DEFAULT_EXIT_TIMEOUT, self._timed_out)

    def _end_in_order(self, signum: int, who: str) -> None:
        self._disorderly = True
        self.timer.end_ordered(who)
        self.pmi.close_all()
        OrderlyEnd(
            self._reactor,
            self.brokers[0],
            self._rundir,
            self._company.custody,
            signum,
            lambda: self._causes.signalled({0}, signal.SIGTERM, "shutdown", who),
        )
