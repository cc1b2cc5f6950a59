"""Record an instance that somebody else has started: it is watched, never touched.

What its brokers say is heard through their own sockets, what they use is seen in /proc. There is no
start service, so views have no commands, and nobody sees what the instance prints.
"""

from __future__ import annotations

import os

from fluxstart_tui.engine import exit_status
from fluxstart_tui.engine.broker import FileLimit
from fluxstart_tui.engine.commands import header
from fluxstart_tui.engine.errors import Messages, reason
from fluxstart_tui.engine.output import Output
from fluxstart_tui.engine.place import SIGNALS
from fluxstart_tui.engine.record import Record
from fluxstart_tui.engine.session import Session
from fluxstart_tui.engine.tether import Tether
from fluxstart_tui.probe.broker import Look
from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fluxstart_tui.options import Options
    from fluxstart_tui.probe.family import Family
    from fluxstart_tui.session.events import Event

    Eye = Callable[[], Sequence[Event]]

_PERIOD = 5.0
"""Seconds between two looks at what hinders it: as long as a wait has to last to be a stall."""

_REST = 20
"""Times as long as a look has taken there is none."""


def run(options: Options, found: Family, look: Eye) -> int:
    """Record an instance until it has ended, or until who wants to see it is gone.

    Args:
        options: the command line; `record_dir` and `tether` count.
        found: the instance's brokers on this host.
        look: looks at it once more, and returns what is new.

    Returns:
        0, or 1 if nothing can be recorded.
    """
    messages = Messages(options.prog, Output(2))
    FileLimit().require(len(found.tasks), piped=False, watched=True)
    try:
        observer = _Observer(options, found, look, messages)
    except OSError as error:
        messages.say(f"--attach: {error.filename}: {reason(error)}")
        return 1
    observer.run()
    return 0


class _Observer:
    def __init__(self, options: Options, found: Family, look: Eye, messages: Messages) -> None:
        self._reactor = Reactor()
        self._record = Record(self._reactor.now)
        self._look_at = look
        self._pids: dict[int, int] = {}
        self._code = 0
        """Rank 0's exit code, as far as it is known."""
        self._sockets: dict[int, str] = {}
        began = min(task.start for task in found.tasks)
        self._record.reach_back(began)
        about = {
            "argv": list(found.command),
            "options": {},
            "mode": "observed",
            "launcher": found.launcher,
            "broker": [],
            "broker_kind": "",
            "size": found.size or len(found.tasks),
            "away": idset.encode(found.away),
        }
        self._session = Session(
            self._reactor, self._record, messages, options, header(began, about), self._socket
        )
        for task in found.tasks:
            self._follow(task.rank, task.pid, task.start - began)
        self._session.sample(self._pids)
        for signum in SIGNALS:
            self._reactor.on_signal(signum, self._reactor.stop)
        if options.tether is not None:
            Tether(self._reactor, options.tether, lambda _signum, _by: self._reactor.stop())

    def _follow(self, rank: int, pid: int, began: float) -> None:
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            return  # it has just ended
        self._pids[rank] = pid
        self._record.event(events.Spawn(rank, pid), began)
        self._reactor.add_reader(pidfd, lambda: self._ended(rank, pid, pidfd))
        self._session.monitor.started(rank)

    def _ended(self, rank: int, pid: int, pidfd: int) -> None:
        status = exit_status.of(pid, pidfd)
        self._reactor.remove_reader(pidfd)
        os.close(pidfd)
        del self._pids[rank]
        self._session.monitor.ended(rank)
        if status is None:
            end = events.Exit(rank, pid, 0, 0, "unknown", "only its parent knows how")
        else:
            signum = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            code = 128 + signum if signum else os.waitstatus_to_exitcode(status)
            end = events.Exit(rank, pid, code, signum, "sender" if signum else "exit")
        self._record.event(end)
        if rank == 0:
            self._code = end.code
        if not self._pids:
            self._reactor.stop()

    def _socket(self, rank: int) -> str:
        return self._sockets.get(rank, "")

    def _look(self) -> None:
        began = self._reactor.now()
        for event in self._look_at():
            self._record.event(event)
            if isinstance(event, events.Probe) and (path := Look(*event[1:-1]).local):
                self._sockets[event.rank] = path
        spent = self._reactor.now() - began
        self._reactor.call_later(max(_PERIOD, _REST * spent), self._look)

    def run(self) -> None:
        """Watch until the last broker has ended, or until somebody says that it is enough."""
        self._look()
        if self._pids:
            self._reactor.run()
        self._session.unwatch()
        if not self._pids:
            self._record.event(events.End(self._code))
        self._session.close()
