"""64 ranks print 300,000 lines/s for a minute while one looks at them and types.

The first rank has a shell in the Terminal view; 64 others print. For half of the time the Output
view follows and is paused and resumed, for the other half keys are typed in the shell. Then the
same ranks print as much without the UI.

Targets: every line is recorded; a key's reaction is painted within 50 ms, its echo in the Terminal
within 30 ms (both p99); the UI grows by at most 100 MiB; the ranks print as fast as without it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fluxstart_tui.session.reader import Session
from tests import support
from tests.bench import pairs
from tests.bench.on_screen import OnScreen, percentile, shows, tell

RANKS, RATE, SECONDS = 64, 300_000, 60
BLOCKS = 10 * SECONDS
"""Writes of each rank, ten in a second."""
LINES = RATE // RANKS // 10 + 1
"""Lines in each."""

CHATTER = f"""#!{sys.executable} -IS
import os, sys, time
rank, times = int(os.environ["PMI_RANK"]), os.environ["TIMES"]
if rank == 0:
    if len(sys.argv) > 2 and sys.argv[-1] == "quiet":
        while len(os.listdir(times)) < {RANKS + 1}:
            time.sleep(0.1)
        os._exit(0)
    os.execvp("bash", ["bash", "--norc", "--noprofile"])
block = b"".join(b"\\x1b[3%dmrank %d prints line %d of its many\\x1b[0m\\n" % (n % 8, rank, n)
                 for n in range({LINES}))
while not os.path.exists(times + "/go"):
    time.sleep(0.01)
begin = due = time.monotonic()
for turn in range({BLOCKS}):
    view = memoryview(block)
    while view:
        view = view[os.write(1, view):]
    due += 0.1
    time.sleep(max(0, due - time.monotonic()))
with open(f"{{times}}/{{rank}}", "w") as file:
    print(time.monotonic() - begin, file=file)
"""


class Chatter:
    """A broker that prints, and what its ranks say about how long that took."""

    def __init__(self, scene: Path) -> None:
        self.path = scene / "chatter"
        self.path.write_text(CHATTER)
        self.path.chmod(0o755)
        self.times = scene / "times"
        self.times.mkdir()
        self.words = [f"--broker={self.path}", f"-s{RANKS + 1}", "--test-exit-timeout=1h"]

    def go(self) -> None:
        """Let the ranks print."""
        (self.times / "go").touch()

    def rate(self) -> float:
        """Return the lines per second of all ranks; each prints as many."""
        took = [float((self.times / str(rank)).read_text()) for rank in range(1, RANKS + 1)]
        return sum(LINES * BLOCKS / seconds for seconds in took)


def on_screen(scene: Path) -> float:
    """Look and type; return the lines per second of the ranks."""
    chatter = Chatter(scene)
    options = [f"--record={scene}/session", "--record-limit=4GiB"]
    ui = OnScreen(
        scene, *options, *chatter.words, program=["/usr/bin/env", f"TIMES={chatter.times}",
                                                  *pairs.program()]
    )  # fmt: skip
    ui.until(shows("1 Brokers"))
    ui.after("2", shows("following"))
    chatter.go()
    ui.idle(2.0)
    begin, cpu, rss = time.monotonic(), ui.cpu(), ui.rss()
    keys: list[float] = []
    while time.monotonic() - begin < SECONDS / 2 - 4:
        keys.append(ui.after("f", lambda screen: "following" not in screen))
        ui.idle(0.05)
        keys.append(ui.after("f", shows("following")))
        ui.idle(0.05)
    ui.after("7", lambda screen: "$ " in screen and "all ranks" not in screen)
    echoes: list[float] = []
    while time.monotonic() - begin < SECONDS - 6:
        typed = ""
        for key in "abcdefghijklmnopqrst":
            typed += key
            echoes.append(ui.after(key, shows(f"$ {typed}")))
            ui.idle(0.03)
        ui.after("\x15", lambda screen: "$ a" not in screen)
    used, grown = (ui.cpu() - cpu) / (time.monotonic() - begin), ui.rss() - rss
    while len(list(chatter.times.iterdir())) <= RANKS:
        ui.idle(0.1)
    ui.type("exit\r")
    ui.until(shows("exit code"))
    ui.type("q")
    ui.end()
    known = sum(chunk.data.count(b"\n") for chunk in Session(f"{scene}/session").output.chunks(
        streams=(0,)))  # fmt: skip
    printed = RANKS * LINES * BLOCKS
    tell("flood: lines recorded of those printed", f"{known:,} of {printed:,}", "all")
    tell(f"flood: key to paint, p99 of {len(keys)}", f"{percentile(keys, 0.99):.1f} ms", "<= 50 ms")
    tell(f"flood: echo, p99 of {len(echoes)}", f"{percentile(echoes, 0.99):.1f} ms", "<= 30 ms")
    middle = f"{percentile(keys, 0.5):.1f} ms, {percentile(echoes, 0.5):.1f} ms"
    tell("flood: the same, medians", middle, "-")
    tell("flood: growth of the UI", f"{grown:.0f} MiB", "<= 100 MiB")
    tell("flood: processor of the UI", f"{used:.0%} of a core", "-")
    return chatter.rate()


def headless(scene: Path) -> float:
    """Return the lines per second of the ranks without the UI."""
    chatter = Chatter(scene)
    words = [*pairs.program(), "--headless", *chatter.words, "quiet"]
    environ = support.environment(scene, {"TIMES": str(chatter.times)})
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, env=environ):
        time.sleep(2.0)
        chatter.go()
    return chatter.rate()


def main() -> None:
    """Measure with the UI, then without it."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        ours, bare = on_screen(Path(one)), headless(Path(other))
    tell("flood: lines/s with the UI / without", f"{ours:,.0f} / {bare:,.0f}", "-")
    tell("flood: ratio of the rates", f"{ours / bare:.3f}", ">= 0.95")


if __name__ == "__main__":
    main()
