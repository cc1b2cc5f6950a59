"""PMI lanes: a row a rank, time to the right."""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from fluxstart_tui.diagnose.words import span
from fluxstart_tui.tui.pmi_tables import Lanes
from fluxstart_tui.tui.widgets.axis import TimeSource, roomy
from fluxstart_tui.tui.widgets.source import styled

if TYPE_CHECKING:
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.pmi_tables import Mark
    from fluxstart_tui.tui.pmi_trace import Trace

_GLYPHS = {"init": ("I", "bold cyan"), "put": ("P", "bold green"), "get": ("g", "blue"),
           "finalize": ("F", "bold magenta")}  # fmt: skip
_ORDER = {"get": 0, "barrier": 1, "init": 2, "finalize": 3, "put": 4}
"""Which of two in one cell is seen."""


class LanesSource(TimeSource):
    """Ranks along the time."""

    title = "Lanes"
    ticks = True

    def __init__(self, model: Model, trace: Trace) -> None:
        super().__init__()
        self.model = model
        self.trace = trace
        self.lanes = Lanes(trace)
        self.left = 7
        self._seen: tuple[object, ...] = ()

    def __len__(self) -> int:
        return self.model.size

    def work(self, until: float) -> bool:
        """Read the trace until a time; tell whether there is more to do."""
        self.more = self.lanes.work(until)
        return self.more

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        super().look()
        self.work(time.monotonic() + 0.008)
        now = self.model.now
        begin, end = self.bounds()
        # As long as something goes on its bar grows; a column at a time is enough.
        step = int(now / max(1e-3, (end - begin) / 200)) if self._open() else 0
        seen = (len(self.trace), step, self.bounds(), now if self.model.replay else None)
        if seen != self._seen or self.moved:
            self._seen, self.moved = seen, False
            self.version += 1
            return True
        return False

    def _open(self) -> bool:
        return not self.model.ended and any(
            marks and marks[-1].last is None for marks in self.lanes.marks.values()
        )

    def extent(self) -> tuple[float, float]:
        """Return when PMI began and when it ended."""
        begin = self.lanes.begin or 0.0
        end = max(self.lanes.end, begin)
        if self._open():
            end = max(end, roomy(self.model.now) if self.model.replay is None else self.model.now)
        room = max(1e-3, (end - begin) * 0.03)
        return max(0.0, begin - room), end + room

    def whole(self) -> tuple[float, float]:
        """Return the session's times."""
        return 0.0, max(self.extent()[1], self.model.now)

    def status(self) -> str:
        """Tell what letters mean."""
        percent = f"reading {self.trace.progress * 100:.0f} % " if self.trace.progress < 1 else ""
        return f"{percent}I init P put [░] barrier g get F finalize"

    def header(self, width: int) -> Text:
        """Return the axis."""
        replay = self.model.replay
        now = self.model.now if replay is not None and self.model.now < replay.end else None
        return Text(f" {'RANK':>{self.left - 2}} ") + self.axis(width - self.left, now)

    def row(self, i: int, width: int) -> Text:
        """Return a rank's lane."""
        broker = self.model.state.broker(i)
        text = styled(f" {i:>{self.left - 2}} ", "bold" if broker.held else "")
        columns = width - self.left
        cells = [" "] * columns
        styles = [""] * columns
        ranks = [-1] * columns
        now = self.model.now
        for mark in self.lanes.marks.get(i, ()):
            if mark.first > now and self.model.replay is not None:
                break
            self._draw(mark, now, cells, styles, ranks)
        if broker.pmi == "closed" and broker.pmi_before != "finalize":
            x = self.column(broker.pmi_since, columns)
            if 0 <= x < columns:
                cells[x], styles[x] = "✗", "bold red"
        if broker.held:
            cells[: len("‖held")] = "‖held"[:columns]
        x = 0
        for style, run in groupby(styles):
            length = len(list(run))
            text.append("".join(cells[x : x + length]), style)
            x += length
        if not self.lanes.marks.get(i):
            text = styled(f" {i:>{self.left - 2}} ")
            why = "has not spoken PMI" if broker.spawned is not None else "never started"
            text.append(f"○ {why}", "bold yellow")
        return text

    def _draw(
        self, mark: Mark, now: float, cells: list[str], styles: list[str], order: list[int]
    ) -> None:
        width = len(cells)
        first = self.column(mark.first, width)
        open_ = mark.last is None or (self.model.replay is not None and mark.last > now)
        last = self.column(now if open_ or mark.last is None else mark.last, width)
        rank = _ORDER[mark.kind]
        if last < 0 or first >= width:
            return
        if mark.kind != "barrier":
            glyph, style = _GLYPHS[mark.kind]
            for x in range(max(0, first), min(last, width - 1) + 1):
                if order[x] < rank:
                    # A run of gets is drawn by its ends; what is between is one after the other.
                    inner = mark.kind == "get" and first < x < last
                    cells[x], styles[x], order[x] = "·" if inner else glyph, style, rank
            return
        style = "bold yellow reverse" if open_ and not self.model.ended else "yellow"
        for x in range(max(0, first), min(last, width - 1) + 1):
            if order[x] < rank:
                glyph = "[" if x == first else "]" if x == last and not open_ else "░"
                cells[x], styles[x], order[x] = glyph, style, rank

    def detail(self, i: int) -> Text:
        """Return what a rank did, with numbers."""
        broker = self.model.state.broker(i)
        marks = [m for m in self.lanes.marks.get(i, ()) if m.first >= (broker.spawned or 0.0)]
        text = styled(f"rank {i}: ", "bold")
        if broker.spawns > 1:
            text.append(f"started {broker.spawns} times, now ", "dim")
        if not marks:
            text.append("has said nothing")
            return text
        number = 0
        for mark in marks[:12]:
            number += mark.kind == "barrier"
            name = f"barrier {number}" if mark.kind == "barrier" else mark.kind
            times = f" {mark.count}x" if mark.count > 1 else ""
            text.append(f"{name}{times} ", "bold")
            text.append(f"at {mark.first:.4f}")
            if mark.last is None:
                since = span(max(0.0, self.model.now - mark.first))
                text.append(f" waits {since}", "bold yellow")
            elif mark.last > mark.first:
                text.append(f" for {span(mark.last - mark.first)}")
            text.append(" · ", "dim")
        text.right_crop(3)
        return text

    def rank(self, i: int) -> int | None:
        """Return the row's rank."""
        return i

    def row_of(self, rank: int) -> int | None:
        """Return a rank's row."""
        return rank if rank < len(self) else None

    def plain(self, i: int) -> str:
        """Return what is searched in a row: rank and host."""
        return f"{i} {self.model.host(i)}"
