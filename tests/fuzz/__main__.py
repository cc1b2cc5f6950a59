"""Fuzz what reads hostile input, guided by coverage (atheris: `pip install atheris`).

    python -m tests.fuzz [--seconds=N] [TARGET...]

Each target gets N seconds (60), in a process of its own. What an input breaks is printed with the
file that holds it; `python -m tests.fuzz.one TARGET FILE` tries it again, without atheris.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import ALL

_HANG = 20
"""Seconds after which an input takes too long."""
_MEMORY = 2048
"""MiB after which it takes too much."""
_RUNS = re.compile(r"^Done (\d+) runs in (\d+) second", re.MULTILINE)


def fuzz(name: str, seconds: int, found: str) -> bool:
    """Fuzz a target, say what has come of it, and return whether it held.

    Args:
        name: of the target.
        seconds: how long.
        found: directory for inputs that break it.
    """
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(ALL[name].seeds()):
            Path(corpus, str(number)).write_bytes(seed)
        limits = (f"-max_total_time={seconds}", f"-timeout={_HANG}", f"-rss_limit_mb={_MEMORY}")
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.guided", name, corpus, *limits,
             "-max_len=16384", f"-artifact_prefix={found}/{name}-"],
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        tried = len(os.listdir(corpus))
    runs = _RUNS.search(done.stderr)
    if done.returncode == 0 and runs:
        print(f"{name}: {runs[1]} inputs in {runs[2]} s, {tried} kept, nothing found", flush=True)
        return True
    print(f"{name}: FAILED\n{done.stdout[-3000:]}{done.stderr[-3000:]}", flush=True)
    return False


def main() -> int:
    """Fuzz the targets that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(ALL))
    chosen = parser.parse_args()
    for name in chosen.targets:
        if name not in ALL:
            parser.error(f"there is no target {name}; there are {', '.join(ALL)}")
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install atheris")
    found = tempfile.mkdtemp(prefix="fuzz-")
    held = [fuzz(name, chosen.seconds, found) for name in chosen.targets or ALL]
    if all(held):
        os.rmdir(found)
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
