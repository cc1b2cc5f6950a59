"""If the engine is killed, end its brokers and what they run, and remove its rundir.

A program of its own, in a session of its own, without stdio: what kills the engine's group, closes
its terminal or reads its output does not touch it. It learns what to end from the engine over a
socket, acts when that socket ends without a word of farewell, and is gone within seconds.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":  # run by path, isolated from the user's site-packages and environment
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import json
import signal
import socket
import termios
import time

from fluxstart_tui import process
from fluxstart_tui.engine import processes, rundir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fluxstart_tui.reactor import Reactor

_ENGINE_FD, _TERMINAL_FD = 3, 4
_PATIENCE = 5
"""Seconds that a launcher has to end once it is asked to."""


class Guardian:
    """The engine's side: a started guardian, told what to do should the engine die.

    One that dies is replaced at once and told all there was; one that can not live is given up.

    Args:
        reactor: the engine's loop.
        terminal: the descriptor of the terminal to restore, or None.
    """

    def __init__(self, reactor: Reactor, terminal: int | None) -> None:
        self._reactor = reactor
        self._terminal = terminal
        self._told: list[bytes] = []
        self._lives = 10
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        actions = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), _ENGINE_FD)]
        if self._terminal is not None:
            actions.append((os.POSIX_SPAWN_DUP2, self._terminal, _TERMINAL_FD))
        actions += [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
        self._pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", processes.GUARDIAN],
            {"PATH": os.defpath},
            file_actions=actions,
            setsid=True,
            setsigmask=[],
            setsigdef=processes.SIGNALS,
        )
        os.close(null)
        theirs.close()
        self._socket = ours
        # It says nothing: what can be read is its end.
        self._reactor.add_reader(ours.fileno(), self._replace)

    def _replace(self) -> None:
        self._reap()
        self._lives -= 1
        if self._lives > 0:
            try:
                self._start()
                self._socket.sendall(b"".join(self._told))
            except OSError:
                pass  # no process to be had, or killed again: that one's end will be noticed too

    def tell(self, *message: Any) -> None:
        """Send one message."""
        line = json.dumps(message).encode() + b"\n"
        self._told.append(line)
        try:
            self._socket.sendall(line)
        except OSError:
            pass  # its successor will be told

    def dismiss(self) -> None:
        """Tell the guardian that all is well, and reap it."""
        try:
            self._socket.sendall(b'["done"]\n')
        except OSError:
            pass
        self._reap()

    def _reap(self) -> None:
        self._reactor.remove_reader(self._socket.fileno())
        self._socket.close()
        try:
            os.waitpid(self._pid, 0)
        except ChildProcessError:
            pass


class _Watch:
    """The guardian's side: what it has been told, and what it does about it."""

    def __init__(self) -> None:
        self._about: list[Any] | None = None
        self._heard = processes.now()
        """When the engine last spoke, and lived, in clock ticks: we may be late to see it dead."""
        self._brokers: dict[int, int] = {}
        self._launcher: int | None = None
        self._rundir: rundir.Claim | None = None
        self._socket: rundir.Claim | None = None
        self._broker_rundirs: list[rundir.Claim] = []
        self._terminal: tuple[int, list[Any]] | None = None

    def told(self, message: list[Any]) -> None:
        """Take one message of the engine's."""
        self._heard = processes.now()
        match message:
            case ["family", *about]:
                self._about = about
            case ["broker" | "launcher" as what, pid, start]:
                self._brokers[pid] = start
                if what == "launcher":
                    self._launcher = pid
            case ["reaped", pid]:
                self._brokers.pop(pid, None)
            case ["rundir", *claimed]:
                self._rundir = rundir.Claim(*claimed)
            case ["broker rundir", *claimed]:
                self._broker_rundirs.append(rundir.Claim(*claimed))
            case ["no rundir"]:
                self._rundir = None
            case ["socket", *claimed]:
                self._socket = rundir.Claim(*claimed)
            case ["terminal", session, attributes]:
                self._terminal = (session, attributes)
            case _:
                raise ValueError(message)

    def _alone(self) -> bool:
        """Tell whether no other instance has moved into the rundir: it would bind its socket."""
        return self._socket is None or self._socket.holds()

    def _end_launcher(self) -> None:
        """Ask a launcher to end: killed, it might leave its tasks on other hosts running."""
        launcher = processes.read(self._launcher) if self._launcher in self._brokers else None
        if launcher is None or launcher.start != self._brokers[launcher.pid]:
            return
        processes.send(launcher, signal.SIGTERM)
        for _ in range(_PATIENCE * 20):
            current = processes.read(launcher.pid)
            if current is None or current.start != launcher.start or current.state == "Z":
                break
            time.sleep(0.05)

    def take_over(self) -> None:
        """End everything: the engine is dead."""
        family = None
        groups: frozenset[int] = frozenset()
        if self._about is not None:
            tag, cwd, since, group, spare = self._about
            family = processes.Family(tag, cwd, since, group, spare, self._alone, self._heard)
            family.brokers = self._brokers
            self._end_launcher()
            family.kill()
            groups = family.groups | {group}
        if self._terminal is not None:
            session, attributes = self._terminal
            _restore(attributes, session, groups)
        if family is not None:
            # More looks than the engine needs: one that dies while it spawns a broker leaves a
            # child that does not carry the tag yet.
            family.kill_until_gone(time.sleep, quiet=6)
        for claimed in self._broker_rundirs:
            rundir.remove(claimed)
        if not self._alone():
            return
        if self._socket is not None:
            os.unlink(self._socket.path)
        if self._rundir is not None:
            rundir.remove(self._rundir)


def _restore(attributes: list[Any], session: int, groups: frozenset[int]) -> None:
    """Restore the terminal unless a shell has taken it back and has set it to its own taste.

    Whose it is can not be asked from another session, so its leader's /proc entry tells.
    """
    leader = processes.read(session)
    if leader is None or leader.tpgid not in groups:
        return
    attributes[6] = [bytes([value]) for value in attributes[6]]
    try:
        termios.tcsetattr(_TERMINAL_FD, termios.TCSANOW, attributes)
    except termios.error:
        pass


def main() -> None:
    """Listen to the engine until it says farewell or dies."""
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(signum, signal.SIG_IGN)
    os.chdir("/")
    process.rename("flux-guardian")
    watch = _Watch()
    with socket.socket(fileno=_ENGINE_FD).makefile("rb") as engine:
        for line in engine:
            if not line.endswith(b"\n"):
                break
            message = json.loads(line)
            if message == ["done"]:
                os._exit(0)
            watch.told(message)
    watch.take_over()
    os._exit(0)


if __name__ == "__main__":
    main()
