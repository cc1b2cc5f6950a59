"""Make the pictures of the README: record real runs, open each view on them, save what it shows.

Usage: python screenshots/make.py [DIRECTORY]

With the real flux-broker if there is a `flux` on PATH, else with the embedded broker; those of a
launch only if there is an mpiexec.hydra (PyPI: mpich, 4).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fluxstart_tui.session.reader import Session
from fluxstart_tui.tui.app import FluxApp
from fluxstart_tui.tui.settings import Settings
from fluxstart_tui.tui.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.session.state import InstanceState

SIZE = (120, 34)
PROGRAM = r"""
for step in 1 2 3 4 5 6 7 8; do
    printf '\033[32mok\033[0m %d - check number %d\n' $step $step
    printf '\033[33mwarning\033[0m: [node %d] is slow\n' $step >&2
    sleep 0.1
done
for node in 1 2 3 4 5 6; do
    printf '\033[1mnode %d\033[0m: \033[36m%d tasks\033[0m' $node $((node * 8))
    printf ', load \033[31m0.%d\033[0m\n' $node
done
exec cat
"""
VIEWS = (
    ("brokers", "run", "1"),
    ("output", "run", "2"),
    ("pmi", "run", "3"),
    ("tree", "run", "4"),
    ("timeline", "run", "5"),
    ("phases", "run", "P"),
    ("log", "run", "6"),
    ("detail", "run", "d"),
    ("hang", "hang", "1"),
    ("killed", "killed", "1"),
    ("launch", "launch", "8"),
    ("finding", "launch", "F"),
)
"""Name of the picture, the run it shows, and the key of the view."""


def record(
    directory: Path, until: Callable[[InstanceState], bool], *words: str, kill: int | None = None
) -> None:
    """Record an instance until something is so; a rank may be killed then."""
    environ = {**os.environ, "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "fluxstart_tui", "--headless", "--no-summary"]
    with subprocess.Popen(
        [*command, f"--record={directory}", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environ,
    ) as process:
        while not (directory / "session.json").exists():
            time.sleep(0.05)
        session = Session(str(directory))
        while True:
            list(session.poll())
            if until(session.state):
                break
            time.sleep(0.05)
        time.sleep(3)
        if kill is not None:
            os.kill(session.state.broker(kill).pid, signal.SIGKILL)
            time.sleep(2.5)
        process.send_signal(signal.SIGTERM)


def running(state: InstanceState) -> bool:
    """Tell whether the program runs on a full instance."""
    return state.program is not None and len(state.online) == state.size


def waiting(state: InstanceState) -> bool:
    """Tell whether all but one wait in the first barrier."""
    return len(state.ranks(lambda broker: broker.pmi == "barrier")) == state.size - 1


def hindered(state: InstanceState) -> bool:
    """Tell whether something hinders the launch."""
    return bool(state.findings)


async def picture(session: Path, key: str, path: Path) -> None:
    """Save what a view shows of a session just before it was ended."""
    source = Source(str(session), replay=True)
    app = FluxApp(source, os.environ, Settings(theme="dark"))
    async with app.run_test(size=SIZE) as pilot:
        clock = source.model.replay
        assert clock is not None
        signals = [t for t, _ in source.model.state.signals]
        source.model.poll()
        ended = [t for t, _ in Session(str(session)).state.signals] or signals or [clock.end]
        clock.seek(min(ended) - 0.01)
        await pilot.press(key)
        for _ in range(8):
            await pilot.pause(0.1)
        app.save_screenshot(str(path))


def main() -> None:
    """Make all pictures."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    with tempfile.TemporaryDirectory(prefix="fs-") as name:
        base = Path(name)
        tree = ("-Stbon.topo=kary:3", "-Sbroker.rc1_path=sleep 0.1", "-Sbroker.rc3_path=")
        record(base / "run", running, "-s16", *tree, "sh", "-c", PROGRAM)
        hang = 'test $PMI_RANK = 5 && exec sleep 99; exec "$@"'
        quick = ("--test-exit-timeout=1", "-Sbroker.rc3_path=", "-Sbroker.rc1_path=")
        record(base / "hang", waiting, "-s8", *quick, f"--wrap=sh,-c,{hang},sh", "true")
        record(base / "killed", running, "-s8", *quick[1:], "sleep", "99", kill=3)
        hydra = shutil.which("mpiexec.hydra")
        if hydra is None:
            sys.stderr.write("no mpiexec.hydra on PATH: no pictures of a launch\n")
        else:
            stop = ("--broker=embedded", "-Sfault.barrier1=5:stop", "sleep", "99")
            record(base / "launch", hindered, "--launcher=mpiexec.hydra -n 16", *stop)
        for picture_name, run, key in VIEWS:
            if run == "launch" and hydra is None:
                continue
            asyncio.run(picture(base / run, key, target / f"{picture_name}.svg"))


if __name__ == "__main__":
    main()
