"""The initial program on a terminal: it gets it, with job control, and gives it back."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shlex
import shutil
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import support
from tests.broker.instance import BROKER, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
LAUNCHER = (
    # Like flux start: it is in the foreground group, and the broker is in it without leading it.
    "import os, sys; pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]);"
    " sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
)


class Terminal:
    """A broker's launcher on a pseudo terminal of its own."""

    def __init__(self, folder: Path, words: list[str], term: str = "dumb") -> None:
        environ = {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder)}
        environ |= {"SHELL": "/bin/bash", "TERM": term, "PYTHONPATH": str(ROOT)}
        self.output = b""
        self._seen = 0
        with support.child_waits() as wait:
            self.pid, self.fd = pty.fork()
            if self.pid == 0:
                wait()
                signal.pthread_sigmask(signal.SIG_SETMASK, ())
                os.chdir(folder)
                os.execve(words[0], words, environ)
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


@pytest.fixture(params=["embedded", pytest.param("flux", marks=pytest.mark.real_flux)])
def start(request: pytest.FixtureRequest) -> list[str]:
    """Give the words that start an instance of two brokers of a kind."""
    quiet = "-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "-Sstatedir=state"
    module = [sys.executable, "-m", "fluxstart_tui", "--headless"]
    return [*module, f"--broker={request.param}", "-s2", *quiet]


def test_bash_as_the_program_of_an_instance(
    tmp_path: Path, start: list[str], terminals: list[Terminal]
) -> None:
    (tmp_path / ".bashrc").write_text("PS1='ready$ '\n")
    terminal = Terminal(tmp_path, [*start, "bash"])
    terminals.append(terminal)
    terminal.expect(b"ready$ ")
    terminal.type(b"stty -echo; echo A\n")
    terminal.expect(b"\nA\r\nready$ ")
    for keys, answer in ((b"\x03", b"ready$ "), (b"\x1a", b"Stopped")):
        terminal.type(b"sleep 100\n")
        until_foreground(terminal, "sleep")
        terminal.type(keys)
        terminal.expect(answer)
        until_foreground(terminal, "bash")
    terminal.type(b"fg\n")
    until_foreground(terminal, "sleep")
    terminal.type(b"\x03")
    until_foreground(terminal, "bash")
    terminal.type(b"echo $((6 * 7)); exit 7\n")
    terminal.expect(b"42")
    assert terminal.wait() == 7


def test_python_as_the_program_of_an_instance(
    tmp_path: Path, start: list[str], terminals: list[Terminal]
) -> None:
    terminal = Terminal(tmp_path, [*start, "--", snake(tmp_path), "-q"])
    terminals.append(terminal)
    terminal.expect(b">>> ")
    terminal.type(b"import time; print('a' + 'b'); time.sleep(100)\n")
    terminal.expect(b"\nab\r\n")
    until_foreground(terminal, "snake")
    terminal.type(b"\x03")
    terminal.expect(b"KeyboardInterrupt")
    terminal.expect(b">>> ")
    terminal.type(b"print(6 * 7)\n")
    terminal.expect(b"\n42\r\n>>> ")
    terminal.type(b"exit(5)\n")
    assert terminal.wait() == 5


def test_the_program_is_told_of_a_new_size(
    tmp_path: Path, start: list[str], terminals: list[Terminal]
) -> None:
    program = (
        "import os, signal; signal.signal(signal.SIGWINCH,"
        " lambda *_: os.write(1, str(tuple(os.get_terminal_size())).encode()));"
        " print('up', flush=True);"
        " input()"
    )
    terminal = Terminal(tmp_path, [*start, "--", snake(tmp_path), "-c", program])
    terminals.append(terminal)
    terminal.expect(b"up\r\n")
    until_foreground(terminal, "snake")
    fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 37, 91, 0, 0))
    terminal.expect(b"(91, 37)")
    terminal.type(b"\n")
    assert terminal.wait() == 0


@pytest.mark.skipif(shutil.which("vim") is None, reason="there is no vim on PATH")
def test_vim_as_the_program_of_an_instance(
    tmp_path: Path, start: list[str], terminals: list[Terminal]
) -> None:
    words = shlex.join([*start, "--", "vim", "-u", "NONE", "-N", "text"])
    shell = f"stty -a >before; {words}; code=$?; stty -a >after; exit $code"
    terminal = Terminal(tmp_path, ["/bin/sh", "-c", shell], term="xterm")
    terminals.append(terminal)
    terminal.expect(b"[New")
    until_foreground(terminal, "vim")
    terminal.type(b"ihello\rworld")
    terminal.expect(b"world")
    terminal.type(b"\x1b:wq\r")
    assert terminal.wait() == 0
    assert (tmp_path / "text").read_text() == "hello\nworld\n"
    assert (tmp_path / "after").read_text() == (tmp_path / "before").read_text()
    assert " icanon " in (tmp_path / "before").read_text()


def snake(folder: Path) -> str:
    """Make a Python that bears a name of its own, unlike those that run us."""
    path = folder / "snake"
    path.symlink_to(os.path.realpath(sys.executable))
    return str(path)


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
