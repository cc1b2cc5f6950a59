"""What an instance runs on, whoever starts its brokers: outputs, place, session, start service."""

from __future__ import annotations

import math
import os
import signal
import sys
from typing import NamedTuple

from fluxstart_tui.engine import command
from fluxstart_tui.engine.commands import header
from fluxstart_tui.engine.errors import LaunchError, Messages, reason
from fluxstart_tui.engine.output import Output, same_file
from fluxstart_tui.engine.place import Place
from fluxstart_tui.engine.record import Record
from fluxstart_tui.engine.start_service import StartService
from fluxstart_tui.engine.terminal import Terminal, TerminalOutput
from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import idset
from fluxstart_tui.session.events import End

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fluxstart_tui.engine.session import Session
    from fluxstart_tui.engine.start_control import Control
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


class Stage:
    """Set up step by step, in flux start's order of checks; `close` undoes what there is.

    Args:
        options: the command line.
        drained: called, from any thread, when an output has room again.
    """

    def __init__(self, options: Options, drained: Callable[[], None]) -> None:
        self._options = options
        self._drained = drained
        # Our parent may ignore SIGCHLD: then the kernel would reap the brokers, codes and all.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.reactor = Reactor()
        self.record = Record(self.reactor.now)
        self.terminal = Terminal() if os.isatty(0) else None
        """Our own, if we are on one."""
        stderr = self._make_output(2)
        stdout = stderr if same_file(1, 2) else self._make_output(1)
        self.outputs = (stdout, stderr)
        self.messages = Messages(options.prog, stderr)
        self.messages.heard = self.record.message
        self.header: dict[str, Any] = {}
        """What a session begins with."""
        self.session: Session | None = None
        """What is recorded."""
        self._service: StartService | None = None
        self._place: Place | None = None
        self._failed = False

    def _make_output(self, fd: int) -> Output:
        if self._options.record and self.terminal is not None and os.isatty(fd):
            return TerminalOutput(fd, self.terminal, self._drained)
        return Output(fd, self._drained)

    @property
    def place(self) -> Place:
        """The run directory and who cleans up."""
        assert self._place is not None
        return self._place

    def settle(self) -> None:
        """Make the run directory with the start service's socket.

        Raises:
            LaunchError: they can not be had.
        """
        self._place = Place(self.reactor, self.terminal)
        self._place.settle(self._options)

    def begin(self, about: dict[str, Any]) -> None:
        """Begin the session, if one is to be recorded.

        Args:
            about: what its header says besides what the command line and the place tell.

        Raises:
            LaunchError: it can not be made.
        """
        options = self._options
        given = {
            name: idset.encode(value) if isinstance(value, frozenset) else value
            for name, value in options._asdict().items()
            if value != options._field_defaults.get(name)
        }
        self.header = header(
            self.record.began,
            {
                "argv": [options.prog, *sys.argv[1:]],
                "options": given,
                "start_uri": command.start_uri(os.path.abspath(self.place.path)),
                **about,
            },
        )
        if not options.record:
            return
        from fluxstart_tui.engine.session import Session  # only who records pays for it

        try:
            self.session = Session(self.reactor, self.record, self.messages, options, self.header)
        except OSError as error:
            where = options.record_dir or error.filename
            raise LaunchError(f"--record: {where}: {reason(error)}") from error

    def serve(self, control: Control) -> StartService:
        """Take commands."""
        self._service = service = StartService(
            self.reactor,
            self.place.socket.listener,
            control,
            self.messages,
            verbose=self._options.verbose >= 1,
            ui=0 if self._options.tether is None else os.getppid(),
        )
        if self.session is not None:
            self.session.on_growth = service.grew
        return service

    def flush(self, signals: Callable[[], int]) -> None:
        """Let slow readers take the rest of the output.

        A signal says that it is enough; one that has come before leaves them a moment.

        Args:
            signals: tells how many have come.
        """
        before = signals()
        end = self.reactor.now() + (_GRACE if before else math.inf)
        while any(output.backlog for output in self.outputs):
            if signals() != before or self.reactor.now() >= end:
                break
            self.reactor.run_once(0.05)

    def failed(self, error: LaunchError | OSError) -> None:
        """Record why nothing can be run: who looks at the session does not see our stderr."""
        self._failed = True
        self.record.message(reason(error) if isinstance(error, OSError) else str(error))

    def conclude(self, code: int, signum: int, program: str) -> None:
        """Record what can only be known now.

        Args:
            code: our exit code.
            signum: the signal to us that ended the instance, 0 if none.
            program: what may have left core files.
        """
        if self.session is not None:
            self.session.explain(program)
        self.record.event(End(max(code, int(self._failed)), signum))
        if self.session is not None:
            self.session.close()

    def outcome(self, code: int) -> Outcome:
        """Return what has come of it.

        Args:
            code: our exit code.
        """
        path = self.session.path if self.session is not None else None
        return Outcome(code, self.header, self.record.events, path)

    def close(self) -> None:
        """Leave nothing: no service, no rundir, no terminal setting, no helper."""
        if self._service is not None:
            self._service.close()
        if self._place is not None:
            self._place.close()
