"""16 ranks print 100,000 coloured lines each as fast as they can: our Output view against mprocs.

    python -m tests.bench.mprocs PATH-OF-MPROCS [PAIRS]

mprocs 0.9 (npm: mprocs) does the same in a terminal of the same size, in turns. The clock runs from
the moment when the printers begin until the last line is on the screen, and every line is counted
and can be searched (ours), or every printer has ended (mprocs, which keeps 1,000 lines of each).
Target: at least 3 times its lines per second.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import pairs
from tests.bench.on_screen import OnScreen, shows, tell

PRINTERS, LINES = 16, 100_000
LAST = f"line {LINES - 1:7d}"

PRINTER = f"""#!{sys.executable} -IS
import os, time
rank = int(os.environ.get("PMI_RANK", "1"))
go = os.path.dirname(__file__) + "/go"
if rank == 0:  # its output would be the Terminal view's
    while not os.path.exists(go + "ne"):
        time.sleep(0.05)
    os._exit(0)
block = b"".join(b"\\x1b[3%dmline %7d\\x1b[0m of rank %d: some \\x1b[1mbold\\x1b[0m words %d\\n"
                 % (1 + at % 6, at, rank, at * 7 % 1000) for at in range({LINES}))
open(f"{{go}}.{{os.getpid()}}", "w").close()
while not os.path.exists(go):
    time.sleep(0.01)
view = memoryview(block)
while view:
    view = view[os.write(1, view[:65536]):]
"""


class Scene:
    """A directory with a printer."""

    def __init__(self, directory: str) -> None:
        self.path = Path(directory)
        self.printer = self.path / "printer"
        self.printer.write_text(PRINTER)
        self.printer.chmod(0o755)

    def go(self, ui: OnScreen) -> float:
        """Let the printers begin once all are ready; return when that was."""
        while len(list(self.path.glob("go.*"))) < PRINTERS:
            ui.idle(0.05)
        ui.idle(1.0)  # what was started has settled
        (self.path / "go").touch()
        return time.monotonic()


def ours(directory: str) -> float:
    """Return our lines per second."""
    scene = Scene(directory)
    words = [f"--broker={scene.printer}", f"-s{PRINTERS + 1}", "--record-limit=4GiB"]
    words.append("--test-exit-timeout=1h")
    ui = OnScreen(scene.path, *words, program=pairs.program())
    ui.until(shows("1 Brokers"))
    ui.after("2", shows("following"))
    begin = scene.go(ui)
    counted = f"{PRINTERS * LINES:,} lines"
    end = ui.until(shows(counted, LAST))
    found = ui.search(LAST, f" of {PRINTERS}")
    print(f"  ours: {end - begin:.2f} s; all hits of a search {found:.2f} s later", flush=True)
    (scene.path / "gone").touch()
    ui.until(shows("exit code"))
    ui.type("q")
    ui.end()
    return PRINTERS * LINES / (end - begin)


def theirs(mprocs: str, directory: str) -> float:
    """Return the lines per second of mprocs."""
    scene = Scene(directory)
    ui = OnScreen(scene.path, *["./printer"] * PRINTERS, program=[mprocs])
    begin = scene.go(ui)
    end = ui.until(lambda screen: screen.count("DOWN") == PRINTERS and LAST in screen)
    print(f"  mprocs: {end - begin:.2f} s", flush=True)
    ui.type("q")
    ui.end()
    return PRINTERS * LINES / (end - begin)


def main() -> None:
    """Measure pairs."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    rates = []
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 3):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            rates.append((ours(one), theirs(sys.argv[1], other)))
    mine, peer = (statistics.median(rate[side] for rate in rates) for side in (0, 1))
    ratio = statistics.median(a / b for a, b in rates)
    tell("lines/s, 16 ranks, ours / mprocs", f"{mine:,.0f} / {peer:,.0f}", "")
    tell("ratio to mprocs", f"{ratio:.2f}x", ">= 3x")


if __name__ == "__main__":
    main()
