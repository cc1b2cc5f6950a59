"""Time two commands in turns and compare them pair by pair, since machines drift."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from typing import NamedTuple


class Run(NamedTuple):
    """One finished command: seconds of wall clock, and of CPU in it and all it waited for."""

    wall: float
    cpu: float


def once(command: list[str], env: dict[str, str] | None = None) -> Run:
    """Run a command whose output is thrown away."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=env, check=True
    )
    ended, after = time.perf_counter(), os.times()
    return Run(
        ended - began,
        after.children_user + after.children_system - before.children_user - before.children_system,
    )


def compare(
    name: str,
    ours: list[str],
    peer: list[str],
    pairs: int,
    env: dict[str, str] | None = None,
) -> float:
    """Run two commands in turns, print medians and the median ratio of wall times, return it.

    The ratio of the means is printed with its standard error: where one run differs from the next
    by more than what is looked for, it takes many of them.
    """
    once(ours, env), once(peer, env)
    runs = [(once(ours, env), once(peer, env)) for _ in range(pairs)]
    ratios = [a.wall / b.wall for a, b in runs]
    ratio = statistics.median(ratios)
    means = [statistics.mean(run[side].wall for run in runs) for side in (0, 1)]
    error = statistics.stdev(ratios) / math.sqrt(pairs)
    wall = [statistics.median(run[side].wall for run in runs) for side in (0, 1)]
    cpu = [statistics.median(run[side].cpu for run in runs) for side in (0, 1)]
    print(
        f"{name}: wall {wall[0]:.3f} s against {wall[1]:.3f} s, ratio {ratio:.3f}"
        f" (of means {means[0] / means[1]:.3f} +- {error:.3f});"
        f" CPU {cpu[0]:.3f} s against {cpu[1]:.3f} s; {pairs} pairs",
        flush=True,
    )
    return ratio


def program() -> list[str]:
    """Return the command that runs the installed program, as a user would."""
    beside = os.path.join(os.path.dirname(sys.executable), "fluxstart-tui")
    return [beside] if os.path.exists(beside) else [sys.executable, "-m", "fluxstart_tui"]
