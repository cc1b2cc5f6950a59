"""What is typed on a pty: queued in front of it, and seen to where it would reach nobody."""

from __future__ import annotations

import errno
import os
import signal
import termios
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from fluxstart_tui.engine.output import Buffer
    from fluxstart_tui.engine.pseudo_terminal import Discipline, PseudoTerminal
    from fluxstart_tui.reactor import Reactor

    Done = Callable[[int], None]

    class User(Protocol):
        """Whom a pty's input concerns."""

        @property
        def interrupt(self) -> Callable[[int], None] | None:
            """Takes SIGINT or SIGQUIT; None: the pty's own programs take all there is."""

        def suspend(self) -> None:
            """Stop until continued by the shell that runs us."""

        def show(self, data: bytes) -> None:
            """Show what the pty would echo."""

        def taken(self) -> None:
            """Take note that less input waits."""


class PtyInput:
    """The queue in front of a pty, which holds only some KiB that nobody reads.

    Args:
        reactor: the loop.
        pty: the pty.
        user: does what control characters ask for while no program would.
    """

    def __init__(self, reactor: Reactor, pty: PseudoTerminal, user: User) -> None:
        self._reactor = reactor
        self._pty = pty
        self._master = pty.master
        self._user = user
        self._queue: deque[tuple[Buffer, Done | None]] = deque()
        self.size = 0
        """Bytes that wait."""

    def type(self, data: bytes, done: Done | None, *, ours: bool) -> None:
        """Pass input on to the pty, except for control characters that nobody there would get.

        Args:
            data: the input.
            done: called with 0 when the pty has taken it all, or with an errno: EINTR if it has
                been flushed, EIO if the pty is gone.
            ours: it was typed on our own terminal.
        """
        try:
            discipline = self._pty.discipline()
        except termios.error:
            discipline = None
        if discipline is not None and any(byte in data for byte in discipline.characters):
            interrupt = self._user.interrupt
            if interrupt is not None and self._reaches_nobody():
                data = self._act(data, discipline, interrupt, ours=ours)
            elif self.size and discipline.signals and discipline.flushes:
                # The pty would flush what it holds, but as long as it is full it does not get to
                # see the character.
                self.flush()
                data = data[max(map(data.rfind, discipline.characters)) :]
        self._put(data, done)

    def _reaches_nobody(self) -> bool:
        """Tell whether a control character would reach no program that acts on it."""
        return self._pty.foreground() == 0 or self._pty.stopped_foreground() is not None

    def _act(
        self, data: bytes, discipline: Discipline, interrupt: Callable[[int], None], *, ours: bool
    ) -> bytes:
        """Do what control characters ask for while no program would; return the other input."""
        kept = bytearray()
        interrupted = set()
        for byte in data:
            signum = discipline.characters.get(byte)
            if signum is None or (signum == signal.SIGTSTP and not ours):
                kept.append(byte)
            elif signum == signal.SIGTSTP:
                self._user.suspend()
            elif signum not in interrupted:  # once: the second would be taken for impatience
                interrupted.add(signum)
                if discipline.flushes:
                    kept.clear()
                    self.flush()
                if discipline.echoes:
                    self._user.show(b"^%c" % (byte ^ 0x40))
                interrupt(signum)
        return bytes(kept)

    def _put(self, data: bytes, done: Done | None) -> None:
        self._queue.append((data, done))
        self.size += len(data)
        if len(self._queue) == 1:
            self._write()

    def _write(self) -> None:
        while self._queue:
            data, done = self._queue[0]
            try:
                written = os.write(self._master, data)
            except BlockingIOError:
                written = 0
            except OSError as error:
                self._drop(error.errno or errno.EIO)
                return
            self.size -= written
            if written < len(data):
                self._queue[0] = memoryview(data)[written:], done
                self._reactor.add_writer(self._master, self._write_more)
                return
            self._queue.popleft()
            if done is not None:
                done(0)
        self._reactor.remove_writer(self._master)

    def _write_more(self) -> None:
        self._write()
        self._user.taken()

    def flush(self) -> None:
        """Drop what waits, here and in the pty, as a terminal does when it is interrupted."""
        for fd, queue in ((self._master, termios.TCOFLUSH), (self._pty.slave, termios.TCIFLUSH)):
            try:
                termios.tcflush(fd, queue)
            except termios.error:
                pass
        self._drop(errno.EINTR)
        self._user.taken()

    def _drop(self, error: int) -> None:
        dropped, self._queue, self.size = self._queue, deque(), 0
        self._reactor.remove_writer(self._master)
        for _, done in dropped:
            if done is not None:
                done(error)

    def close(self) -> None:
        """Drop what waits: the pty is about to be closed."""
        self._drop(errno.EIO)
