"""An instance that a parallel launcher starts: the launcher runs here, the brokers wherever.

Its output is taken line by line, since all that is known of the ranks comes from there. What a line
means is not known here: a reader, given by who runs this, tells whose it is and what has happened.
"""

from __future__ import annotations

import os
import signal

from fluxstart_tui.engine.broker import Broker, FileLimit
from fluxstart_tui.engine.broker_rundirs import BrokerRundirs
from fluxstart_tui.engine.errors import LaunchError, reason
from fluxstart_tui.engine.local_ranks import LocalRanks
from fluxstart_tui.engine.orderly_end import SETTLE, TIMED_OUT
from fluxstart_tui.engine.place import SIGNALS
from fluxstart_tui.engine.probes import Probes
from fluxstart_tui.engine.record import STDERR, STDOUT
from fluxstart_tui.engine.relay import LINE_MAX
from fluxstart_tui.session import events
from fluxstart_tui.session.signals import signame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fluxstart_tui.engine.command import Environ
    from fluxstart_tui.engine.custody import Custody
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.engine.stage import Stage
    from fluxstart_tui.session.events import Event
    from fluxstart_tui.session.said import Reader, Said

_CHUNK = 65536
_FLOOD = 16384
"""Bytes that are there at once from which on they are not looked at line by line."""
_LOOK = 1.0
_PATIENCE = 20.0
"""Seconds between two steps of a stop: what an instance gets to end in order."""
_IN_PMI = 1.0
"""The same for brokers in PMI: they block all signals there, so that they can not end at all."""
_AGAIN = 0.3
"""Seconds before the same signal is sent a second time: Hydra and srun count it then."""
_DRAIN = 1.0
"""Seconds for which the launcher's pipes are read once it has ended: others may hold them open."""


class Launched:
    """A launcher, from its start to its end.

    Args:
        stage: what it runs on.
        argv: its command.
        environ: makes its environment.
        stop: names of the signals that end it, in this order: TERM, KILL...
        reader: understands what it prints.
        record: takes what happens, if it is no part of the instance's own story.
    """

    def __init__(
        self,
        stage: Stage,
        argv: list[str],
        environ: Environ,
        stop: Sequence[str],
        reader: Reader,
        record: Record | None = None,
    ) -> None:
        self._stage = stage
        self._reactor = stage.reactor
        self._record = record or stage.record
        self._environ = environ
        self._launcher = Broker(0, argv, environ, pmi=False)
        self._stop = [signal.Signals[f"SIG{name}"] for name in stop]
        self._reader = reader
        self._custody: Custody = stage.place.custody()
        self._rundirs = BrokerRundirs(self._custody.left_to_us)
        self._limit = FileLimit()
        self._rest: dict[int, bytes] = {}
        self.local = LocalRanks(self._reactor, self._record, reader, lambda: self._by)
        """The brokers on this host, as far as they are known."""
        self._greeted = False
        """Whether a broker has told its pid that is not followed yet."""
        self._settled = False
        """Whether a broker has got as far as to have a run directory that is not noted yet."""
        self._probes = Probes(self._reactor, self._record, reader, self.local)
        self._running = False
        self.code = 0
        """The launcher's exit code; 128 + signal if it was killed, or ended well by one to us."""
        self.signals = 0
        """How many signals have come."""
        self.ended_by = 0
        """The signal to us that ended it, 0 if none."""
        self.expired = False
        """Whether it was ended since its time was up."""
        self._by = ""
        """By what it was told to end."""
        self._told = 0.0
        """When it was."""
        self.ended = False
        """Whether it has been run to its end."""
        if record is None:
            for signum in SIGNALS:
                if signal.getsignal(signum) is not signal.SIG_IGN:
                    self._reactor.on_signal(signum, self._signalled_by(signum))

    def beside(self, argv: list[str], reader: Reader, record: Record) -> Launched:
        """Return the same launcher for another command, that takes no signals to us."""
        stop = [signum.name[3:] for signum in self._stop]
        return Launched(self._stage, argv, self._environ, stop, reader, record)

    @property
    def pid(self) -> int:
        """The launcher's pid, -1 while it does not run."""
        return self._launcher.pid if self._running else -1

    def run(self) -> None:
        """Start the launcher; return when it has ended and left nothing.

        Raises:
            LaunchError: it can not be started.
        """
        self._limit.require(1, piped=True)
        try:
            _, pipes = self._launcher.spawn(
                self._limit, piped=True, stdin_null=True, own_session=True
            )
        except OSError as error:
            name = self._launcher.argv[0]
            raise LaunchError(f"--launcher: {name}: {reason(error)}") from error
        assert pipes is not None
        self._running = True
        self._custody.started(self._launcher, launcher=True)
        for fd, stream in zip(pipes, (STDOUT, STDERR), strict=True):
            os.set_blocking(fd, False)
            self._rest[fd] = b""
            self._reactor.add_reader(fd, self._readable(fd, stream))
        self._watch_exit()
        self._look()
        while self._running:
            self._reactor.run_once()
        self._probes.close()
        self._drain()
        left = self._custody.left()
        if left:
            pids = ", ".join(str(process.pid) for process in left)
            self._stage.messages.say(f"the launcher has left processes behind, killed: {pids}")
            self._custody.sweep()
            self._drain()
        self.local.close()
        self._rundirs.remove()
        self.ended = True
        self._note(self._reader.ended(self._record.now(), self.code))

    def _look(self) -> None:
        if self._running:
            self._rundirs.note(self.local.pids.values())
            self._probes.look(self._launcher.pid)
            self._note(self._reader.look(self._record.now()))
            self._reactor.call_later(_LOOK, self._look)

    def _note(self, found: Sequence[Event], at: float | None = None) -> None:
        for event in found:
            self._record.event(event, at)

    def _readable(self, fd: int, stream: int) -> Callable[[], None]:
        return lambda: self._read(fd, stream)

    def _read(self, fd: int, stream: int) -> None:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        whole, newline, rest = (self._rest[fd] + data).rpartition(b"\n")
        if rest and (len(rest) >= LINE_MAX or not data):
            whole, newline, rest = whole + newline + rest, b"\n", b""
        self._rest[fd] = rest
        if newline and (shown := self._take(stream, whole + newline)):
            self._stage.outputs[stream - STDOUT].write(shown)
        if self._greeted:
            self._greeted = False
            self.local.follow(self._reader.pids)
        if self._settled:
            self._settled = False
            self._rundirs.note(self.local.pids.values())
        if not data:
            self._reactor.remove_reader(fd)
            del self._rest[fd]
            os.close(fd)

    def _take(self, stream: int, lines: bytes) -> bytes:
        """Record lines and what they tell; return those that are to be shown."""
        now = self._record.now()
        if len(lines) >= _FLOOD:
            many = self._reader.take_many(now, stream, lines)
            if many is not None:
                for said in many:
                    self._heard(said)
                return lines
        shown = []
        for line in lines[:-1].split(b"\n"):
            said = self._reader.take(now, stream, line)
            self._heard(said)
            if said.shown:
                shown.append(line + b"\n")
        return b"".join(shown)

    def _heard(self, said: Said) -> None:
        self._record.data(said.rank, said.stream, said.text + b"\n", said.at)
        self._note(said.events, said.at)
        for event in said.events:
            self._greeted = self._greeted or isinstance(event, events.Spawn)
            self._settled = self._settled or isinstance(event, events.Pmi)

    def _watch_exit(self) -> None:
        self._reactor.add_reader(self._launcher.pidfd, self._exited)

    def _exited(self) -> None:
        self._reactor.remove_reader(self._launcher.pidfd)
        status = self._launcher.reap()
        if status is None:
            self._watch_exit()
            return
        self._running = False
        self._custody.reaped(self._launcher)
        signum = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        self.code = 128 + signum if signum else os.waitstatus_to_exitcode(status)
        if self.expired:
            self.code = TIMED_OUT
        elif not self.code and self.ended_by:  # some launchers call that a success
            self.code = 128 + self.ended_by

    def _drain(self) -> None:
        """Read what is left in the pipes, and take the ends of brokers."""
        end = self._reactor.now() + _DRAIN
        while (self._rest or self.local.pids) and (left := end - self._reactor.now()) > 0:
            self._reactor.run_once(left)
        for fd in list(self._rest):
            self._reactor.remove_reader(fd)
            os.close(fd)
            del self._rest[fd]

    def _signalled_by(self, signum: int) -> Callable[[], None]:
        return lambda: self.interrupt(signum)

    def interrupt(self, signum: int, by: str = "") -> None:
        """Take a signal to us, or a wish for one: the launcher's own way at the first, kill at two.

        Args:
            signum: the signal.
            by: who wants it, if it is not a signal that has come.
        """
        self.signals += 1
        who = by or f"{signame(signum)} to us"
        if not self.ended_by:
            self._end(signum, who, self._stop)
        elif self._reactor.now() - self._told > SETTLE:
            self._send([signal.SIGKILL])

    def expire(self, by: str) -> None:
        """Take that time is up: end it as by a signal."""
        if not self.ended_by:
            self.expired = True
            self.interrupt(signal.SIGTERM, by)

    def kill(self, by: str) -> None:
        """Kill the launcher, and what it runs on this host, because somebody wants it."""
        self._end(signal.SIGKILL, by, [signal.SIGKILL])

    def _end(self, signum: int, by: str, sequence: list[signal.Signals]) -> None:
        self.ended_by, self._by, self._told = signum, by, self._reactor.now()
        self._reader.stopping(self._record.now(), by)
        self._record.event(events.Signal("", signum, by))
        self._rundirs.note(self.local.pids.values())
        # Launchers that are told to end may leave an instance no time to do so (srun: none).
        if sequence is self._stop and self._reader.leads and self.local.end_leader(by):
            self._reactor.call_later(_PATIENCE, lambda: self._send(sequence))
        else:
            self._send(sequence)

    def _send(self, sequence: list[signal.Signals]) -> None:
        if not self._running or not sequence:
            return
        signum, *rest = sequence
        if signum == signal.SIGKILL:
            # Its tasks, as far as they are here, do not end with it under every launcher.
            self._custody.kill([self._launcher])
            return
        self._launcher.kill(signum)
        wait = _IN_PMI if self._reader.in_pmi else _PATIENCE
        if rest[:1] == [signum]:
            wait = _AGAIN
        self._reactor.call_later(wait, lambda: self._send(rest))
