"""CPU of `--help` against a Python that does nothing. Target: at most 60 ms more."""

from __future__ import annotations

import statistics
import subprocess
import sys

from tests.bench import pairs


def main() -> None:
    """Measure 21 pairs."""
    ours = [*pairs.program(), "--help"]
    peer = [sys.executable, "-c", "pass"]
    quiet = subprocess.DEVNULL
    runs = [(_cpu(ours, quiet), _cpu(peer, quiet)) for _ in range(21)]
    more = statistics.median(a - b for a, b in runs)
    print(f"--help: {more * 1000:+.1f} ms CPU against `python -c pass`; 21 pairs")


def _cpu(command: list[str], stderr: int) -> float:
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stderr=stderr, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
