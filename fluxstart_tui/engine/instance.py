"""Test mode: start an instance on this machine, serve it, and see it to its end."""

from __future__ import annotations

import os
import signal
import time

from fluxstart_tui.engine import command, processes, rundir, stdio
from fluxstart_tui.engine.broker import Broker, FileLimit
from fluxstart_tui.engine.errors import LaunchError, Messages, reason
from fluxstart_tui.engine.exit_timer import ExitTimer
from fluxstart_tui.engine.guardian import Guardian
from fluxstart_tui.engine.orderly_end import SETTLE, OrderlyEnd
from fluxstart_tui.engine.output import Output
from fluxstart_tui.engine.pmi_server import PmiServer
from fluxstart_tui.engine.relay import Relay
from fluxstart_tui.engine.start_socket import StartSocket
from fluxstart_tui.engine.terminal import Terminal
from fluxstart_tui.engine.witness import Witness
from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.options import Options
    from fluxstart_tui.reactor import Timer

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def run(options: Options, located: Located) -> int:
    """Run a test instance from start to end.

    Returns:
        The exit code: by the exit mode, or 128 + the signal that ended it through us.

    Raises:
        LaunchError: it could not be started; nothing is left of it.
    """
    stdio.secure()
    instance = Instance(options, located)
    try:
        instance.start()
        if not options.noexec:
            instance.serve()
    finally:
        instance.end()
    return instance.exit_code


class Instance:
    """The engine: one instance with all that belongs to it.

    Args:
        options: the command line.
        located: the broker to run.
    """

    def __init__(self, options: Options, located: Located) -> None:
        assert options.test_size is not None
        self._options = options
        self._located = located
        self._size = options.test_size
        self._reactor = Reactor()
        stderr = Output(2, self._drained)
        stdout = stderr if stdio.same_file(1, 2) else Output(1, self._drained)
        self._outputs = (stdout, stderr)
        self._messages = Messages(options.prog, stderr)
        self._relay: Relay | None = None
        if options.label_io:
            self._relay = Relay(self._reactor, self._size, self._outputs, self._messages)
        self._limit = FileLimit()
        self._brokers: list[Broker] = []
        self._running: set[int] = set()
        self._timer = ExitTimer(options.exit_mode, options.exit_timeout, self._size)
        self._alarm: Timer | None = None
        self._terminal: Terminal | None = None
        self._guardian: Guardian | None = None
        self._witness: Witness | None = None
        self._rundir = ""
        self._claim: rundir.Claim | None = None
        self._socket: StartSocket | None = None
        self._family: processes.Family | None = None
        self._pmi: PmiServer | None = None
        self._signal: int | None = None
        self._signal_time = 0.0
        self._signals = 0
        self._killed = False
        self._disorderly = False
        """Whether something may be left to sweep up: a broker was killed, or we were signalled."""

    @property
    def exit_code(self) -> int:
        """The exit code of the instance that has ended."""
        if self._signal is not None:
            return 128 + self._signal
        lost = self._relay is not None and self._relay.failed
        return max(self._timer.exit_code, int(lost))

    def _drained(self) -> None:
        if self._relay is not None:
            self._relay.drained()

    # -- start ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Prepare everything and start the brokers, in flux start's order of checks.

        Raises:
            LaunchError: something is wrong; `end` cleans up what there is.
        """
        options = self._options
        if os.isatty(0):
            self._terminal = Terminal()
        lacking = self._limit.require(self._size, piped=options.label_io)
        if lacking is not None:
            raise LaunchError(
                f"--test-size={self._size} needs {lacking[0]} open files, the hard limit"
                f" (ulimit -Hn) is {lacking[1]}"
            )
        if not options.noexec:
            self._watch_signals()
            self._start_guardian()
        self._make_rundir()
        uri = command.start_uri(self._rundir)
        self._socket = StartSocket(self._reactor, f"{self._rundir}/start")
        mapping = command.process_mapping(options.pmi_clique, self._size)
        hosts = command.hosts(options.test_hosts, self._size)
        self._make_brokers(hosts)
        if options.noexec:
            return
        self._make_family(uri)
        self._pmi = PmiServer(
            self._reactor,
            self._size,
            mapping,
            self._messages,
            self._aborted,
            trace=options.verbose >= 2,
        )
        for broker in self._brokers if options.start_mode == "all" else self._brokers[:1]:
            self._reactor.run_once(0)
            if self._signal is not None:
                break
            self._spawn(broker)

    def _watch_signals(self) -> None:
        wanted = tuple(
            signum for signum in _SIGNALS if signal.getsignal(signum) is not signal.SIG_IGN
        )
        self._witness = Witness(_SIGNALS)
        for signum in wanted:
            self._reactor.on_signal(signum, self._signalled_by(signum))

    def _start_guardian(self) -> None:
        self._guardian = Guardian(0 if self._terminal is not None else None)
        if self._terminal is not None:
            self._guardian.tell("terminal", os.getsid(0), self._terminal.attributes)

    def _make_rundir(self) -> None:
        options = self._options
        if options.test_rundir is not None:
            self._rundir = options.test_rundir
            rundir.adopt(self._rundir)
            if options.test_rundir_cleanup:
                self._announce(rundir.claim(self._rundir))
        elif options.rundir is not None:
            self._rundir = options.rundir
            rundir.create_at(self._rundir, self._announce)
        else:
            self._rundir = rundir.create(self._announce)

    def _announce(self, claim: rundir.Claim | None) -> None:
        self._claim = claim
        if self._guardian is not None:
            self._guardian.tell(*(("rundir", *claim) if claim else ("no rundir",)))

    def _make_brokers(self, hosts: list[str] | None) -> None:
        options = self._options
        shared = command.common(options, self._located)
        for rank in range(self._size):
            if shared.warning is not None:
                self._messages.say(shared.warning)
            host = hosts[rank] if hosts is not None else None
            argv = command.argv(options, self._located, shared, rank, self._rundir, host)
            if options.verbose >= 1:
                self._messages.say(f"{rank}: {' '.join(argv)}")
            self._brokers.append(Broker(rank, argv, self._environ(rank, host)))

    def _environ(self, rank: int, host: str | None) -> command.Environ:
        return lambda pmi_fd: command.environment(
            self._located.env, rank, self._size, self._rundir, pmi_fd, host
        )

    def _make_family(self, uri: str) -> None:
        assert self._guardian is not None
        assert self._witness is not None
        own = processes.read(os.getpid())
        assert own is not None
        cwd = None if os.path.isabs(self._rundir) else os.getcwd()
        spare = [own.pid, self._guardian.pid, self._witness.pid]
        self._family = processes.Family(uri, cwd, own.start, own.pgrp, spare)
        self._guardian.tell("family", uri, cwd, own.start, own.pgrp, spare)
        self._guardian.tell("socket", os.path.abspath(f"{self._rundir}/start"))

    def _spawn(self, broker: Broker) -> None:
        assert self._pmi is not None
        assert self._guardian is not None
        assert self._family is not None
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

    # -- run -----------------------------------------------------------------------------------

    def serve(self) -> None:
        """Run until every broker that was started has exited."""
        # Not before all have been started: the exit timer compares those that run with the size.
        for rank in self._running:
            self._watch_exit(self._brokers[rank])
        while self._running:
            self._reactor.run_once()

    def _watch_exit(self, broker: Broker) -> None:
        self._reactor.add_reader(broker.pidfd, lambda: self._exited(broker))

    def _exited(self, broker: Broker) -> None:
        assert self._guardian is not None
        assert self._family is not None
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
            core = " (core dumped)" if os.WCOREDUMP(status) else ""
            self._messages.say(f"{who} {signal.strsignal(-code)}{core}")
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
        assert self._family is not None
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
        self._signals += 1
        if self._signal is None:
            self._signal, self._signal_time = signum, now
            self._end_in_order(signum)
        elif self._family is not None and (
            signum != self._signal or now - self._signal_time > SETTLE
        ):
            self._kill()

    def _end_in_order(self, signum: int) -> None:
        self._disorderly = True
        if self._pmi is None or self._family is None or self._witness is None:
            return  # nothing has been started, and nothing will be
        self._timer.end_ordered(self._reactor.now())
        self._set_alarm()
        self._pmi.close_all()
        OrderlyEnd(
            self._reactor,
            self._brokers[0],
            f"{self._rundir}/local-0",
            self._family,
            self._witness,
            signum,
        )

    # -- end -----------------------------------------------------------------------------------

    def end(self) -> None:
        """Leave nothing: no process, no rundir, no output, no terminal setting."""
        if self._running:  # the start has failed half way, or we have
            self._kill()
            self.serve()
        if self._disorderly and self._family is not None:
            self._family.kill_until_gone(time.sleep)
        if self._pmi is not None:
            self._pmi.close_all()
        if self._relay is not None:
            self._relay.finish()
        self._flush()
        if self._socket is not None:
            self._socket.close()
        if self._claim is not None:
            rundir.remove(self._claim)
        if self._terminal is not None:
            self._terminal.restore()
        if self._guardian is not None:
            self._guardian.dismiss()
        if self._witness is not None:
            self._witness.dismiss()

    def _flush(self) -> None:
        """Let slow readers take the rest of the output, until a signal says that it is enough."""
        signals = self._signals
        while any(output.backlog for output in self._outputs) and self._signals == signals:
            self._reactor.run_once(0.05)
        if self._relay is not None:
            self._relay.report()
