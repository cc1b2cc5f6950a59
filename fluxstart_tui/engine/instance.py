"""Test mode: make the place for an instance, have it run there, and leave nothing behind."""

from __future__ import annotations

import math
import os
import signal

from fluxstart_tui import process
from fluxstart_tui.engine import command, processes, rundir
from fluxstart_tui.engine.broker import Broker, FileLimit
from fluxstart_tui.engine.errors import LaunchError, Messages, reason
from fluxstart_tui.engine.guardian import Guardian
from fluxstart_tui.engine.output import Output, same_file
from fluxstart_tui.engine.relay import Relay
from fluxstart_tui.engine.start_socket import StartSocket
from fluxstart_tui.engine.supervisor import SIGNALS, Supervisor
from fluxstart_tui.engine.terminal import Terminal
from fluxstart_tui.engine.witness import Witness
from fluxstart_tui.reactor import Reactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.options import Options


_GRACE = 2.0
"""Seconds that a slow reader of our output has after an end that a signal asked for."""


def run(options: Options, located: Located) -> int:
    """Run a test instance from start to end.

    Returns:
        The exit code: by the exit mode, or 128 + the signal that ended it through us.

    Raises:
        LaunchError: it could not be started; nothing is left of it.
    """
    try:
        process.secure_descriptors()
        instance = Instance(options, located)
        try:
            instance.run()
        finally:
            instance.end()
    except OSError as error:  # no descriptors, no processes or no /proc, before or while we start
        raise LaunchError(f"can not run an instance: {reason(error)}") from error
    return instance.exit_code


class Instance:
    """What an instance needs around its brokers, made in flux start's order of checks.

    Args:
        options: the command line.
        located: the broker to run.
    """

    def __init__(self, options: Options, located: Located) -> None:
        assert options.test_size is not None
        self._options = options
        self._located = located
        self._size = options.test_size
        # Our parent may ignore SIGCHLD: then the kernel would reap the brokers, codes and all.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._reactor = Reactor()
        stderr = Output(2, self._drained)
        stdout = stderr if same_file(1, 2) else Output(1, self._drained)
        self._outputs = (stdout, stderr)
        self._messages = Messages(options.prog, stderr)
        self._relay: Relay | None = None
        if options.label_io:
            self._relay = Relay(self._reactor, self._size, self._outputs, self._messages)
        self._terminal: Terminal | None = None
        self._witness: Witness | None = None
        self._guardian: Guardian | None = None
        self._claim: rundir.Claim | None = None
        self._socket: StartSocket | None = None
        self._supervisor: Supervisor | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of the instance that has ended; 1 at least if labelled output was lost."""
        code = self._supervisor.exit_code if self._supervisor is not None else 0
        lost = self._relay is not None and self._relay.failed
        return max(code, int(lost))

    def _drained(self) -> None:
        if self._relay is not None:
            self._relay.drained()

    def run(self) -> None:
        """Make what is needed and run the brokers, or only print them under --noexec.

        Until the brokers are started a signal just ends us, and the guardian cleans up.

        Raises:
            LaunchError: something is wrong; `end` cleans up what there is.
        """
        options = self._options
        if os.isatty(0):
            self._terminal = Terminal()
        limit = FileLimit()
        lacking = limit.require(self._size, piped=options.label_io)
        if lacking is not None:
            raise LaunchError(
                f"--test-size={self._size} needs {lacking[0]} open files, the hard limit"
                f" (ulimit -Hn) is {lacking[1]}"
            )
        self._witness = witness = Witness(SIGNALS)
        terminal_fd = 0 if self._terminal is not None else None
        self._guardian = guardian = Guardian(self._reactor, terminal_fd)
        if self._terminal is not None:
            guardian.tell("terminal", os.getsid(0), self._terminal.attributes)
        place = self._make_rundir()
        self._socket = StartSocket(self._reactor, f"{place}/start")
        guardian.tell("socket", *self._socket.claim)
        if options.test_rundir_cleanup:  # not before it is known that nobody else lives there
            self._announce(rundir.claim(os.path.realpath(place)))
        mapping = command.process_mapping(options.pmi_clique, self._size)
        brokers = self._make_brokers(place, command.hosts(options.test_hosts, self._size))
        if options.noexec:
            return
        family = self._make_family(place, guardian, witness)
        self._supervisor = Supervisor(
            options,
            self._reactor,
            self._messages,
            brokers,
            mapping,
            place,
            limit,
            self._relay,
            family,
            guardian,
            witness,
        )
        self._supervisor.run()

    def _make_rundir(self) -> str:
        options = self._options
        if options.test_rundir is not None:
            rundir.adopt(options.test_rundir)
            return options.test_rundir
        if options.rundir is not None:
            rundir.create_at(options.rundir, self._announce)
            return options.rundir
        return rundir.create(self._announce)

    def _announce(self, claim: rundir.Claim | None) -> None:
        self._claim = claim
        if self._guardian is not None:
            self._guardian.tell(*(("rundir", *claim) if claim else ("no rundir",)))

    def _make_brokers(self, place: str, hosts: list[str] | None) -> list[Broker]:
        options = self._options
        shared = command.common(options, self._located)
        brokers = []
        for rank in range(self._size):
            if shared.warning is not None:
                self._messages.say(shared.warning)
            host = hosts[rank] if hosts is not None else None
            argv = command.argv(options, self._located, shared, rank, place, host)
            if options.verbose >= 1:
                self._messages.say(f"{rank}: {' '.join(argv)}")
            brokers.append(Broker(rank, argv, self._environ(rank, place, host)))
        return brokers

    def _environ(self, rank: int, place: str, host: str | None) -> command.Environ:
        return lambda pmi_fd: command.environment(
            self._located.env, rank, self._size, place, pmi_fd, host
        )

    def _make_family(self, place: str, guardian: Guardian, witness: Witness) -> processes.Family:
        own = processes.read(os.getpid())
        assert own is not None
        about = (
            command.start_uri(place),
            None if os.path.isabs(place) else os.getcwd(),
            own.start,
            own.pgrp,
            [own.pid, witness.pid],
        )
        guardian.tell("family", *about)
        return processes.Family(*about)

    def end(self) -> None:
        """Leave nothing: no rundir, no output unwritten, no terminal setting, no helper."""
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
        """Let slow readers take the rest of the output.

        A signal says that it is enough; one that has come before leaves them a moment.
        """
        before = self._signals()
        end = self._reactor.now() + (_GRACE if before else math.inf)
        while any(output.backlog for output in self._outputs):
            if self._signals() != before or self._reactor.now() >= end:
                break
            self._reactor.run_once(0.05)
        if self._relay is not None:
            self._relay.report()

    def _signals(self) -> int:
        return self._supervisor.signals if self._supervisor is not None else 0
