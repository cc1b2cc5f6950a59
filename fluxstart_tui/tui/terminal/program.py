"""A helper program, such as a debugger, on a pty of the UI's own, shown as a rank's terminal is."""

from __future__ import annotations

import asyncio
import os
import signal
import termios
import time
from typing import TYPE_CHECKING

from fluxstart_tui.tui.terminal.feed import Synchronized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fluxstart_tui.tui.terminal.emulator import Emulator

_CHUNK = 1 << 16
_WAITING_MAX = 1 << 20
"""Bytes of input that may wait for a program that does not read."""

_TERM = "xterm-256color"


class Program:
    """A program that is started at once: takes what is typed and feeds an emulator.

    Args:
        argv: the program.
        env: its environment.

    Raises:
        OSError: it can not be started.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self._master, slave = os.openpty()
        os.set_blocking(self._master, False)
        name = os.ttyname(slave)
        termios.tcsetwinsize(self._master, (24, 80))
        try:
            # The first terminal that a session's leader opens controls the session.
            self._pid = os.posix_spawnp(
                argv[0],
                list(argv),
                {**env, "TERM": _TERM},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, name, os.O_RDWR, 0),
                    (os.POSIX_SPAWN_DUP2, 0, 1),
                    (os.POSIX_SPAWN_DUP2, 0, 2),
                ],
                setsid=True,
                setsigmask=[],
                setsigdef=set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP},
            )
        except OSError:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        self.readable: Callable[[], None] = lambda: None
        """Called when it has written something."""
        self.failed: Callable[[str | None], None] = lambda _: None
        self.code: int | None = None
        """Its exit code, negative for a signal, once it has ended."""
        self._waiting = bytearray()
        self._closed = False
        self._listen()

    # What a typist does.

    def type(self, data: bytes) -> bool:
        """Have bytes typed; tell whether there was room for them."""
        if self._closed or len(self._waiting) + len(data) > _WAITING_MAX:
            return False
        self._waiting += data
        self._write()
        return True

    def resize(self, columns: int, rows: int) -> None:
        """Give its terminal a size."""
        if not self._closed:
            termios.tcsetwinsize(self._master, (rows, columns))

    def nudge(self) -> None:
        """Do nothing: its size has always been known."""

    def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            del self._waiting[: os.write(self._master, self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._waiting.clear()
        if self._waiting:
            loop.add_writer(self._master, self._write)
        else:
            loop.remove_writer(self._master)

    # What feeds an emulator.

    def read(self) -> bytes:
        """Return some of what it has written, b"" if there is nothing now."""
        if self._closed:
            return b""
        try:
            data = os.read(self._master, _CHUNK)
        except BlockingIOError:
            self._listen()
            return b""
        except OSError:  # nobody has the terminal open any more
            data = b""
        if not data:
            self.close()
        return data

    def _listen(self) -> None:
        asyncio.get_running_loop().add_reader(self._master, self._heard)

    def _heard(self) -> None:
        # Once: it is read when there is time for it, and then listened to again.
        asyncio.get_running_loop().remove_reader(self._master)
        self.readable()

    @property
    def ended(self) -> bool:
        """Whether nothing comes from it any more."""
        if self._closed and self.code is None:
            self._reap(os.WNOHANG)
        return self._closed

    def _reap(self, how: int) -> None:
        pid, status = os.waitpid(self._pid, how)
        if pid:
            self.code = os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """Hang up."""
        if not self._closed:
            self._closed = True
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._master)
            loop.remove_writer(self._master)
            os.close(self._master)


class ProgramFeed(Synchronized):
    """Feeds an emulator from a program, as feed.Feed does from a session.

    Args:
        program: the program.
        emulator: gets the bytes.
    """

    def __init__(self, program: Program, emulator: Emulator) -> None:
        super().__init__(emulator)
        self._program = program
        self.behind = False
        """Whether there is more to be fed at once."""
        self.any = False
        """Whether there was any output."""

    def pump(self, seconds: float) -> bool:
        """Feed what has come since, for about so many seconds; tell whether anything has."""
        until = time.monotonic() + seconds
        fed = False
        while data := self._program.read():
            fed = self.any = True
            self._program.type(self._emulator.feed(data))
            self.behind = time.monotonic() > until
            if self.behind:
                break
        else:
            self.behind = False
        return fed

    def resize(self, columns: int, rows: int, *, told: bool) -> None:  # noqa: ARG002 - Feed's
        """Change the size."""
        self._program.type(self._emulator.resize(columns, rows))

    def garbled(self) -> bool:
        """Tell whether a full screen may be garbled: never."""
        return False
