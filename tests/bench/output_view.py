"""Measure the Output view: indexing, opening, searching, following what comes.

    python -m tests.bench.output_view [--lines 1000000] [--seconds 20] [--rate 300000]

It writes a session of 16 ranks with coloured lines, opens it, searches it; then a process writes
output of 64 ranks at a rate while the view follows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import App

from fluxstart_tui.session.output import Spool
from fluxstart_tui.session.reader import Session
from fluxstart_tui.tui.clock import LiveClock
from fluxstart_tui.tui.lines import LineStore
from fluxstart_tui.tui.lines_filter import Matcher
from fluxstart_tui.tui.model import Model
from fluxstart_tui.tui.views.output import OutputView

if TYPE_CHECKING:
    from textual.app import ComposeResult

_RUN = 64 << 10
_BATCH = 50


def line(number: int, rank: int) -> bytes:
    """Return a coloured line of about 85 bytes."""
    return (
        b"\x1b[3%dmline %7d\x1b[0m of rank %d: some \x1b[1mbold\x1b[0m words and [brackets] %d\n"
        % (1 + number % 6, number, rank, number * 7 % 1000)
    )


def session(directory: str, size: int) -> Spool:
    """Begin a session."""
    with open(os.path.join(directory, "session.json"), "w") as file:
        json.dump({"format": 1, "start": "2026-01-02T03:04:05+00:00", "size": size}, file)
    open(os.path.join(directory, "events.jsonl"), "w").close()
    return Spool(directory, 4 << 30)


def record(directory: str, lines: int) -> int:
    """Write lines of 16 ranks in runs that end anywhere, as pipes give them; return the bytes."""
    spool = session(directory, 16)
    outputs = [b"".join(line(at, rank) for at in range(lines // 16)) for rank in range(16)]
    for begin in range(0, max(map(len, outputs)), _RUN):
        spool.append(
            [(begin / 1e7, at, 0, out[begin : begin + _RUN]) for at, out in enumerate(outputs)]
        )
    spool.close()
    return sum(map(len, outputs))


def write(directory: str, seconds: float, rate: int) -> None:
    """Write lines of 64 ranks at a rate."""
    spool = session(directory, 64)
    begin, written, turn = time.monotonic(), 0, 0
    while (now := time.monotonic() - begin) < seconds:
        batch = []
        while written < now * rate:
            rank = turn % 64
            batch.append((now, rank, 0, b"".join(line(written + at, rank) for at in range(_BATCH))))
            written += _BATCH
            turn += 1
        spool.append(batch)
        time.sleep(0.004)
    spool.close()


class Host(App[None]):
    """Shows the Output view and drives it as our app does."""

    def __init__(self, directory: str) -> None:
        super().__init__()
        self.model = Model(Session(directory), LiveClock(""))
        self.output = OutputView(self.model)

    def compose(self) -> ComposeResult:
        yield self.output

    def on_mount(self) -> None:
        self.frame()
        self.output.focus_main()
        self.set_interval(0.05, self.frame)

    def frame(self) -> None:
        """Paint what is new."""
        if self.model.poll():
            self.output.look()

    def painted(self) -> bool:
        """Tell whether lines are on the screen."""
        rows = self.screen._compositor.render_strips()
        return any("line" in segment.text for row in rows[5:10] for segment in row)


def say(what: str, value: str) -> None:
    print(f"{what:<46}{value:>24}")


async def opened(directory: str) -> None:
    """Measure opening, jumping and searching."""
    begin = time.perf_counter()
    app = Host(directory)
    async with app.run_test(size=(120, 40)):
        while not app.painted():
            await asyncio.sleep(0.002)
        say("first paint", f"{time.perf_counter() - begin:.3f} s")
        while app.model.lines.behind:
            await asyncio.sleep(0.002)
        say("all lines indexed", f"{time.perf_counter() - begin:.3f} s")
        lines = app.output.pane.lines
        for name, move in (("top", lines.action_top), ("end", lines.action_bottom)):
            begin = time.perf_counter()
            move()
            for y in range(lines.size.height):
                lines.render_line(y)
            say(f"jump to the {name}", f"{(time.perf_counter() - begin) * 1000:.1f} ms")
        for pattern in ("777", "not there", r"\b99\d7\b"):
            begin = time.perf_counter()
            app.output._take(replace(app.output.options, search=Matcher(pattern)))
            search = app.output.pane.search
            assert search is not None
            while not search.done:
                await asyncio.sleep(0.001)
            say(
                f"search {pattern!r}", f"{time.perf_counter() - begin:.3f} s, {search.count:,} hits"
            )


async def followed(directory: str, seconds: float) -> None:
    """Measure following."""
    app = Host(directory)
    async with app.run_test(size=(120, 40)):
        begin, cpu = time.monotonic(), time.process_time()
        lags: list[float] = []
        sizes: list[int] = []
        known = len(app.model.lines)
        while time.monotonic() - begin < seconds:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            lags.append(time.perf_counter() - before - 0.002)
            if len(sizes) < time.monotonic() - begin:
                with open("/proc/self/statm") as file:
                    sizes.append(int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") >> 20)
        lags.sort()
        used = time.process_time() - cpu
        say("followed", f"{(len(app.model.lines) - known) / seconds:,.0f} lines/s")
        say(
            "loop lag p50, p99, max",
            " ".join(f"{lags[int(len(lags) * part)] * 1000:.1f}" for part in (0.5, 0.99, 0.99999))
            + " ms",
        )
        say("processor", f"{used / seconds:.0%} of a core")
        say("RSS, first and last", f"{sizes[0]}, {sizes[-1]} MiB")  # fmt: skip


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=300_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        size = record(directory, args.lines)
        store = LineStore(Session(directory).output)
        begin = time.perf_counter()
        while store.poll(4 << 20):
            pass
        took = time.perf_counter() - begin
        say("indexed", f"{len(store) / took:,.0f} lines/s, {size / took / 1e6:,.0f} MB/s")
        asyncio.run(opened(directory))
    with tempfile.TemporaryDirectory() as directory:
        process = multiprocessing.Process(
            target=write, args=(directory, args.seconds + 2, args.rate)
        )
        process.start()
        time.sleep(1)
        asyncio.run(followed(directory, args.seconds))
        process.join()


if __name__ == "__main__":
    main()
