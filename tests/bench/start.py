"""Start and end an instance: ours against real `flux start`, both with real flux-brokers.

Needs `flux` on PATH. Target: wall at most 1.10x at 64 brokers and 0.95x at 256.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests.bench import pairs


def main() -> None:
    """Measure sizes 64 and 256."""
    flux = shutil.which("flux")
    if flux is None:
        sys.exit("there is no flux on PATH")
    output = subprocess.run([flux, "env", "env", "-0"], capture_output=True, check=True).stdout
    entries = (entry.partition(b"=") for entry in output.split(b"\0") if entry)
    env = {os.fsdecode(name): os.fsdecode(value) for name, _, value in entries}
    for size, count in ((64, 9), (256, 5)):
        options = [f"-s{size}", "-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "true"]
        ours = [*pairs.program(), "--headless", "--broker=flux", *options]
        pairs.compare(f"start -s{size}", ours, [flux, "start", *options], count, env)


if __name__ == "__main__":
    main()
