"""The Terminal view's emulator: how much output it takes; flood.py measures the echo of keys."""

from __future__ import annotations

import statistics
import time

from fluxstart_tui.tui.terminal.emulator import create
from fluxstart_tui.tui.terminal.paint import Picture

SIZE = 120, 40


def coloured(size: int) -> bytes:
    """Return coloured log output of about so many bytes."""
    line = "\x1b[3{}m2026-01-01 12:00:00.{:06d}\x1b[0m \x1b[1mINFO\x1b[0m worker {}: something\r\n"
    lines = "".join(line.format(number % 8, number, number % 97) for number in range(5000))
    return lines.encode() * (size // len(lines) + 1)


def throughput() -> None:
    """Measure the emulator alone, and with a picture for each frame of 1 MiB."""
    data = coloured(64 << 20)
    for frame in (len(data), 1 << 20):
        terminal = create(*SIZE)
        picture = Picture(terminal)
        begin = time.perf_counter()
        for at in range(0, len(data), frame):
            terminal.feed(data[at : at + frame])
            picture.update()
        rate = len(data) / (time.perf_counter() - begin) / 1e6
        print(f"emulator, {len(data) >> 20} MiB in portions of {frame >> 10} KiB: {rate:.0f} MB/s")
    terminal = create(*SIZE)
    picture = Picture(terminal)
    times = []
    for at in range(0, 200 << 13, 1 << 13):
        terminal.feed(data[at : at + (1 << 13)])
        begin = time.perf_counter()
        picture.update()
        times.append(time.perf_counter() - begin)
    print(f"a full picture of {SIZE[0]}x{SIZE[1]}: {statistics.median(times) * 1e3:.1f} ms")


if __name__ == "__main__":
    throughput()
