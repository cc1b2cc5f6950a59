"""Record what the real broker does in all scenarios: `python -m tests.record_differential`.

Each is run several times, and what does not come out the same each time is not recorded.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.observe import observe
from tests.scenarios import SCENARIOS

DATA = Path(__file__).parent / "data" / "differential.json"
_RUNS = 3


def main() -> int:
    """Record the scenarios named on the command line, or all; exit 1 if one is not stable."""
    recorded = json.loads(DATA.read_text()) if DATA.exists() else {}
    unstable = 0
    for name in sys.argv[1:] or SCENARIOS:
        results = []
        for _ in range(_RUNS):
            with tempfile.TemporaryDirectory(prefix="fs-") as scene:
                results.append(observe(Path(scene), "flux", SCENARIOS[name]))
        first, *others = results
        for other in others:
            for group in sorted(first.keys() | other.keys()):
                if first.get(group) != other.get(group):
                    unstable = 1
                    print(f"{name}: {group}:\n  {first.get(group)}\n  {other.get(group)}")
        recorded[name] = first
        print(name)
    ordered = {name: recorded[name] for name in SCENARIOS if name in recorded}
    DATA.write_text(json.dumps(ordered, indent=1) + "\n")
    return unstable


if __name__ == "__main__":
    sys.exit(main())
