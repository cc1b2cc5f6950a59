"""Time two commands in turns and compare them pair by pair, since machines drift."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from typing import NamedTuple


class Run(NamedTuple):
    """One finished command: seconds of wall clock, and of CPU in it and all it waited for."""

    wall: float
    cpu: float


def once(command: list[str], env: dict[str, str] | None = None) -> Run:
    """Run a command whose output is thrown away."""
    before = os.times()
    subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=env, check=True
    )
    after = os.times()
    return Run(
        after.elapsed - before.elapsed,
        after.children_user + after.children_system - before.children_user - before.children_system,
    )


def compare(
    name: str,
    ours: list[str],
    peer: list[str],
    pairs: int,
    env: dict[str, str] | None = None,
) -> float:
    """Run two commands in turns, print medians and the median ratio of wall times, return it."""
    once(ours, env), once(peer, env)
    runs = [(once(ours, env), once(peer, env)) for _ in range(pairs)]
    ratio = statistics.median(a.wall / b.wall for a, b in runs)
    wall = [statistics.median(run[side].wall for run in runs) for side in (0, 1)]
    cpu = [statistics.median(run[side].cpu for run in runs) for side in (0, 1)]
    print(
        f"{name}: wall {wall[0]:.3f} s against {wall[1]:.3f} s, ratio {ratio:.2f};"
        f" CPU {cpu[0]:.3f} s against {cpu[1]:.3f} s; {pairs} pairs",
        flush=True,
    )
    return ratio


def program() -> list[str]:
    """Return the command that runs the installed program, as a user would."""
    beside = os.path.join(os.path.dirname(sys.executable), "fluxstart-tui")
    return [beside] if os.path.exists(beside) else [sys.executable, "-m", "fluxstart_tui"]
