"""What recording costs: at start, under load, and while 256 brokers just run.

With the real flux-broker if `flux` is on PATH, else with the embedded one. Targets: wall of -s64 at
most 1.03x of the same without --record; 200 MB/s of 4 ranks kept, the producers slowed by 5 % at
most; watching 256 brokers in state run takes at most 5 % of one core.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import pairs

_TICKS = os.sysconf("SC_CLK_TCK")
PRINTER = f"""#!{sys.executable} -IS
import os, time
block = b"".join(b"%07d %s\\n" % (line, b"x" * 71) for line in range(12500))
begin = time.monotonic()
for turn in range(200):
    wait = begin + turn / 50 - time.monotonic()
    if wait > 0: time.sleep(wait)
    view = memoryview(block)
    while view:
        view = view[os.write(1, view):]
with open(os.environ["TIMES"] + "/" + os.environ["PMI_RANK"], "w") as file:
    print(time.monotonic() - begin, file=file)
"""
"""50 MB/s for 4 s, if whoever takes it is as fast."""


def start(broker: str, directory: str) -> None:
    """Compare the start and end of 64 brokers."""
    plain = [*pairs.program(), "--headless", broker, "-s64", "-Sbroker.rc1_path="]
    plain += ["-Sbroker.rc3_path=", "true"]
    script = 'rm -rf "$0"; exec "$@"'
    bare = ["sh", "-c", script, directory, *plain]
    recorded = ["sh", "-c", script, directory, plain[0], f"--record={directory}", *plain[1:]]
    pairs.compare("recording -s64", recorded, bare, 81)


def load(directory: str) -> None:
    """Compare producers of 200 MB/s with and without a record of what they print."""
    printer = Path(directory) / "printer"
    printer.write_text(PRINTER)
    printer.chmod(0o755)
    ratios, kept = [], []
    for turn in range(5):
        seconds = []
        for options in ([], [f"--record={directory}/s{turn}", "--record-limit=4GiB"]):
            words = [*pairs.program(), "--headless", *options, "-s4", f"--broker={printer}"]
            with (Path(directory) / "out").open("wb") as out:
                env = {**os.environ, "TIMES": directory}
                subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, env=env, check=True)
            times = [float((Path(directory) / str(rank)).read_text()) for rank in range(4)]
            seconds.append(statistics.mean(times))
        ratios.append(seconds[1] / seconds[0])
        session = Path(directory) / f"s{turn}"
        kept.append(sum(one.stat().st_size for one in session.glob("output.???")))
        shutil.rmtree(session)
    print(
        f"recording 4 x 50 MB/s: producers took {statistics.median(ratios):.3f} times as long;"
        f" kept {min(kept)} of {4 * 200 * 12500 * 80} bytes; 5 pairs",
        flush=True,
    )


def watch(broker: str, directory: str, size: int, seconds: float) -> None:
    """Compare the CPU of an instance in state run, its brokers included."""
    used = []
    for options in ([], [f"--record={directory}/w"]):
        words = [*pairs.program(), "--headless", *options, broker, f"-s{size}"]
        words += ["-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "sh", "-c", "echo up; cat"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(3)  # everybody has arrived by then
            before, engine = _cpu(process.pid)
            time.sleep(seconds)
            after, engine_after = _cpu(process.pid)
            used.append(after - before)
            print(f"  engine alone: {engine_after - engine:.2f} s of CPU in {seconds:.0f} s")
            process.communicate()
    percent = 100 * (used[1] - used[0]) / seconds
    print(
        f"watching {size} brokers for {seconds:.0f} s: {used[1]:.2f} s of CPU against"
        f" {used[0]:.2f} s, {percent:.1f} % of one core",
        flush=True,
    )


def _cpu(root: int) -> tuple[float, float]:
    """Return CPU seconds of a process and all below it, and of it alone."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = re.sub(r"^.*\) ", "", (entry / "stat").read_text()).split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            ticks[int(entry.name)] = int(fields[11]) + int(fields[12])
    total = 0
    for pid, used in ticks.items():
        above = pid
        while above not in (root, 0, 1):
            above = parents.get(above, 0)
        if above == root:
            total += used
    return total / _TICKS, ticks.get(root, 0) / _TICKS


def main() -> None:
    """Measure all three."""
    broker = "--broker=flux" if shutil.which("flux") else "--broker=embedded"
    print(f"with {broker}")
    with tempfile.TemporaryDirectory() as directory:
        start(broker, f"{directory}/session")
        load(directory)
        watch(broker, directory, 256, 60)


if __name__ == "__main__":
    main()
