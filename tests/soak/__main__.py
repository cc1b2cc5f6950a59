"""Start and end instances in a row, each with a random fault or signal, and look what they leave.

    python -m tests.soak [--runs=N] [--seed=N] [--minutes=M]

It goes on until N runs (200) are done or M minutes are over. A failure prints the seed that repeats
it: `python -m tests.soak --runs=1 --seed=SEED`.
"""

from __future__ import annotations

import argparse
import collections
import math
import sys
import time
import traceback

from tests.soak import instance, plan


def main() -> int:
    """Run, and sum up."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**9 % 10**6)
    parser.add_argument("--minutes", type=float, default=math.inf)
    chosen = parser.parse_args()
    begin = time.monotonic()
    counts: collections.Counter[str] = collections.Counter()
    failed = []
    for seed in range(chosen.seed, chosen.seed + chosen.runs):
        if time.monotonic() - begin > chosen.minutes * 60:
            break
        one = plan.make(seed)
        counts.update(("runs", one.mode, f"to {one.whom or 'nobody'}"))
        counts["brokers"] += one.size
        try:
            code = instance.run(one)
        except Exception:  # noqa: BLE001 - a report or a session that can not be read is one too
            failed.append(seed)
            print(f"FAILED --seed={seed} {one}\n{traceback.format_exc()}", flush=True)
        else:
            print(f"{one} ended with {code}", flush=True)
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    print(f"{time.monotonic() - begin:.0f} s: {told}; {len(failed)} failed {failed or ''}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
