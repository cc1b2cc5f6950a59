"""Run the program as its users do, and look for what it may have left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from fluxstart_tui.session.reader import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fluxstart_tui.session.state import InstanceState

ROOT = Path(__file__).parent.parent
T = TypeVar("T")
PATIENCE = 60.0
"""Seconds after which a condition that was waited for is a failure."""


class Done(NamedTuple):
    """How a run has ended."""

    code: int
    out: str
    err: str


def environment(tmp: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without any Flux in it, whose rundirs are made below `tmp`."""
    env = {
        name: value
        for name, value in os.environ.items()
        # pytest's own Python may have set LC_CTYPE
        if not name.startswith(("FLUX_", "PMI", "SLURM_", "LC_CTYPE"))
    }
    return {**env, "TMPDIR": str(tmp), "PYTHONPATH": str(ROOT), "SHELL": "/bin/sh", **(extra or {})}


def command(*args: str) -> list[str]:
    """Return the words that run the program with these arguments."""
    return [sys.executable, "-m", "fluxstart_tui", *args]


def start(
    tmp: Path, *args: str, env: Mapping[str, str] | None = None, **popen: object
) -> subprocess.Popen[bytes]:
    """Start the program in the background; stdin is /dev/null, output goes to pipes."""
    options: dict[str, object] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "cwd": tmp,
        **popen,
    }
    return subprocess.Popen(command(*args), env=environment(tmp, env), **options)  # type: ignore[call-overload, no-any-return]


def finish(process: subprocess.Popen[bytes], timeout: float = PATIENCE) -> Done:
    """Wait for a started program."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"still running after {timeout} s\n{out!r}\n{err!r}") from None
    return Done(
        process.returncode,
        (out or b"").decode(errors="backslashreplace"),
        (err or b"").decode(errors="backslashreplace"),
    )


def run(tmp: Path, *args: str, env: Mapping[str, str] | None = None, **popen: object) -> Done:
    """Run the program to its end."""
    return finish(start(tmp, *args, env=env, **popen))


@contextlib.contextmanager
def child_waits() -> Iterator[Callable[[], None]]:
    """Yield what a child that is forked within calls to wait until its parent is through."""
    ready, through = os.pipe()

    def wait() -> None:
        os.close(through)
        os.read(ready, 1)

    try:
        yield wait
    finally:
        os.close(ready)
        os.close(through)


def wait_for(condition: Callable[[], T], what: str, timeout: float = PATIENCE) -> T:
    """Wait until `condition` returns something true and return that."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(0.02)
    return result


def session(path: Path) -> Session:
    """Open a session that is being written, as soon as it is there."""
    wait_for((path / "session.json").exists, "the session")
    return Session(str(path))


def now(followed: Session) -> InstanceState:
    """Return what an instance has come to, as far as its session tells."""
    for _ in followed.poll():
        pass
    return followed.state


def processes_of(tmp: Path) -> list[str]:
    """Return what still runs that was started below `tmp`: pid and command line of each."""
    mark = os.fsencode(str(tmp))
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                state = (entry / "stat").read_bytes().rpartition(b")")[2].split()[0]
                if state not in b"ZX" and mark in (entry / "environ").read_bytes():
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                    found.append(f"{entry.name} {line.decode(errors='replace')}")
            except OSError:
                continue
    return found


def wait_for_command(tmp: Path, words: str) -> None:
    """Wait until a process below `tmp` runs that command: what is typed is echoed before that."""
    wait_for(lambda: any(words in one for one in processes_of(tmp)), f"{words} to run")


def rundirs(tmp: Path) -> list[str]:
    """Return the rundirs that exist below `tmp`."""
    return [path.name for path in tmp.glob("flux-*")]


def assert_nothing_left(tmp: Path, timeout: float = 5.0) -> None:
    """Fail unless every process and rundir below `tmp` is gone within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while (left := (processes_of(tmp), rundirs(tmp))) != ([], []):
        if time.monotonic() > deadline:
            raise AssertionError(f"left behind: {left}")
        time.sleep(0.05)


def script(path: Path, text: str) -> str:
    """Write an executable script and return its path."""
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


PMI = f"""#!{sys.executable}
import os, sys, time
fd, rank, size = (int(os.environ["PMI_" + name]) for name in ("FD", "RANK", "SIZE"))
def send(text): os.write(fd, text if isinstance(text, bytes) else text.encode())
def ask(text):
    send(text + "\\n"); data = b""
    while not data.endswith(b"\\n"):
        more = os.read(fd, 65536)
        if not more: sys.exit(1)
        data += more
    return data.decode()
"""
"""What a broker written in Python begins with: it can then `send` and `ask` in PMI-1."""


def broker(scene: Path, body: str, head: str = "#!/bin/sh\n") -> str:
    """Make a broker of a script; return the option that has it run."""
    return "--broker=" + script(scene / "broker", head + body)
