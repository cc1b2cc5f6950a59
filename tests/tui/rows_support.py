"""Sessions, a host and goldens for the tests of views that are made of rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App, ComposeResult

from fluxstart_tui.rfc import idset
from fluxstart_tui.session import events, tree
from fluxstart_tui.session.files import Files
from fluxstart_tui.session.reader import Session
from fluxstart_tui.tui.clock import ReplayClock
from fluxstart_tui.tui.model import Model

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from fluxstart_tui.tui.commands import Commands
    from fluxstart_tui.tui.widgets.page import RowsPage

GOLDENS = Path(__file__).parent / "goldens"
START = "2026-11-22T12:00:00+00:00"
CARD = b'{"host":"node%d","uri":[],"pubkey":"abcdef"}'


class Launch:
    """Writes the session of a launch whose every time is known."""

    def __init__(self, path: Path, size: int, topology: str = "kary:2") -> None:
        path.mkdir()
        self.path, self.size, self.topology = path, size, topology
        header = {"format": 1, "size": size, "start": START, "host": "node0", "topology": topology}
        self._files = Files(str(path), header, 1 << 30)
        self._out: list[tuple[float, int, int, bytes]] = []
        self._timed: list[tuple[float, events.Event]] = []

    def event(self, t: float, event: events.Event) -> None:
        self._timed.append((t, event))

    def say(self, t: float, rank: int, ask: bytes, answer: bytes = b"") -> None:
        self._out.append((t, rank, 3, ask + b"\n"))
        if answer:
            self._out.append((t + 0.0001, rank, 4, answer + b"\n"))

    def write(self, t: float, rank: int, data: bytes) -> None:
        """Write to stdout."""
        self._out.append((t, rank, 0, data))

    def log(self, t: float, rank: int, severity: int, app: str, text: str) -> None:
        stamp = f"2026-11-22T12:{int(t) // 60:02}:{t % 60:09.6f}Z"
        line = f"<{severity << 3}>1 {stamp} {rank} {app} 123 - - {text}\n"
        self._out.append((t, rank, 5, line.encode()))

    def pmi(self, without: frozenset[int] = frozenset(), gets: bool = True) -> None:
        """Spawn all, exchange cards; ranks in `without` say nothing, so nobody gets on."""
        for rank in range(self.size):
            t = 0.01 * (rank + 1)
            self.event(t, events.Spawn(rank, 1000 + rank))
            if rank in without:
                continue
            t += 0.01
            self.event(t, events.Pmi(rank, "init"))
            self.say(t, rank, b"cmd=init pmi_version=1 pmi_subversion=1",
                     b"cmd=response_to_init rc=0 pmi_version=1 pmi_subversion=1")  # fmt: skip
            self.say(t + 0.001, rank, b"cmd=get kvsname=- key=flux.instance-level",
                     b"cmd=get_result rc=4")  # fmt: skip
            self.event(t + 0.01, events.Pmi(rank, "put"))
            self.say(t + 0.01, rank, b"cmd=put kvsname=- key=%d value=" % rank + CARD % rank,
                     b"cmd=put_result rc=0")  # fmt: skip
            self.event(t + 0.02, events.Pmi(rank, "barrier", 1))
            self.say(t + 0.02, rank, b"cmd=barrier_in")
        if without:
            return
        out = 0.01 * self.size + 0.05
        self.event(out, events.Barrier(1))
        for rank in range(self.size):
            self._out.append((out, rank, 4, b"cmd=barrier_out rc=0\n"))
        for rank in range(self.size):
            for key in range(self.size if gets else 0):
                t = out + 0.01 + key * 0.001
                self.say(t, rank, b"cmd=get kvsname=- key=%d" % key,
                         b"cmd=get_result rc=0 value=" + CARD % key)  # fmt: skip
            t = out + 0.01 + self.size * 0.001
            self.event(t, events.Pmi(rank, "finalize", 1))
            self.say(t, rank, b"cmd=finalize", b"cmd=finalize_ack rc=0")

    def boot(self, lost: frozenset[int] = frozenset(), run: bool = True) -> None:
        """Boot all but those that are lost and those below them."""
        parent = tree.parents(self.topology, self.size)
        self.event(1.0, events.Attr(0, "tbon.topo", self.topology))
        self.event(1.0, events.Attr(0, "hostlist", f"node[0-{self.size - 1}]"))
        down = set(lost)
        for rank in range(self.size):
            t = 1.0 + rank * 0.01
            self.log(t, rank, 7, "broker", f"insmod config[{rank}]")
            self.event(t, events.State(rank, "join", "builtins-success", "load-builtins", 0.1))
            if parent(rank) in down:
                down.add(rank)
            if rank in down:
                continue
            self.event(t + 0.2, events.State(rank, "init", "parent-ready", "join", 0.2))
            self.log(t + 0.2, rank, 6, "broker", "parent-ready: join->init 0.2s")
            self.event(t + 0.5, events.State(rank, "quorum", "rc1-success", "init", 0.3))
            if rank:
                self.event(t + 0.5, events.Overlay(parent(rank) or 0, rank, "full"))
            if rank % 4 == 3:
                self.log(t + 0.5, rank, 3, "sched-simple", "alloc failed: no [bold]hosts[/bold]")
        self.event(3.0, events.Online(idset.encode(set(range(self.size)) - down)))
        if run and not lost:
            for rank in range(self.size):
                self.event(3.0, events.State(rank, "run", "quorum-full", "quorum", 1.0))
            self.event(3.0, events.Program("started"))

    def close(self, end: float = 10.0) -> Path:
        """Write it all; the last event is at `end`."""
        self.event(end, events.Message("the end of the recording"))
        self._out.sort(key=lambda piece: piece[0])
        self._timed.sort(key=lambda pair: pair[0])
        self._files.write(self._out, self._timed)
        self._files.close(end)
        return self.path


def model_of(path: Path, at: float | None = None) -> Model:
    """Return a replay, at its end or at a time."""
    session = Session(str(path))
    clock = ReplayClock(max((t for t, _ in session.events()), default=0.0))
    if at is not None:
        clock.seek(at)
    model = Model(session, clock)
    model.poll()
    return model


class Host(App[None]):
    """Shows one view as the app does."""

    def __init__(
        self, view: type[RowsPage], model: Model, commands: Commands | None = None
    ) -> None:
        super().__init__()
        self.view = view(model, commands)
        self.model = model
        self.chosen: frozenset[int] = frozenset()

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.focus_main()

    def frame(self) -> None:
        """Do what the app does once a frame."""
        if self.model.poll() or self.view.ticks:
            self.view.look()


def screen(app: App[Any]) -> str:
    """Return the text on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips).rstrip() + "\n"


async def settled(pilot: Pilot[None]) -> str:
    """Wait until the view has caught up; return the text on the screen."""
    app = pilot.app
    assert isinstance(app, Host)
    app.frame()
    for _ in range(200):
        await pilot.pause()
        if app.view._timer is None:
            break
    await pilot.pause()
    return screen(app)


def check(name: str, text: str) -> None:
    """Compare with a golden; UPDATE_GOLDENS=1 writes it."""
    path = GOLDENS / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        GOLDENS.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), f"{name} differs; UPDATE_GOLDENS=1 accepts it"
