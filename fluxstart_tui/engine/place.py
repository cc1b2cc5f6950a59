"""What an instance needs before its brokers: run directory, start socket, and who cleans up."""

from __future__ import annotations

import os
import signal

from fluxstart_tui.engine import command, processes, rundir
from fluxstart_tui.engine.custody import Custody
from fluxstart_tui.engine.guardian import Guardian
from fluxstart_tui.engine.start_socket import StartSocket
from fluxstart_tui.engine.witness import Witness

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.terminal import Terminal
    from fluxstart_tui.options import Options
    from fluxstart_tui.reactor import Reactor

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
"""Signals that ask for the instance's end."""


class Place:
    """Made step by step, in flux start's order of checks; `close` undoes what there is.

    Args:
        reactor: the engine's loop.
        terminal: our terminal, which the guardian restores if we can not, or None.
    """

    def __init__(self, reactor: Reactor, terminal: Terminal | None) -> None:
        self._terminal = terminal
        self._claim: rundir.Claim | None = None
        self._socket: StartSocket | None = None
        self._witness = Witness(SIGNALS)
        self._guardian = Guardian(reactor, 0 if terminal is not None else None)
        self.path = ""
        """The run directory, as it was named."""
        if terminal is not None:
            terminal.on_change = self._tell_terminal
            self._tell_terminal()

    def _tell_terminal(self) -> None:
        assert self._terminal is not None
        self._guardian.tell("terminal", os.getsid(0), self._terminal.attributes)

    @property
    def socket(self) -> StartSocket:
        """Where the start service listens."""
        assert self._socket is not None
        return self._socket

    def settle(self, options: Options) -> None:
        """Make the run directory and the socket in it.

        Raises:
            LaunchError: they can not be had.
        """
        self.path = self._make_rundir(options)
        self._socket = StartSocket(f"{self.path}/start")
        self._guardian.tell("socket", *self._socket.claim)
        if options.test_rundir_cleanup:  # not before it is known that nobody else lives there
            self._announce(rundir.claim(os.path.realpath(self.path)))

    def _make_rundir(self, options: Options) -> str:
        if options.test_rundir is not None:
            rundir.adopt(options.test_rundir)
            return options.test_rundir
        if options.rundir is not None:
            rundir.create_at(options.rundir, self._announce)
            return options.rundir
        return rundir.create(self._announce)

    def _announce(self, claim: rundir.Claim | None) -> None:
        self._claim = claim
        self._guardian.tell(*(("rundir", *claim) if claim else ("no rundir",)))

    def custody(self) -> Custody:
        """Begin to take care of the instance's processes."""
        own = processes.read(os.getpid())
        assert own is not None
        about = (
            command.start_uri(self.path),
            None if os.path.isabs(self.path) else os.getcwd(),
            own.start,
            own.pgrp,
            [own.pid, self._witness.pid],
        )
        self._guardian.tell("family", *about)
        return Custody(processes.Family(*about), self._guardian, self._witness)

    def close(self) -> None:
        """Leave nothing behind, our helpers included."""
        if self._socket is not None:
            self._socket.close()
        if self._claim is not None:
            rundir.remove(self._claim)
        if self._terminal is not None:
            self._terminal.restore()
        self._guardian.dismiss()
        self._witness.dismiss()
