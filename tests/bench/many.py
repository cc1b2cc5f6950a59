"""The UI on 1,024 embedded brokers: its processor at rest, and how soon each view opens.

With two million lines of PMI in the session. Targets: at most 15 % of one core in the Brokers view
while nothing happens; each view is on the screen within 200 ms of its key.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.bench import pairs
from tests.bench.on_screen import OnScreen, shows, tell

SECONDS = 20.0
VIEWS = {
    "2": ("Output", "all ranks"),
    "3": ("PMI", "COMMAND"),
    "4": ("Tree", "OVERLAY"),
    "5": ("Timeline", "slowest"),
    "6": ("Log", "RECORD"),
    "7": ("Terminal", "ready"),
    "8": ("Launch", "RANK"),
    "d": ("Detail", "Environment"),
    "1": ("Brokers", "CPU%"),
}
"""The key of each view, its name, and what only it shows."""


def main() -> None:
    """Start, rest, look."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    with tempfile.TemporaryDirectory() as directory:
        begin = time.monotonic()
        ui = OnScreen(
            Path(directory), "--broker=embedded", f"-s{size}", "sh", "-c", "echo ready; read _",
            program=pairs.program(),
        )  # fmt: skip
        ui.until(shows("program runs"), 120.0)
        print(f"{size} brokers run after {time.monotonic() - begin:.0f} s")
        ui.idle(5.0)
        before = ui.cpu()
        ui.idle(SECONDS)
        used = (ui.cpu() - before) / SECONDS
        tell(f"{size} brokers, Brokers view at rest", f"{used:.1%} of a core", "<= 15 %")
        for key, (name, shown) in VIEWS.items():
            first = ui.after(key, shows(shown))
            ui.idle(2.0)
            if name == "Terminal":
                ui.type("\x1d")
                ui.idle(0.5)
            tell(f"{size} brokers, {name} view opens in", f"{first * 1e3:.0f} ms", "<= 200 ms")
        ui.signal(15)
        ui.end()


if __name__ == "__main__":
    main()
