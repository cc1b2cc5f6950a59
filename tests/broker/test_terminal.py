"""The initial program on a terminal: it gets it, with job control, and gives it back."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from tests.broker.instance import BROKER, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAUNCHER = (
    # Like flux start: it is in the foreground group, and the broker is in it without leading it.
    "import os, sys; pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]);"
    " sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
)


class Terminal:
    """A broker's launcher on a pseudo terminal of its own."""

    def __init__(self, folder: Path, words: list[str]) -> None:
        environ = {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder)}
        environ |= {"SHELL": "/bin/bash", "TERM": "dumb"}
        self.output = b""
        self._seen = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.execve(sys.executable, words, environ)
        self.modes = termios.tcgetattr(self.fd)

    def expect(self, text: bytes) -> None:
        """Wait for output that was not waited for before."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.output[self._seen :]:
            assert time.monotonic() < deadline, (text, self.output)
            assert self._read(1.0), (text, self.output)
        self._seen = self.output.index(text, self._seen) + len(text)

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def wait(self) -> int:
        """Return the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(1.0):
            assert time.monotonic() < deadline, self.output
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def _read(self, timeout: float) -> bool:
        if select.select([self.fd], [], [], timeout)[0]:
            try:
                self.output += os.read(self.fd, 65536)
            except OSError:
                return False
        return True

    def close(self) -> None:
        if self.pid:
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture(params=["launched", "leading"])
def words(request: pytest.FixtureRequest) -> list[str]:
    """Give the words that run a broker below a launcher, and as leader of the session itself."""
    if request.param == "launched":
        return [sys.executable, "-I", "-S", "-c", LAUNCHER, *BROKER]
    return BROKER


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Close what a test opens."""
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def test_an_interactive_shell_has_job_control(
    tmp_path: Path, words: list[str], terminals: list[Terminal]
) -> None:
    (tmp_path / ".bashrc").write_text("PS1='ready$ '\n")
    terminal = Terminal(tmp_path, [*words, "--", "bash"])
    terminals.append(terminal)
    terminal.expect(b"ready$ ")
    terminal.type(b"stty -echo; echo A; sleep 100\n")
    terminal.expect(b"\nA\r\n")
    until_foreground(terminal, "sleep")
    terminal.type(b"\x03")
    terminal.expect(b"ready$ ")
    terminal.type(b"sleep 100\n")
    until_foreground(terminal, "sleep")
    terminal.type(b"\x1a")
    terminal.expect(b"Stopped")
    terminal.expect(b"ready$ ")
    terminal.type(b"fg\n")
    until_foreground(terminal, "sleep")
    terminal.type(b"\x03")
    terminal.expect(b"ready$ ")
    terminal.type(b"exit 3\n")
    assert terminal.wait() == 3


def test_a_program_that_reads_gets_the_terminal_and_the_interrupt(
    tmp_path: Path, words: list[str], terminals: list[Terminal]
) -> None:
    terminal = Terminal(tmp_path, [*words, "--", "cat"])
    terminals.append(terminal)
    terminal.type(b"hi\n")
    terminal.expect(b"hi\r\nhi\r\n")
    terminal.type(b"\x03")
    assert terminal.wait() == 130
    assert b"rc2.0: cat Interrupt (rc=130)" in terminal.output


def test_modes_are_restored_after_a_program_that_had_the_terminal(
    tmp_path: Path, terminals: list[Terminal]
) -> None:
    shell = "sh", "-c", "stty -echo; echo now; read line; exit 4"
    launcher = f"{LAUNCHER.replace('sys.exit', 'code = ')}; os.system('stty -a'); sys.exit(code)"
    terminal = Terminal(
        tmp_path, [sys.executable, "-I", "-S", "-c", launcher, *BROKER, "--", *shell]
    )
    terminals.append(terminal)
    terminal.expect(b"now")
    terminal.type(b"x\n")
    assert terminal.wait() == 4
    assert b" echo " in terminal.output


def until_foreground(terminal: Terminal, name: str) -> None:
    """Wait until a process of some name is in the terminal's foreground group."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with open(f"/proc/{os.tcgetpgrp(terminal.fd)}/comm", encoding="ascii") as comm:
                if comm.read().strip() == name:
                    return
        except OSError:
            pass
        assert time.monotonic() < deadline, f"{name} is not in the foreground"
        time.sleep(0.005)
