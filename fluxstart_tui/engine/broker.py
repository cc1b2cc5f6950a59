"""One broker process of an instance: how it is started, its descriptors, its end."""

from __future__ import annotations

import os
import resource
import signal
import socket

from fluxstart_tui.engine import command, processes
from fluxstart_tui.process import LOG_FD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.command import Environ

_PMI_FD, _LOG_FD = 3, 4
"""The numbers of the descriptors in a broker that are for PMI and for a shared log."""

_BESIDES = 32
"""Descriptors that the engine needs whatever the size of the instance."""


class Broker:
    """A broker and what is known of it.

    Args:
        rank: its rank.
        argv: the words to execute; the first is looked up in PATH if it has no slash.
        environ: makes its environment, given the number of its PMI descriptor.
        pmi: whether it is served PMI; if not, it has no such descriptor.
    """

    def __init__(self, rank: int, argv: list[str], environ: Environ, *, pmi: bool = True) -> None:
        self.rank = rank
        self.argv = argv
        self._environ = environ
        self._pmi = pmi
        self.pid = -1
        self.pidfd = -1
        self.start = 0
        """Start time in clock ticks; with the pid, it names the process for good."""

    def spawn(
        self,
        limit: FileLimit,
        *,
        piped: bool,
        tty: str | None = None,
        stdin_null: bool = False,
        own_session: bool = False,
        log: int | None = None,
    ) -> tuple[int | None, tuple[int, int] | None]:
        """Start the process, as flux start does (libsubprocess/posix_spawn.c).

        It gets descriptors 0, 1, 2, PMI and the log only, an empty signal mask, default
        dispositions, and stays in our process group unless it gets a terminal.

        Args:
            limit: the descriptor limits that it is to have.
            piped: stdout and stderr are pipes to us rather than our own.
            tty: name of a terminal that it runs on, as leader of a session of its own, instead.
            stdin_null: without a terminal of its own it has no input, instead of ours.
            own_session: it leads a session of its own, which it does anyway on a terminal.
            log: what it writes its log to as well; embedded brokers do.

        Returns:
            Our end of the PMI socket, and our ends of the pipes, if there are any.

        Raises:
            OSError: it can not be started.
        """
        program = command.executable(self.argv)
        ours, theirs = socket.socketpair() if self._pmi else (None, None)
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(2)] if piped and tty is None else []
        given = [(pipe[1], 1 + at) for at, pipe in enumerate(pipes)]
        if theirs is not None:
            given.append((theirs.fileno(), _PMI_FD))
        environ = self._environ(_PMI_FD if self._pmi else None)
        if log is not None:
            given.append((log, _LOG_FD))
            environ[LOG_FD] = str(_LOG_FD)
        actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]]
        actions = [(os.POSIX_SPAWN_DUP2, limit.low(fd, at), at) for fd, at in given]
        if tty is not None:
            # The first terminal that a session's leader opens controls the session.
            actions.append((os.POSIX_SPAWN_OPEN, 0, tty, os.O_RDWR, 0))
            actions += [(os.POSIX_SPAWN_DUP2, 0, at) for at in (1, 2)]
        elif stdin_null:
            actions.append((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0))
        try:
            with limit:
                self.pid = os.posix_spawnp(
                    program,
                    self.argv,
                    environ,
                    file_actions=actions,
                    setsid=own_session or tty is not None,
                    setsigmask=[],
                    setsigdef=processes.SIGNALS,
                )
            self.pidfd = os.pidfd_open(self.pid)
        except OSError:
            if self.pid >= 0:  # started, but nothing to watch it by
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            if ours is not None:
                ours.close()
            for reader, _ in pipes:
                os.close(reader)
            raise
        finally:
            if theirs is not None:
                theirs.close()
            for _, writer in pipes:
                os.close(writer)
        # Reads a process that has ended as well: it is not reaped yet.
        self.start = process.start if (process := processes.read(self.pid)) else 0
        if ours is not None:
            ours.setblocking(False)
        pmi_fd = ours.detach() if ours is not None else None
        return pmi_fd, (pipes[0][0], pipes[1][0]) if pipes else None

    def reap(self) -> int | None:
        """Return the wait status if the process has ended, else None."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return None
        os.close(self.pidfd)
        self.pidfd = -1
        return status

    def kill(self, signum: int) -> None:
        """Send a signal, if it still runs."""
        if self.pidfd >= 0:
            try:
                signal.pidfd_send_signal(self.pidfd, signum)
            except ProcessLookupError:
                pass


class FileLimit:
    """The limit on open descriptors: as high as the engine needs, as it was for what is started.

    Entered around a spawn, so that a broker gets the limit that we got.
    """

    def __init__(self) -> None:
        self._found = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._raised = False
        self._low: dict[int, int] = {}

    def require(
        self, brokers: int, *, piped: bool, watched: bool = False
    ) -> tuple[int, int] | None:
        """Make room for the descriptors of an instance.

        Args:
            brokers: how many.
            piped: their stdout and stderr are pipes to us.
            watched: we are connected to each of them.

        Returns:
            None if there is room, else the need and the hard limit that does not grant it.
        """
        soft, hard = self._found
        inherited = len(os.listdir("/proc/self/fd"))
        need = brokers * (2 + 2 * piped + watched) + _BESIDES + inherited
        if soft != resource.RLIM_INFINITY and need > soft:
            if hard != resource.RLIM_INFINITY and need > hard:
                return need, hard
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            self._raised = True
            self._low = {at: os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC) for at in range(1, 5)}
        return None

    def low(self, fd: int, purpose: int) -> int:
        """Return a descriptor for the same file that is below the limit that we got.

        posix_spawn(3) refuses to duplicate one that is not. It is valid until the next call for
        the same purpose.
        """
        return os.dup2(fd, self._low[purpose], inheritable=False) if self._raised else fd

    def __enter__(self) -> None:
        if self._raised:
            resource.setrlimit(resource.RLIMIT_NOFILE, self._found)

    def __exit__(self, *_: object) -> None:
        if self._raised:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self._found[1], self._found[1]))
