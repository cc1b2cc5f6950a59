"""The program on a terminal, as its user sees it: a pty, and an emulator that shows its screen."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import termios
import time
from typing import TYPE_CHECKING

from fluxstart_tui.tui.terminal import emulator
from tests import support

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class OnTerminal:
    """The program, started on a terminal of its own.

    Args:
        scene: where it runs.
        args: its command line.
        size: columns and rows.
        program: what is run instead of the program in this tree.
        env: what its environment has beyond the usual.
    """

    def __init__(
        self,
        scene: Path,
        *args: str,
        size: tuple[int, int] = (120, 40),
        program: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._emulator = emulator.create(*size)
        environ = support.environment(scene, {"PS1": "$ ", "TERM": "xterm-256color"})
        environ["XDG_STATE_HOME"] = str(scene / "state")
        environ["XDG_CONFIG_HOME"] = str(scene / "config")
        environ.pop("NO_COLOR", None)
        environ |= env or {}
        self.written = bytearray()
        """All that the program has written."""
        if program:
            del environ["PYTHONPATH"]
        # Our own slave keeps what is on the terminal readable when the program has ended.
        self._fd, self._slave = os.openpty()
        self.resize(*size)
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(self._slave)
            os.chdir(scene)
            words = [*(program or support.command()), *args]
            os.execve(words[0], words, environ)
        self.code: int | None = None

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        told = self._emulator.resize(columns, rows)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if told:  # the program has asked to be told in band
            os.write(self._fd, told)

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._fd, text.encode())

    def _read(self, seconds: float) -> None:
        if self._fd >= 0 and select.select([self._fd], [], [], seconds)[0]:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                data = b""
            if not data:
                self.close()
                return
            self.written += data
            reply = self._emulator.feed(data)
            if reply:
                os.write(self._fd, reply)

    def screen(self) -> str:
        """Return the text that is on the terminal now."""
        self._emulator.changed()
        return self._emulator.text()

    def look(self) -> str:
        """Return the text that is on the terminal once it has been quiet for a moment."""
        while select.select([self._fd], [], [], 0.1)[0]:
            self._read(0)
        return self.screen()

    def expect(self, *texts: str, gone: str = "") -> str:
        """Wait until all texts are on the screen, and one is not; return the screen."""
        deadline = time.monotonic() + support.PATIENCE
        while True:
            self._read(0.05)
            screen = self.screen()
            if all(text in screen for text in texts) and not (gone and gone in screen):
                return screen
            assert time.monotonic() < deadline, f"waited for {texts}, without {gone!r}:\n{screen}"

    def modes(self) -> list[int]:
        """Return the terminal's modes."""
        return [mode for mode in termios.tcgetattr(self._slave)[:4] if isinstance(mode, int)]

    def signal(self, signum: int) -> None:
        """Send the UI a signal."""
        os.kill(self.pid, signum)

    def close(self) -> None:
        """Close the terminal's window."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def end(self) -> int:
        """Wait for the UI's end; return its exit code, negative for a signal."""
        deadline = time.monotonic() + support.PATIENCE
        while self.code is None:
            self._read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"still running:\n{self.screen()}")
        for _ in range(20):
            self._read(0.01)
        self.close()
        os.close(self._slave)
        return self.code

    @property
    def text(self) -> str:
        """What is on the screen, in one line."""
        return " ".join(self.screen().split())
