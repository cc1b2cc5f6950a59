"""Rank 0 on a pty of ours: to the user and to programs it is the terminal that we run on."""

from __future__ import annotations

import contextlib
import errno
import os
import pty
import re
import select
import shlex
import shutil
import signal
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.engine.broker import Broker, FileLimit
from fluxstart_tui.engine.console import Console
from fluxstart_tui.reactor import Reactor
from tests import support
from tests.broker.instance import BROKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENGINE = [sys.executable, str(Path(__file__).parent / "console_engine.py")]
RC2_PGRP = "-Sbroker.rc2_pgrp=1"
EMBEDDED = [*BROKER, RC2_PGRP, "--"]
REAL = ["flux", "broker", RC2_PGRP, "-Sbroker.rc1_path=", "-Sbroker.rc3_path="]
PATIENCE = 10.0
NOBODY_READS = ["sh", "-c", "echo up; exec sleep 100"]


class Outer:
    """A terminal with a user, on which something runs in the foreground."""

    def __init__(self, folder: Path, words: list[str]) -> None:
        environ = support.environment(
            folder, {"HOME": str(folder), "TERM": "xterm", "PS1": "ready%"}
        )
        self.folder = folder
        self.output = b""
        self._seen = 0
        with support.child_waits() as wait:
            self.pid, self.fd = pty.fork()
            if self.pid == 0:
                wait()
                os.chdir(folder)
                signal.pthread_sigmask(signal.SIG_SETMASK, ())
                os.execvpe(words[0], words, environ)
            termios.tcsetwinsize(self.fd, (33, 111))
            self.modes = termios.tcgetattr(self.fd)

    def is_raw(self) -> bool:
        return not termios.tcgetattr(self.fd)[3] & (termios.ICANON | termios.ECHO)

    def expect(self, text: bytes) -> None:
        """Wait for output that was not waited for before."""
        self.wait_for(lambda: text in self.output[self._seen :], str(text))
        self._seen = self.output.index(text, self._seen) + len(text)

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition, and read meanwhile, as a terminal does."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, (what, self.output[-2000:])
            self._read(0.01)

    def logged(self) -> bytes:
        """Return the signals that the engine has been told of; nothing is read meanwhile."""
        path = self.folder / "log"
        return path.read_bytes() if path.exists() else b""

    def type(self, keys: bytes) -> None:
        while keys:
            if select.select([], [self.fd], [], 0.01)[1]:
                keys = keys[os.write(self.fd, keys[:512]) :]
            self._read(0)

    def foreground(self) -> str:
        """Return the name of what is in the foreground here."""
        try:
            return Path(f"/proc/{os.tcgetpgrp(self.fd)}/comm").read_text(encoding="ascii").strip()
        except OSError:
            return ""

    def wait(self) -> int:
        """Return the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(1.0):
            assert time.monotonic() < deadline, self.output[-2000:]
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

    def hang_up(self) -> None:
        os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        if self.fd >= 0:
            self.hang_up()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def clean_up(folder: Path) -> None:
    """End what a failed or an ended test has left: there is no engine that does it."""
    for line in support.processes_of(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(line.split()[0]), signal.SIGKILL)
    for name in support.rundirs(folder):
        shutil.rmtree(folder / name)


@pytest.fixture
def outer(scene: Path) -> Iterator[Callable[[list[str]], Outer]]:
    """Run something on a terminal."""
    opened: list[Outer] = []

    def run(words: list[str]) -> Outer:
        opened.append(Outer(scene, words))
        return opened[-1]

    yield run
    for terminal in opened:
        terminal.close()
    clean_up(scene)


@pytest.fixture(params=["embedded", pytest.param("flux", marks=pytest.mark.real_flux)])
def broker(request: pytest.FixtureRequest) -> list[str]:
    """Give the words that run a broker."""
    return EMBEDDED if request.param == "embedded" else REAL


def inner(outer: Outer, name: str) -> Callable[[], bool]:
    """Tell whether a process of that name is in the foreground of its, the inner, terminal."""

    def found() -> bool:
        for line in support.processes_of(outer.folder):
            try:
                stat = Path(f"/proc/{line.split()[0]}/stat").read_text(encoding="utf-8")
            except OSError:
                continue
            comm, fields = stat[stat.index("(") + 1 : stat.rindex(")")], stat.rpartition(")")[2]
            if comm == name and fields.split()[2] == fields.split()[5]:
                return True
        return False

    return found


def test_a_shell_has_job_control(outer: Callable[[list[str]], Outer], broker: list[str]) -> None:
    terminal = outer([*ENGINE, *broker, "bash", "--norc"])
    terminal.expect(b"ready%")
    terminal.type(b"stty size\r")
    terminal.expect(b"33 111\r\n")
    terminal.type(b"sleep 100\r")
    terminal.wait_for(inner(terminal, "sleep"), "sleep in the foreground")
    terminal.type(b"\x03")
    terminal.expect(b"^C\r\n")
    terminal.expect(b"ready%")
    terminal.type(b"sleep 100\r")
    terminal.wait_for(inner(terminal, "sleep"), "sleep in the foreground")
    terminal.type(b"\x1a")
    terminal.expect(b"Stopped")
    terminal.expect(b"ready%")
    termios.tcsetwinsize(terminal.fd, (44, 99))
    terminal.type(b"fg\r")
    terminal.wait_for(inner(terminal, "sleep"), "sleep in the foreground")
    terminal.type(b"\x03")
    terminal.expect(b"ready%")
    terminal.type(b"stty size; exit 3\r")
    terminal.expect(b"44 99\r\n")
    assert terminal.wait() == 3
    assert terminal.logged() == b""


def test_what_reads_gets_the_interrupt(
    outer: Callable[[list[str]], Outer], broker: list[str]
) -> None:
    """Nothing is echoed twice, and output is recorded as it is shown."""
    terminal = outer([*ENGINE, *broker, "cat"])
    terminal.wait_for(terminal.is_raw, "raw mode")
    terminal.type(b"hi\r")
    terminal.expect(b"hi\r\nhi\r\n")
    terminal.wait_for(inner(terminal, "cat"), "cat in the foreground")
    terminal.type(b"\x03")
    assert terminal.wait() == 130
    assert terminal.logged() == b""
    assert terminal.output.startswith(b"hi\r\nhi\r\n^C")
    assert terminal.output.endswith(b"one\r\ntwo\r\n")
    recorded = (terminal.folder / "sink").read_bytes()
    assert terminal.output == recorded + b"one\r\ntwo\r\n"


def test_what_never_reads_can_be_interrupted(
    outer: Callable[[list[str]], Outer], broker: list[str]
) -> None:
    terminal = outer([*ENGINE, *broker, *NOBODY_READS])
    terminal.expect(b"up\r\n")
    terminal.type(b"\x03")
    assert terminal.wait() == 129
    assert terminal.logged() == b"2\n"
    assert terminal.output.startswith(b"up\r\n^C")


@pytest.mark.skipif(shutil.which("python3") is None, reason="there is no python3")
def test_an_interactive_program_that_takes_the_interrupt_itself(
    outer: Callable[[list[str]], Outer], broker: list[str]
) -> None:
    # since Python 3.13 it would be a program of the whole screen
    terminal = outer([*ENGINE, *broker, "env", "PYTHON_BASIC_REPL=1", "python3", "-q"])
    terminal.expect(b">>> ")
    terminal.type(b"input()\r")
    terminal.expect(b"input()\r\n")
    terminal.wait_for(inner(terminal, "python3"), "python in the foreground")
    terminal.type(b"\x03")
    terminal.expect(b"KeyboardInterrupt")
    terminal.expect(b">>> ")
    terminal.type(b"import os; os._exit(5)\r")
    assert terminal.wait() == 5


def test_modes_of_the_program_are_its_own(outer: Callable[[list[str]], Outer]) -> None:
    """They are ours to begin with, and leave our own terminal alone."""
    terminal = outer(
        [
            "sh",
            "-c",
            'stty erase X; exec "$@"',
            "sh",
            *ENGINE,
            *EMBEDDED,
            "sh",
            "-c",
            "stty -a; stty -echo; echo silent; read line; echo got $line",
        ]
    )
    terminal.expect(b"erase = X;")
    terminal.wait_for(terminal.is_raw, "raw mode")
    terminal.expect(b"echoke")
    terminal.wait_for(inner(terminal, "sh"), "sh in the foreground")
    terminal.expect(b"silent\r\n")
    terminal.type(b"secret\r")
    terminal.expect(b"got secret\r\n")
    terminal.wait_for(lambda: not terminal.is_raw(), "the end of raw mode")
    modes = termios.tcgetattr(terminal.fd)
    expected = [*terminal.modes]
    expected[6] = [*terminal.modes[6]]
    expected[6][termios.VERASE] = b"X"
    assert modes == expected
    assert terminal.wait() == 0
    assert terminal.output.count(b"secret") == 1


def test_much_output(outer: Callable[[list[str]], Outer]) -> None:
    """All of it arrives, is recorded, and waits for a terminal that takes no more."""
    terminal = outer([*ENGINE, "sh", "-c", "yes | head -c 20000000"])
    sink = terminal.folder / "sink"
    support.wait_for(lambda: sink.exists() and sink.stat().st_size > 65536, "output")
    # It is written to a terminal that nobody reads, and we still listen.
    os.write(terminal.fd, b"\x1c")
    support.wait_for(lambda: terminal.logged() == b"3\n", "an interrupt")
    assert sink.stat().st_size < 1 << 20


def test_all_of_much_output(outer: Callable[[list[str]], Outer]) -> None:
    terminal = outer([*ENGINE, "sh", "-c", "yes | head -c 5000000"])
    chunks = []
    try:
        while chunk := os.read(terminal.fd, 65536):
            chunks.append(chunk)
    except OSError:
        pass
    shown = b"".join(chunks)
    assert shown == b"y\r\n" * 2500000 + b"one\r\ntwo\r\n"
    assert (terminal.folder / "sink").stat().st_size == 7500000
    assert terminal.wait() == 0


def test_much_input(outer: Callable[[list[str]], Outer]) -> None:
    terminal = outer([*ENGINE, *EMBEDDED, "sh", "-c", "stty -echo; echo up; cat > got"])
    terminal.expect(b"up\r\n")
    lines = b"".join(b"%0100d\n" % number for number in range(1000))
    terminal.type(lines.replace(b"\n", b"\r"))
    terminal.type(b"\x04")
    assert terminal.wait() == 0
    assert (terminal.folder / "got").read_bytes() == lines


def test_an_interrupt_overtakes_input_that_nobody_reads(
    outer: Callable[[list[str]], Outer], broker: list[str]
) -> None:
    terminal = outer([*ENGINE, *broker, *NOBODY_READS])
    terminal.expect(b"up\r\n")
    terminal.type(b"x\r" * 100000)
    terminal.type(b"\x03")
    assert terminal.wait() == 129
    assert terminal.logged() == b"2\n"


def test_an_interrupt_overtakes_input_in_the_foreground_too(
    outer: Callable[[list[str]], Outer],
) -> None:
    terminal = outer([*ENGINE, *EMBEDDED, "sh", "-c", "read x; echo up; sleep 100"])
    terminal.wait_for(terminal.is_raw, "raw mode")
    terminal.type(b"x\r")
    terminal.expect(b"up\r\n")
    terminal.wait_for(inner(terminal, "sleep"), "sleep in the foreground")
    terminal.type(b"x\r" * 100000)
    terminal.type(b"\x03")
    assert terminal.wait() == 130
    assert terminal.logged() == b""


def shell(outer: Callable[[list[str]], Outer], *words: str) -> Outer:
    """Run the engine as a job of an interactive shell."""
    terminal = outer(["bash", "--norc", "-i"])
    support.script(terminal.folder / "engine", f"#!/bin/sh\nexec {shlex.join([*ENGINE, *words])}\n")
    terminal.expect(b"ready%")
    terminal.type(b"PS1='outer''%'\r")
    terminal.expect(b"outer%")
    return terminal


def test_suspension(outer: Callable[[list[str]], Outer], broker: list[str]) -> None:
    terminal = shell(outer, *broker, *NOBODY_READS)
    terminal.type(b"./engine\r")
    terminal.expect(b"up\r\n")
    terminal.type(b"\x1a")
    terminal.expect(b"Stopped")
    terminal.expect(b"outer%")
    assert terminal.foreground() == "bash"
    terminal.type(b"echo in''put; stty -a\r")
    terminal.expect(b"input\r\n")
    terminal.expect(b"\nopost ")
    terminal.expect(b"outer%")
    terminal.type(b"fg\r")
    terminal.wait_for(lambda: terminal.foreground() != "bash" and terminal.is_raw(), "raw mode")
    terminal.type(b"\x03")
    terminal.expect(b"one\r\ntwo\r\n")
    terminal.expect(b"outer%")
    terminal.type(b"exit 7\r")
    assert terminal.wait() == 7


def test_a_background_job_that_is_brought_to_the_foreground(
    outer: Callable[[list[str]], Outer],
) -> None:
    """It neither reads nor sets the terminal before."""
    terminal = shell(outer, *EMBEDDED, "sh", "-c", "echo up; read x; echo got $x; exit 4")
    terminal.type(b"./engine & \r")
    terminal.expect(b"up\r\n")
    terminal.type(b"echo in''put; stty -a\r")
    terminal.expect(b"input\r\n")
    terminal.expect(b"\nopost ")
    terminal.expect(b"outer%")
    termios.tcsetwinsize(terminal.fd, (44, 99))
    terminal.type(b"fg\r")
    terminal.wait_for(lambda: terminal.foreground() != "bash" and terminal.is_raw(), "raw mode")
    terminal.type(b"this\r")
    terminal.expect(b"got this\r\n")
    terminal.expect(b"outer%")
    terminal.type(b"exit $?\r")
    assert terminal.wait() == 4


@pytest.mark.skipif(shutil.which("vim") is None, reason="there is no vim")
def test_an_editor(outer: Callable[[list[str]], Outer], broker: list[str]) -> None:
    """A ^Z in it leads back to the shell that has run us, and `fg` to the editor."""
    terminal = shell(outer, *broker, "vim", "-u", "NONE", "-N", "file")
    terminal.type(b"./engine\r")
    terminal.wait_for(inner(terminal, "vim"), "vim in the foreground")
    terminal.expect(b"file")
    terminal.type(b"ihello\x1b:w\r")
    terminal.wait_for((terminal.folder / "file").exists, "a written file")
    terminal.type(b"\x1a")
    terminal.expect(b"Stopped")
    terminal.expect(b"outer%")
    terminal.type(b"echo in''put\r")
    terminal.expect(b"input\r\n")
    terminal.type(b"fg\r")
    terminal.expect(b"hello")
    terminal.type(b"ccbye\x1b:wq\r")
    terminal.expect(b"outer%")
    assert (terminal.folder / "file").read_text(encoding="ascii") == "bye\n"
    terminal.type(b"exit $?\r")
    assert terminal.wait() == 0


def test_a_terminal_that_is_hung_up(outer: Callable[[list[str]], Outer]) -> None:
    """That it can be read at its end keeps nobody busy, and that it is gone ends nobody."""
    waits = "echo up; while ! test -e go; do sleep 0.1; done; touch went"
    terminal = outer(["sh", "-c", "trap '' HUP; \"$@\"", "sh", *ENGINE, "sh", "-c", waits])
    terminal.expect(b"up\r\n")
    terminal.hang_up()
    time.sleep(0.7)
    (terminal.folder / "go").touch()
    _, _, usage = os.wait4(terminal.pid, 0)
    terminal.pid = 0
    assert (terminal.folder / "went").exists()
    assert usage.ru_utime + usage.ru_stime < 0.6


class Bench:
    """A console without a terminal of ours, on which a rank 0 runs."""

    def __init__(self, folder: Path, words: list[str]) -> None:
        self.reactor = Reactor()
        self.output = b""
        self.signals: list[int] = []
        self.console = Console(self.reactor, self._sink, self.signals.append)
        environ = support.environment(folder, {"PS1": "ready%"})
        self.broker = Broker(0, words, lambda _: environ, pmi=False)
        assert self.broker.spawn(FileLimit(), piped=True, tty=self.console.slave) == (None, None)
        self.console.spawned(self.broker.pid)

    def _sink(self, data: bytes) -> None:
        self.output += data

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, (what, self.output[-2000:])
            self.reactor.run_once(0.01)

    def type(self, data: bytes) -> list[int]:
        """Type; return a list that gets the outcome."""
        outcome: list[int] = []
        self.console.input(data, outcome.append)
        return outcome

    def wait(self) -> int:
        """Return the exit code."""
        self.wait_for(lambda: select.select([self.broker.pidfd], [], [], 0)[0], "the end")
        status = self.broker.reap()
        assert status is not None
        self.console.exited()
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        self.console.close()
        if self.broker.pidfd >= 0:
            self.broker.kill(signal.SIGKILL)
            os.waitid(os.P_PIDFD, self.broker.pidfd, os.WEXITED)
            os.close(self.broker.pidfd)
        self.reactor.close()


@pytest.fixture
def bench(scene: Path) -> Iterator[Callable[[list[str]], Bench]]:
    """Run something as rank 0."""
    made: list[Bench] = []

    def make(words: list[str]) -> Bench:
        made.append(Bench(scene, words))
        return made[-1]

    yield make
    for each in made:
        each.close()
    clean_up(scene)


def test_input_and_size_from_elsewhere(bench: Callable[[list[str]], Bench]) -> None:
    rank0 = bench(["sh", "-c", "stty size; read x; echo got $x; stty size; exit 6"])
    rank0.wait_for(lambda: rank0.output == b"24 80\r\n", "the usual size")
    rank0.console.resize(50, 132)
    assert rank0.type(b"this\n") == [0]
    assert rank0.wait() == 6
    assert rank0.output.endswith(b"got this\r\n50 132\r\n")
    rank0.console.close()
    assert rank0.type(b"x") == [errno.EIO]
    rank0.console.close()


def test_input_that_nobody_reads(bench: Callable[[list[str]], Bench]) -> None:
    """It is acknowledged when written, refused beyond a bound, and flushed by an interrupt."""
    rank0 = bench(["sh", "-c", "trap '' INT QUIT; echo up; exec sleep 100"])
    rank0.wait_for(lambda: b"up" in rank0.output, "the program")
    first = rank0.type(b"x\n" * 30000)
    second = rank0.type(b"x\n" * 30000)
    assert (first, second) == ([], [])
    assert rank0.type(b"x\n" * 600000) == [errno.EAGAIN]
    assert rank0.type(b"abc\x03\x03") == [0]
    assert (first, second) == ([errno.EINTR], [errno.EINTR])
    assert rank0.signals == [signal.SIGINT]
    assert rank0.type(b"\x1c") == [0]
    assert rank0.signals == [signal.SIGINT, signal.SIGQUIT]
    assert rank0.type(b"\x1a") == [0], "nothing of ours is suspended from elsewhere"


def test_an_interrupt_before_rank_0_has_the_terminal() -> None:
    reactor = Reactor()
    signals: list[int] = []
    console = Console(reactor, lambda _: None, signals.append)
    console.input(b"\x03", lambda _: None)
    assert signals == [signal.SIGINT]
    console.close()
    reactor.close()


def test_a_stopped_program(bench: Callable[[list[str]], Bench], broker: list[str]) -> None:
    rank0 = bench([*broker, "sh", "-c", "read x; kill -STOP $$; echo back; exit 7"])
    assert rank0.console.stopped_foreground() is None
    rank0.type(b"\n")
    rank0.wait_for(rank0.console.stopped_foreground, "a stopped program")
    group = rank0.console.stopped_foreground()
    assert rank0.console.describe() == {"rows": 24, "columns": 80, "stopped": group}
    rank0.type(b"\x03")
    assert rank0.signals == [signal.SIGINT], "the program would not get it"
    rank0.console.resume_foreground()
    rank0.wait_for(lambda: b"back\r\n" in rank0.output, "the program to go on")
    assert rank0.console.describe()["stopped"] is None
    assert rank0.wait() == 7


def test_what_a_shell_has_stopped_is_its_own(bench: Callable[[list[str]], Bench]) -> None:
    rank0 = bench([*EMBEDDED, "bash", "--norc"])
    rank0.wait_for(lambda: b"ready%" in rank0.output, "a prompt")
    rank0.type(b"bash --norc -c 'echo st''op; kill -STOP $$; echo on'\n")
    rank0.wait_for(
        lambda: re.search(rb"stop\r\n.*Stopped.*ready%$", rank0.output, re.DOTALL), "a stop"
    )
    assert rank0.console.stopped_foreground() is None
    rank0.type(b"fg; exit 2\n")
    rank0.wait_for(lambda: b"on\r\n" in rank0.output, "the job to go on")
    assert rank0.wait() == 2


def test_the_last_output_and_the_hangup(bench: Callable[[list[str]], Bench], scene: Path) -> None:
    """What is left in the pty is taken when rank 0 has ended; who keeps it open is hung up."""
    words = "trap 'echo hup > %s/hup; exit' HUP; (read never) & yes last | head -c 3000"
    rank0 = bench(["sh", "-c", words % shlex.quote(str(scene))])
    os.waitid(os.P_PIDFD, rank0.broker.pidfd, os.WEXITED | os.WNOWAIT)
    assert rank0.output == b""
    assert rank0.wait() == 0
    assert rank0.output == b"last\r\n" * 600


def test_ranks_without_a_terminal_have_no_input(scene: Path) -> None:
    environ = support.environment(scene)
    other = Broker(1, ["sh", "-c", "test /dev/null -ef /dev/stdin"], lambda _: environ, pmi=False)
    _, pipes = other.spawn(FileLimit(), piped=True, stdin_null=True)
    assert pipes is not None
    for each in pipes:
        os.close(each)
    assert os.waitstatus_to_exitcode(os.waitpid(other.pid, 0)[1]) == 0
    os.close(other.pidfd)
