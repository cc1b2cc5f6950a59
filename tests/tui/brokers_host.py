"""A small app around views of brokers, and sessions made of events for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import App

from fluxstart_tui.session import events
from fluxstart_tui.session.files import Files
from fluxstart_tui.session.reader import Session
from fluxstart_tui.tui.clock import ReplayClock
from fluxstart_tui.tui.model import Model
from fluxstart_tui.tui.views.brokers import BrokersView
from fluxstart_tui.tui.widgets.header import HeaderBar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.pilot import Pilot
    from textual.widget import Widget

    from fluxstart_tui.session.events import Event

Timed = tuple[float, "Event"]

HEADER = {
    "size": 8, "mode": "test", "broker_kind": "embedded", "host": "there",
    "rundir": "/tmp/flux-abcdef", "start": "2026-01-01T00:00:00+00:00",
}  # fmt: skip


def record(
    path: Path,
    timed: Iterable[Timed],
    output: Iterable[tuple[float, int, int, bytes]] = (),
    **header: Any,
) -> str:
    """Write a session; return its directory."""
    path.mkdir()
    files = Files(str(path), HEADER | header, 1 << 24)
    files.write(list(output), list(timed))
    files.close(0.0)
    return str(path)


def launch(size: int, late: Iterable[int] = ()) -> list[Timed]:
    """Return the events of a launch; `late` ranks have not finished rc1."""
    waits = frozenset(late)
    timed: list[Timed] = []
    for rank in range(size):
        timed.append((0.01, events.Spawn(rank, 1000 + rank)))
        phases = ("init", "put", "barrier")
        timed += [(0.02, events.Pmi(rank, one, int(one == "barrier"))) for one in phases]
    timed.append((0.03, events.Barrier(1)))
    timed += [(0.04, events.Pmi(rank, "finalize", 1)) for rank in range(size)]
    timed.append((0.05, events.Quorum(size, 10.0)))
    for rank in range(size):
        timed.append((0.1, events.State(rank, "join", "builtins-success", "load-builtins", 0.05)))
        timed.append((0.2, events.State(rank, "init", "parent-ready", "join", 0.1)))
        if rank not in waits:
            timed.append((1.2, events.State(rank, "quorum", "rc1-success", "init", 1.0)))
    if not waits:
        timed += [(1.5, events.State(r, "run", "quorum-full", "quorum", 0.3)) for r in range(size)]
        timed.append((1.5, events.Program("started", 0, "sleep inf")))
    return timed


def sample(ranks: str, count: int) -> events.Sample:
    """Return a sample in which no two ranks are alike."""
    numbers = range(count)
    cpu = [float(rank * 7 % 100) for rank in numbers]
    return events.Sample(ranks, cpu, [9000 + 512 * rank for rank in numbers], [9] * count,
                         [50] * count, "S" * count)  # fmt: skip


def model_of(directory: str, at: float | None = None) -> Model:
    """Return the model of a recorded session at a time, or at its end."""
    session = Session(directory)
    clock = ReplayClock(max(t for t, _ in session.events()))
    if at is not None:
        clock.end = max(at, clock.end)
        clock.seek(at)
    model = Model(session, clock)
    model.poll()
    return model


class Host(App[None]):
    """Shows a header and one widget."""

    def __init__(self, model: Model, *widgets: Widget) -> None:
        super().__init__()
        self.model = model
        self.chosen: frozenset[int] = frozenset()
        self.rank: int | None = None
        self.widgets = widgets
        self.shown: list[str] = []

    def compose(self) -> ComposeResult:
        yield HeaderBar(self.model)
        yield from self.widgets

    async def action_show(self, name: str) -> None:
        self.shown.append(name)

    def frame(self) -> None:
        """Do what the app does once a frame."""
        self.model.poll()
        self.query_one(HeaderBar).look()
        for widget in self.widgets:
            if isinstance(widget, BrokersView):
                widget.look_now()
            elif callable(look := getattr(widget, "look", None)):
                look()

    @property
    def text(self) -> list[str]:
        """The rows of the screen."""
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


async def settle(pilot: Pilot[None]) -> list[str]:
    """Wait for what is under way; return the rows of the screen."""
    app = pilot.app
    assert isinstance(app, Host)
    await pilot.pause()
    app.frame()
    await pilot.pause()
    return app.text
