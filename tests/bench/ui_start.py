"""What the terminal UI adds to a start, and how soon it is there.

With the real flux-broker if `flux` is on PATH, else with the embedded one; -s16, in turns with
--headless. Targets: the initial program's first output at most 1.10 times as late; the first frame
within 0.6 s.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from tests import support
from tests.bench import pairs
from tests.bench.on_screen import OnScreen, shows, tell

PAIRS = 9
BROKER = "--broker=flux" if shutil.which("flux") else "--broker=embedded"
WORDS = [BROKER, "-s16", "-Sbroker.rc1_path=", "-Sbroker.rc3_path="]
SAY = ["sh", "-c", "echo up; date +%s.%N > said"]


def headless(scene: Path) -> float:
    """Return the seconds until the initial program has printed something."""
    begin = time.time()
    command = [*pairs.program(), "--headless", *WORDS, *SAY]
    environ = support.environment(scene)
    del environ["PYTHONPATH"]
    subprocess.run(command, cwd=scene, env=environ, stdout=subprocess.DEVNULL, check=True)
    return float((scene / "said").read_text()) - begin


def on_screen(scene: Path) -> tuple[float, float]:
    """Return the same with the UI, and the seconds until its first frame was on the screen."""
    begin, monotonic = time.time(), time.monotonic()
    ui = OnScreen(scene, *WORDS, *SAY, program=pairs.program())
    frame = ui.until(shows("1 Brokers")) - monotonic
    ui.until(shows("exit code"))
    ui.type("q")
    ui.end()
    return float((scene / "said").read_text()) - begin, frame


def main() -> None:
    """Measure pairs."""
    runs = []
    for _ in range(PAIRS):
        with tempfile.TemporaryDirectory() as directory:
            runs.append((*on_screen(Path(directory)), headless(Path(directory))))
    late, frame, bare = (statistics.median(run[part] for run in runs) for part in range(3))
    ratio = statistics.median(run[0] / run[2] for run in runs)
    print(f"{BROKER} -s16, {PAIRS} pairs, {os.cpu_count()} processors")
    tell("first output, UI / headless", f"{late:.2f} s / {bare:.2f} s", "-")
    tell("first output, ratio", f"{ratio:.2f}x", "<= 1.10x")
    tell("start to first frame", f"{frame:.2f} s", "<= 0.6 s")


if __name__ == "__main__":
    main()
