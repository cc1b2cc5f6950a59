"""Test mode: make the place for an instance, have it run there, and leave nothing behind."""

from __future__ import annotations

import math
import os
import signal
import sys
from typing import NamedTuple

from fluxstart_tui import process
from fluxstart_tui.engine import command
from fluxstart_tui.engine.broker import Broker, FileLimit
from fluxstart_tui.engine.commands import Commands, header
from fluxstart_tui.engine.errors import LaunchError, Messages, reason
from fluxstart_tui.engine.output import Output, same_file
from fluxstart_tui.engine.place import Place
from fluxstart_tui.engine.record import TTY, Record
from fluxstart_tui.engine.relay import Relay
from fluxstart_tui.engine.start_service import StartService
from fluxstart_tui.engine.supervisor import SIGNALS, Company, Supervisor
from fluxstart_tui.engine.terminal import Terminal, TerminalOutput
from fluxstart_tui.engine.tether import Tether
from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import idset
from fluxstart_tui.session.events import End

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fluxstart_tui.engine.console import Console
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.engine.session import Session
    from fluxstart_tui.options import Options
    from fluxstart_tui.session.events import Event


_GRACE = 2.0
"""Seconds that a slow reader of our output has after an end that a signal asked for."""


class Outcome(NamedTuple):
    """An instance that has ended."""

    code: int
    """The exit code: by the exit mode, or 128 + the signal that ended it through us."""
    header: dict[str, Any]
    """What a session of it begins with."""
    events: list[tuple[float, Event]]
    """What happened, samples excepted."""
    session: str | None
    """Where it was recorded."""


def run(options: Options, located: Located) -> Outcome:
    """Run a test instance from start to end.

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
    return instance.outcome


def _given(words: list[str]) -> list[str]:
    """Return what the user has given of a command line; a UI puts its own before that."""
    own = next((at for at, word in enumerate(words) if word.startswith("--tether=")), -1)
    return words[own + 1 :]


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
        self._record = Record(self._reactor.now)
        self._terminal = Terminal() if os.isatty(0) else None
        self._place: Place | None = None
        self._service: StartService | None = None
        self._session: Session | None = None
        self._relay: Relay | None = None
        self._console: Console | None = None
        self._supervisor: Supervisor | None = None
        self._header: dict[str, Any] = {}
        stderr = self._make_output(2)
        stdout = stderr if same_file(1, 2) else self._make_output(1)
        self._outputs = (stdout, stderr)
        self._messages = Messages(options.prog, stderr)
        self._messages.heard = self._record.message

    def _make_output(self, fd: int) -> Output:
        if self._options.record and self._terminal is not None and os.isatty(fd):
            return TerminalOutput(fd, self._terminal, self._drained)
        return Output(fd, self._drained)

    @property
    def outcome(self) -> Outcome:
        """What has come of it; an exit code of 1 at least if labelled output was lost."""
        code = self._supervisor.exit_code if self._supervisor is not None else 0
        lost = self._relay is not None and self._relay.failed
        path = self._session.path if self._session is not None else None
        return Outcome(max(code, int(lost)), self._header, self._record.events, path)

    def _drained(self) -> None:
        if self._relay is not None:
            self._relay.drained()
        if self._console is not None:
            self._console.drained()

    def run(self) -> None:
        """Make what is needed and run the brokers, or only print them under --noexec.

        Until the brokers are started a signal just ends us, and the guardian cleans up.

        Raises:
            LaunchError: something is wrong; `end` cleans up what there is.
        """
        options = self._options
        limit = FileLimit()
        piped = options.label_io or options.record
        lacking = limit.require(self._size, piped=piped, watched=options.record)
        if lacking is not None:
            raise LaunchError(
                f"--test-size={self._size} needs {lacking[0]} open files, the hard limit"
                f" (ulimit -Hn) is {lacking[1]}"
            )
        self._place = place = Place(self._reactor, self._terminal, SIGNALS)
        place.settle(options)
        mapping = command.process_mapping(options.pmi_clique, self._size)
        hosts = command.hosts(options.test_hosts, self._size)
        own_terminal = options.record and (
            options.tether is not None or (os.isatty(0) and os.isatty(1))
        )
        brokers = self._make_brokers(place.path, hosts, own_terminal=own_terminal)
        if options.noexec:
            return
        self._describe(place.path)
        if options.record:
            self._begin_session()
        if piped:
            self._relay = Relay(
                self._reactor,
                self._record,
                self._size,
                self._outputs,
                self._messages,
                labelled=options.label_io,
            )
        if own_terminal:
            self._console = self._make_console()
        session = self._session
        company = Company(
            self._reactor,
            self._messages,
            self._record,
            place.custody(),
            limit,
            self._relay,
            self._console,
            session.monitor if session is not None else None,
        )
        self._supervisor = Supervisor(options, company, brokers, mapping, place.path)
        self._serve(self._supervisor, place)
        self._supervisor.run()

    def _serve(self, supervisor: Supervisor, place: Place) -> None:
        """Take commands, and let those know who follow."""
        control = Commands(supervisor, self._record, self._console, self._header)
        verbose = self._options.verbose >= 1
        self._service = StartService(
            self._reactor, place.socket.listener, control, self._messages, verbose=verbose
        )
        supervisor.on_exit = self._service.exited
        if self._session is not None:
            self._session.sample(supervisor.pids)
            self._session.on_growth = self._service.grew
        if self._console is not None:
            self._console.start()
        if self._options.tether is not None:
            Tether(self._reactor, self._options.tether, supervisor)

    def _describe(self, place: str) -> None:
        given = {
            name: idset.encode(value) if isinstance(value, frozenset) else value
            for name, value in self._options._asdict().items()
            if value != self._options._field_defaults.get(name)
        }
        self._header = header(
            {
                "argv": [self._options.prog, *_given(sys.argv[1:])],
                "options": given,
                "broker": list(self._located.words),
                "broker_kind": self._located.kind,
                "rundir": os.path.abspath(place),
                "start_uri": command.start_uri(os.path.abspath(place)),
                "size": self._size,
            }
        )

    def _begin_session(self) -> None:
        from fluxstart_tui.engine.session import Session  # only who records pays for it

        options = self._options
        try:
            self._session = Session(
                self._reactor, self._record, self._messages, options, self._header
            )
        except OSError as error:
            where = options.record_dir or error.filename
            raise LaunchError(f"--record: {where}: {reason(error)}") from error

    def _make_console(self) -> Console:
        from fluxstart_tui.engine.console import Console  # only who records pays for it

        output = self._outputs[0]
        shown = isinstance(output, TerminalOutput)
        return Console(
            self._reactor,
            lambda data: self._record.data(0, TTY, data),
            self._interrupt,
            self._terminal if shown else None,
            output if isinstance(output, TerminalOutput) else None,
        )

    def _interrupt(self, signum: int) -> None:
        if self._supervisor is not None:
            self._supervisor.interrupt(signum)

    def _make_brokers(
        self, place: str, hosts: list[str] | None, *, own_terminal: bool
    ) -> list[Broker]:
        options = self._options
        shared = command.common(options, self._located)
        if own_terminal:
            # Else a ^C that is meant for the program would end rank 0 too (flux-core: broker.c).
            arguments = (*shared.arguments, "-Sbroker.rc2_pgrp=1")
            shared = shared._replace(arguments=arguments)
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

    def end(self) -> None:
        """Leave nothing: no rundir, no output unwritten, no terminal setting, no helper."""
        if self._session is not None:
            self._session.unwatch()
        if self._console is not None:
            self._console.close()
        if self._relay is not None:
            self._relay.finish()
        self._flush()
        if self._supervisor is not None:
            self._conclude(self._supervisor.ended_by)
        if self._service is not None:
            self._service.close()
        if self._place is not None:
            self._place.close()

    def _conclude(self, signum: int) -> None:
        """Record what can only be known now."""
        if self._session is not None:
            self._session.explain_cores(self._located.words[0])
        self._record.event(End(self.outcome.code, signum))
        if self._session is not None:
            self._session.close()

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
