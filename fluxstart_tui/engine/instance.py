"""Make the place for an instance, have it run there, and leave nothing behind.

That is test mode, and normal mode's singleton if it is looked at or recorded.
"""

from __future__ import annotations

import math
import os

from fluxstart_tui import process
from fluxstart_tui.engine import command, consoles, ranks
from fluxstart_tui.engine.broker import FileLimit
from fluxstart_tui.engine.commands import Commands
from fluxstart_tui.engine.company import Company
from fluxstart_tui.engine.errors import LaunchError, reason
from fluxstart_tui.engine.relay import Relay
from fluxstart_tui.engine.stage import Outcome, Stage
from fluxstart_tui.engine.stops import Stops
from fluxstart_tui.engine.supervisor import Supervisor
from fluxstart_tui.engine.tether import Tether
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.console import Console
    from fluxstart_tui.engine.deadline import Deadline
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.engine.status_line import MakeTeller, StatusLine
    from fluxstart_tui.options import Options


def run(options: Options, located: Located, make_teller: MakeTeller | None = None) -> Outcome:
    """Run an instance from start to end.

    Args:
        options: the command line.
        located: the broker to run.
        make_teller: makes what puts its progress in words, if that is to be told.

    Raises:
        LaunchError: it could not be started; nothing is left of it.
    """
    try:
        process.secure_descriptors()
        instance = Instance(options, located, make_teller)
        try:
            instance.run()
        finally:
            instance.end()
    except OSError as error:  # no descriptors, no processes or no /proc, before or while we start
        raise LaunchError(f"can not run an instance: {reason(error)}") from error
    return instance.outcome


class Instance:
    """The brokers that this program starts, with all that they need.

    Args:
        options: the command line.
        located: the broker to run.
        make_teller: makes what puts its progress in words.
    """

    def __init__(
        self, options: Options, located: Located, make_teller: MakeTeller | None = None
    ) -> None:
        self._options = options
        self._located = located
        self._size = options.size
        self._stage = Stage(options, self._drained)
        self._relay: Relay | None = None
        self._consoles: dict[int, Console] = {}
        self._stops: Stops | None = None
        self._make_teller = make_teller
        self._status: StatusLine | None = None
        self._deadline: Deadline | None = None
        self._supervisor: Supervisor | None = None

    @property
    def outcome(self) -> Outcome:
        """What has come of it; an exit code of 1 at least if labelled output was lost."""
        code = self._supervisor.exit_code if self._supervisor is not None else 0
        lost = self._relay is not None and self._relay.failed
        return self._stage.outcome(max(code, int(lost)))

    def _drained(self) -> None:
        if self._relay is not None:
            self._relay.drained()
        if 0 in self._consoles:
            self._consoles[0].drained()

    def run(self) -> None:
        """Make what is needed and run the brokers, or only print them under --noexec.

        Until the brokers are started a signal just ends us, and the guardian cleans up.

        Raises:
            LaunchError: something is wrong; `end` cleans up what there is.
            OSError: the system lacks something.
        """
        try:
            self._run()
        except (LaunchError, OSError) as error:
            self._stage.failed(error)
            raise

    def _run(self) -> None:
        options, stage = self._options, self._stage
        terminals = consoles.ranks(options)
        limit = FileLimit()
        piped = options.label_io or options.record
        lacking = limit.require(self._size, piped=piped, watched=options.record)
        if lacking is not None:
            name = "an instance" if options.normal else f"--test-size={self._size}"
            raise LaunchError(
                f"{name} needs {lacking[0]} open files, the hard limit (ulimit -Hn) is {lacking[1]}"
            )
        stage.settle()
        place = stage.place
        mapping = command.process_mapping(options.pmi_clique, self._size)
        hosts = command.hosts(options.test_hosts, self._size)
        located = self._located
        shared = ranks.common(options, located, place.path, own_terminal=0 in terminals)
        brokers = list(ranks.make(options, located, shared, place.path, hosts, stage.messages))
        if options.noexec:
            return
        rundir = command.rundir(shared.arguments) if options.normal else place.path
        timeout = options.exit_timeout
        stage.begin(
            {
                "broker": list(located.words),
                "broker_kind": located.kind,
                "exit_mode": options.exit_mode,
                "exit_timeout": timeout if math.isfinite(timeout) else None,
                "mode": "normal" if options.normal else "test",
                "rundir": os.path.abspath(rundir),
                "size": self._size,
                "terminals": idset.encode(terminals),
            }
        )
        if piped:
            self._relay = Relay(
                stage.reactor,
                stage.record,
                self._size,
                stage.outputs,
                stage.messages,
                labelled=options.label_io,
            )
        self._consoles = consoles.make(
            terminals,
            stage.reactor,
            stage.record,
            None if 0 in consoles.wrapped(options) else self._interrupt,
            stage.terminal,
            stage.outputs[0],
            options.terminal_size,
        )
        company = Company(
            stage.reactor,
            stage.messages,
            stage.record,
            place.custody(),
            limit,
            self._relay,
            self._consoles,
            stage.session.monitor if stage.session is not None else None,
        )
        self._supervisor = Supervisor(options, company, brokers, mapping, rundir)
        self._serve(self._supervisor)
        self._supervisor.run()

    def _serve(self, supervisor: Supervisor) -> None:
        """Take commands, and let those know who follow."""
        stage = self._stage
        control = Commands(supervisor, stage.record, self._consoles, stage.header)
        supervisor.on_exit = stage.serve(control).exited
        if stage.session is not None:
            stage.session.sample(supervisor.pids)
        if self._consoles:
            self._stops = Stops(stage.reactor, stage.record, self._consoles)
        if 0 in self._consoles:
            self._consoles[0].start()
        if self._make_teller is not None:
            from fluxstart_tui.engine.status_line import StatusLine  # who asks for it pays for it

            self._status = StatusLine(stage, self._make_teller(stage.header))
        if self._options.timeout < math.inf:
            from fluxstart_tui.engine.deadline import Deadline  # the same

            timeout, expire = self._options.timeout, supervisor.expire
            self._deadline = Deadline(stage, timeout, supervisor.pids, expire)
        if self._options.tether is not None:
            Tether(stage.reactor, self._options.tether, supervisor.interrupt)

    def _interrupt(self, signum: int) -> None:
        if self._supervisor is not None:
            self._supervisor.interrupt(signum)

    def end(self) -> None:
        """Leave nothing: no rundir, no output unwritten, no terminal setting, no helper."""
        stage, supervisor = self._stage, self._supervisor
        if self._deadline is not None:
            self._deadline.close()
        if stage.session is not None:
            stage.session.unwatch()
        if self._stops is not None:
            self._stops.close()
        for console in self._consoles.values():
            console.close()
        if self._relay is not None:
            self._relay.finish()
        if self._status is not None:
            self._status.close()
        stage.flush(lambda: supervisor.signals if supervisor is not None else 0)
        if self._relay is not None:
            self._relay.report()
        if supervisor is not None:
            stage.conclude(self.outcome.code, supervisor.ended_by, self._located.words[0])
        stage.close()
