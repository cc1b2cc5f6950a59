"""Open a recorded session of 1,000,000 lines of 16 ranks: first paint, jump to the end, search.

Targets: each at most 1 s, from the command or the key to the screen.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from fluxstart_tui.session.output import Spool
from tests.bench import pairs
from tests.bench.on_screen import OnScreen, shows, tell

RANKS, LINES = 16, 1_000_000
_RUN = 64 << 10
"""Bytes of a run: they end anywhere in a line, as what comes from pipes does."""


def line(number: int, rank: int) -> bytes:
    """Return a coloured line of about 85 bytes."""
    return (
        b"\x1b[3%dmline %7d\x1b[0m of rank %d: some \x1b[1mbold\x1b[0m words and [brackets] %d\n"
        % (1 + number % 6, number, rank, number * 7 % 1000)
    )


def record(directory: Path) -> None:
    """Write the session."""
    directory.mkdir()
    header = {"format": 1, "start": "2026-01-02T03:04:05+00:00", "size": RANKS}
    (directory / "session.json").write_text(json.dumps(header))
    (directory / "events.jsonl").touch()
    spool = Spool(str(directory), 4 << 30)
    outputs = [b"".join(line(at, rank) for at in range(LINES // RANKS)) for rank in range(RANKS)]
    for begin in range(0, max(map(len, outputs)), _RUN):
        spool.append(
            [(begin / 1e7, at, 0, out[begin : begin + _RUN]) for at, out in enumerate(outputs)]
        )
    spool.close()


def main() -> None:
    """Measure all three."""
    last = f"line {LINES // RANKS - 1:7d}"
    with tempfile.TemporaryDirectory() as directory:
        session = Path(directory) / "session"
        record(session)
        begin = time.monotonic()
        ui = OnScreen(Path(directory), f"--replay={session}", program=pairs.program())
        first = ui.until(shows("1 Brokers")) - begin
        tell("1,000,000 lines: start to first frame", f"{first:.2f} s", "<= 1 s")
        output = ui.after("2", shows("all ranks", "of rank"))
        tell("1,000,000 lines: key to the Output view's lines", f"{output:.3f} s", "<= 1 s")
        ui.until(lambda screen: f"{LINES:,} lines" in screen and "reading" not in screen)
        counted = time.monotonic() - begin
        tell("1,000,000 lines: start to all lines counted", f"{counted:.2f} s", "-")
        ui.after("g", shows("line       0"))
        jump = ui.after("G", shows(last))
        tell("1,000,000 lines: jump to the end", f"{jump:.3f} s", "<= 1 s")
        for pattern, hits in ((f"{last}", RANKS), ("bold words", LINES), ("not there", 0)):
            found = f" of {hits:,}" if hits else "not found"
            took = ui.search(pattern, found)
            tell(f"1,000,000 lines: search {pattern!r}", f"{took:.2f} s", "<= 1 s")
            ui.after("\x1b", lambda screen: "hit" not in screen and "not found" not in screen)
        ui.type("q")
        ui.end()


if __name__ == "__main__":
    main()
