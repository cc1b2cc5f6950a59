"""Run one instance of the soak test as planned, and look at all that it may leave."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fluxstart_tui.engine.processes import GUARDIAN
from fluxstart_tui.report import diagnosis, launch_log, session_report, show
from fluxstart_tui.session import state
from fluxstart_tui.session.events import End, Exit
from fluxstart_tui.session.reader import Session
from tests import support
from tests.soak import plan as plans
from tests.soak.plan import TIMEOUT, Plan
from tests.tui.on_terminal import OnTerminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PATIENCE = 2.0
"""Seconds after which a program that is not going to end is told to."""
_LIMIT = 25.0
"""Seconds after that within which it has to be gone."""
_BROKER = "fluxstart_tui/broker/__main__.py"
_STANDIN = Path(support.ROOT, "tests", "standin_launcher.py")


def words(plan: Plan) -> list[str]:
    """Return the command line of an instance, without the program's name."""
    found = ["--broker=embedded"]
    if plan.mode != "ui":
        found.append("--headless")
    if plan.recorded:
        found.append("--record=session")
    if plan.mode == "label":
        found.append("-l")
    if plan.mode == "launcher":
        found.append(f"--launcher={sys.executable} {_STANDIN} -n {plan.size}")
    elif plan.mode != "singleton":
        found += [f"-s{plan.size}", f"--test-exit-timeout={TIMEOUT}"]
    if plan.fault:
        found.append(f"-Sfault.{plan.fault}")
    return [*found, "sh", "-c", plan.program]


def run(plan: Plan) -> int:
    """Run an instance to its end and return its exit code.

    Raises:
        AssertionError: something is left of it, or it did not end as it should.
    """
    before = len(os.listdir("/proc/self/fd"))
    with tempfile.TemporaryDirectory(prefix="fs-") as name:
        scene = Path(name)
        one = _OnTerminal(scene, plan) if plan.mode == "ui" else _Piped(scene, plan)
        guardians, asked = _disturb(one, scene, plan)
        code = one.finish()
        support.assert_nothing_left(scene, timeout=20)
        support.wait_for(lambda: not _of_session(one.pid), "its session to be empty", 20)
        support.wait_for(lambda: not _alive(guardians), "the guardian's end", 20)
        assert plans.may_end(plan, code, asked), f"exit code {code} after {asked}\n{one.said()}"
        if (scene / "session" / "session.json").exists():
            _check_session(str(scene / "session"), plan, code, asked)
        one.close()
    # Less, if it had to be collected what a failure before this one has left open.
    assert len(os.listdir("/proc/self/fd")) <= before, "descriptors"
    return code


class _Piped:
    """A headless instance whose output goes to a pipe."""

    def __init__(self, scene: Path, plan: Plan) -> None:
        self._errors = open(scene / "stderr", "w+b")  # noqa: SIM115 - closed by close()
        self._process = support.start(
            scene, *words(plan), start_new_session=True, stderr=self._errors
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        self._full = plan.whom == "pipe"
        self._gone = plan.whom == "reader"

    @property
    def ended(self) -> bool:
        if not self._full:
            self._output.read()
        return self._process.poll() is not None

    def disturb(self) -> None:
        """Read what was left in the pipe, or close it."""
        self._full = self._gone
        if self._gone:
            self._output.close()

    def finish(self) -> int:
        return self._process.wait(1)

    def said(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:].decode(errors="replace")

    def close(self) -> None:
        self._errors.close()
        self._output.close()


class _OnTerminal(OnTerminal):
    """An instance in the UI."""

    def __init__(self, scene: Path, plan: Plan) -> None:
        super().__init__(scene, *words(plan))
        # Before that, a signal would be to a copy of this program.
        ours, theirs = Path("/proc/self/cmdline"), Path(f"/proc/{self.pid}/cmdline")
        support.wait_for(lambda: theirs.read_bytes() != ours.read_bytes(), "it to be executed")
        self._before = self.modes()

    @property
    def ended(self) -> bool:
        self._read(0.02)
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        if self._fd >= 0 and "ended: exit code" in self.screen():
            self.type("q")
        return self.code is not None

    def disturb(self) -> None:
        """Close the window."""
        self.close()

    def finish(self) -> int:
        """Wait until the terminal is given back; return the exit code."""
        if self._fd >= 0:
            support.wait_for(self._given_back, f"modes {self._before} and the screen", 20)
        return self.end()

    def _given_back(self) -> bool:
        self._read(0.05)
        shown, left = (self.written.rfind(b"\x1b[?1049" + end) for end in (b"h", b"l"))
        # Of a UI that was killed a shell's terminal is set as it was, and we are no shell on it.
        killed = self.code is not None and -self.code in plans.UNCATCHABLE
        return shown <= left and (killed or self.modes() == self._before)

    def said(self) -> str:
        return self.screen()


def _disturb(
    one: _Piped | _OnTerminal, scene: Path, plan: Plan
) -> tuple[list[int], tuple[int, ...]]:
    """Do what is planned, and end what goes on for ever.

    Returns:
        The guardian's pid, if it was there, and the signals that engine and UI have got.
    """
    asked: list[int] = []
    guardians: list[int] = []
    ask = _waiter(one)
    while plan.late and not one.ended and not _brokers(scene):
        time.sleep(0.01)
    if not ask(plan.delay):
        guardians = _guardians(scene, one.pid)
        if plan.whom in ("terminal", "pipe", "reader"):
            one.disturb()
            asked += [signal.SIGHUP] if plan.whom == "terminal" else []
        elif plan.whom:
            asked += _signal(one.pid, scene, plan, guardians)
    patience = _PATIENCE
    while not ask(patience):
        if patience == _LIMIT:
            os.kill(one.pid, signal.SIGKILL)
            raise AssertionError(f"does not end after {asked}:\n{one.said()}")
        asked.append(signal.SIGTERM)
        if asked.count(signal.SIGTERM) >= 1 + plan.untimed:
            patience = _LIMIT
        os.kill(one.pid, signal.SIGTERM)
    return guardians, tuple(asked)


def _waiter(one: _Piped | _OnTerminal) -> Callable[[float], bool]:
    def ended(seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not one.ended:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    return ended


def _signal(pid: int, scene: Path, plan: Plan, guardians: list[int]) -> list[int]:
    """Send a signal to whom the plan says; return it if engine or UI have got it."""
    found = {
        "engine": [_engine(scene, pid)],
        "ui": [pid],
        "group": [pid],
        "guardian": guardians,
        "broker": _brokers(scene),
    }[plan.whom]
    if not found:
        return []
    target = found[plan.seed % len(found)]
    send = os.killpg if plan.whom == "group" else os.kill
    try:
        send(target, plan.signum)
        if plan.signum == signal.SIGSTOP:
            time.sleep(0.2)
            send(target, signal.SIGCONT)
            return []
    except ProcessLookupError:
        return []
    return [plan.signum] if plan.whom in ("engine", "ui", "group") else []


def _engine(scene: Path, pid: int) -> int:
    """Return the pid of the engine, which in the UI is a child that its session names."""
    try:
        return int(json.loads((scene / "session" / "session.json").read_text())["pid"])
    except OSError:
        return pid


def _brokers(scene: Path) -> list[int]:
    return [int(one.split()[0]) for one in support.processes_of(scene) if _BROKER in one]


def _guardians(scene: Path, pid: int) -> list[int]:
    """Return the guardian, which has no environment to know it by: a child of the engine."""
    engine = str(_engine(scene, pid)).encode()
    return [one for one, fields in _processes() if fields[1] == engine and one in _alive([one])]


def _alive(guardians: list[int]) -> list[int]:
    """Return those of these pids that are a guardian."""
    found = []
    for pid in guardians:
        with contextlib.suppress(OSError):
            if GUARDIAN.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def _of_session(leader: int) -> list[int]:
    """Return the processes of a session that still run."""
    mark = str(leader).encode()
    return [pid for pid, fields in _processes() if fields[3] == mark and fields[0] not in b"ZX"]


def _processes() -> Iterator[tuple[int, list[bytes]]]:
    """Yield all processes: pid, and the fields of /proc/PID/stat from the state on."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield (
                    int(entry.name),
                    (entry / "stat").read_bytes().rpartition(b")")[2].split(),
                )


def _check_session(path: str, plan: Plan, code: int, asked: tuple[int, ...]) -> None:
    """Assert that a session can be read in every way and tells the end as it was."""
    session = Session(path)
    timed = list(session.events())
    assert not session.live
    assert session.state == state.advance(state.initial(session.header), timed), "replay"
    for ending in session_report.ENDINGS:
        session_report.text(ending, path)
    show.one(path, as_json=True)
    diagnosis.as_json(diagnosis.report(launch_log.read(path)))
    end = next((one for _, one in timed if isinstance(one, End)), None)
    ended_by_ui = plan.mode == "ui" and asked
    if end is not None and not ended_by_ui and code >= 0:
        assert end.code == code, f"exit code {code}, the session says {end}"
    exits = [one.code for _, one in timed if isinstance(one, Exit)]
    if end is not None and not asked and not end.signum and plan.mode in ("record", "ui"):
        assert end.code == max(exits), f"{end} of {exits}"
    assert end is not None or code < 0 or asked, "the session has no end"
    session.close()
