"""A program on a pty whose output goes into a session, as the engine does it, and an app to see it.

This is a relay of the tests' own: the view reads the tty stream and calls start.input as it does
with a real instance.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import termios
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from textual.app import App
from textual.events import Key, MouseScrollDown, MouseScrollUp
from textual.keys import _character_to_key

from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.session import events
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.reader import Session
from fluxstart_tui.session.recorder import Recorder
from fluxstart_tui.tui.clock import LiveClock
from fluxstart_tui.tui.model import Model
from fluxstart_tui.tui.views.terminal import TerminalView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.pilot import Pilot

    from fluxstart_tui.tui.terminal.screen import TerminalScreen

BASH = ["bash", "--norc", "--noprofile"]

_ENVIRONMENT = {
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PS1": "$ ",
    "HISTFILE": "/dev/null",
    "PYTHONHISTORY": "/dev/null",
}


class Recording:
    """A session that is being written.

    Args:
        directory: where.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        start = datetime.now(UTC).isoformat()
        self._began = time.monotonic()
        header = {"version": 1, "start": start, "size": 1, "argv": ["fluxstart-tui"]}
        self.recorder = Recorder(str(directory), header, limit=1 << 28)
        self._lock = threading.Lock()  # a recorder is for one thread at a time

    def write(self, data: bytes, t: float | None = None, *, apart: bool = False) -> None:
        """Record output of the terminal; `apart`: it does not become one run with what follows."""
        t = time.monotonic() - self._began if t is None else t
        with self._lock:
            self.recorder.data(t, 0, STREAMS.index("tty"), data)
            if apart:
                self.recorder.data(t, 1, 0, b".")

    def event(self, event: events.Event) -> None:
        """Record an event."""
        with self._lock:
            self.recorder.event(time.monotonic() - self._began, event)

    def model(self) -> Model:
        """Return a live model of it."""
        session = Session(str(self.directory))
        return Model(session, LiveClock(str(session.header["start"])))

    def close(self) -> None:
        """Write what waits."""
        self.recorder.close()


class Relay(Recording):
    """A program on a pty.

    Args:
        directory: where the session goes.
        argv: the program.
    """

    def __init__(self, directory: Path, argv: list[str]) -> None:
        super().__init__(directory)
        self._argv = argv
        self.pid = self.master = -1
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refuse: int = 0
        """An errno that all calls fail with, 0 for none."""
        self._stop = os.eventfd(0)
        self._reader = threading.Thread(target=self._read)

    def _spawn(self, rows: int, columns: int) -> None:
        """Start the program: when it is known how large the terminal is, as an instance does."""
        directory = str(self.directory)
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            _set_size(0, rows, columns)
            os.chdir(directory)
            variables = {"PATH": os.environ["PATH"], "HOME": directory}
            os.execvpe(self._argv[0], self._argv, _ENVIRONMENT | variables)
        self.event(events.Program("started", 0, " ".join(self._argv)))
        self._reader.start()

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self.master, self._stop], [], [])
            if self._stop in ready:
                return
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            self.write(data)

    @property
    def typed(self) -> bytes:
        """All input that has come."""
        return b"".join(_data(payload) for topic, payload in self.calls if topic == "start.input")

    async def call(self, topic: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do what the start service does."""
        payload = payload or {}
        self.calls.append((topic, payload))
        await asyncio.sleep(0)
        if self.refuse:
            raise RpcError(self.refuse)
        if topic == "start.input":
            os.write(self.master, _data(payload))
        elif topic == "start.resize":
            if self.pid < 0:
                self._spawn(payload["rows"], payload["cols"])
            _set_size(self.master, payload["rows"], payload["cols"])
        else:
            raise RpcError(errno.ENOSYS)
        return {}

    def close(self) -> None:
        """End the program."""
        if self.pid > 0:
            os.eventfd_write(self._stop, 1)
            self._reader.join()
            for send in (os.killpg, os.kill):
                with contextlib.suppress(OSError):
                    send(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.master)
        os.close(self._stop)
        super().close()


def _set_size(fd: int, rows: int, columns: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))


def _data(payload: dict[str, Any]) -> bytes:
    text = str(payload["data"])
    return base64.b64decode(text) if payload.get("encoding") == "base64" else text.encode()


class TerminalApp(App[None]):
    """Nothing but the view.

    Args:
        model: what it shows.
        commands: what it calls.
    """

    def __init__(self, model: Model, commands: Any = None) -> None:
        super().__init__()
        self.model = model
        self.view = TerminalView(model, commands)
        self.copied = ""
        self.bells = 0
        self.released_keys: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.view

    @property
    def terminal(self) -> TerminalScreen:
        return self.view.front()

    def on_mount(self) -> None:
        self.set_interval(1 / 20, self.frame)

    def frame(self) -> None:
        self.model.poll()
        self.view.look()

    def copy_to_clipboard(self, text: str) -> None:
        self.copied = text

    def bell(self) -> None:
        self.bells += 1

    def on_key(self, event: Any) -> None:
        self.released_keys.append(event.key)


def screen(app: App[Any]) -> str:
    """Return the text of the whole screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


async def until(pilot: Pilot[Any], test: Callable[[str], object], patience: float = 5.0) -> str:
    """Wait until the screen passes a test; return its text."""
    deadline = time.monotonic() + patience
    while True:
        text = screen(pilot.app)
        if test(text):
            return text
        if time.monotonic() > deadline:
            raise AssertionError(f"the screen is still:\n{text}")
        await asyncio.sleep(0.02)


async def shows(pilot: Pilot[Any], *texts: str, patience: float = 5.0) -> str:
    """Wait until the screen shows texts; return all of its text."""
    return await until(pilot, lambda text: all(one in text for one in texts), patience)


async def type_(pilot: Pilot[Any], text: str) -> None:
    """Press the keys of a text, enter for a newline, faster than the pilot does it."""
    names = {"\n": "enter", " ": "space", "\t": "tab"}
    for character in text:
        name = names.get(character) or _character_to_key(character)
        pilot.app.post_message(Key(name, "\r" if name == "enter" else character))
    await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def running(
    directory: Path, argv: list[str], size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[Any], TerminalApp, Relay]]:
    """Run a program in the view, with keys going to it."""
    if shutil.which(argv[0]) is None:
        pytest.skip(f"there is no {argv[0]}")
    relay = Relay(directory, argv)
    try:
        app = TerminalApp(relay.model(), relay)
        async with app.run_test(size=size) as pilot:
            app.view.focus_main()
            yield pilot, app, relay
    finally:
        relay.close()


def played(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def body(text: str) -> list[str]:
    """Return what is inside the frame."""
    return [line[1:-1].rstrip() for line in text.splitlines()[1:-1]]


def wheel(app: TerminalApp, *, down: bool) -> None:
    kind = MouseScrollDown if down else MouseScrollUp
    app.terminal.post_message(kind(app.terminal, 5, 5, 0, 0, 0, False, False, False))
