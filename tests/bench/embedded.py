"""Start and end an instance of embedded brokers: against real `flux start` with real ones.

Needs `flux` on PATH. Targets: wall at most 1.00x at 64 and 256 brokers, all transitions logged and
all PMI requests made; 1024 brokers in less than 60 s; at most 12 MiB of PSS for a broker.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time

from tests.bench import pairs

OURS = [*pairs.program(), "--headless", "--broker=embedded"]
QUIET = ["sh", "-c", 'exec "$0" "$@" 2>/dev/null']
REQUESTS = 9
TRANSITIONS = 11
"""What every broker of an instance logs at level 6, and asks its launcher but for the cards."""

PSS = r"""
import glob, re
found = []
for path in glob.glob("/proc/[0-9]*/comm"):
    if open(path).read().startswith("flux-broker-"):
        rollup = open(path.replace("comm", "smaps_rollup")).read()
        found.append(int(re.search(r"^Pss: +(\d+) kB", rollup, re.M)[1]))
print(f"PSS of {len(found)} brokers: mean {sum(found) / len(found) / 1024:.1f} MiB,"
      f" most {max(found) / 1024:.1f} MiB")
"""


def count(size: int) -> None:
    """See that no broker leaves anything out."""
    command = [*OURS, "-vv", f"-s{size}", "-o,-v", "true"]
    log = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True).stderr
    requests = len(re.findall(r"^\d+: C: ", log, re.MULTILINE))
    transitions = len(re.findall(r"^<6>broker\.info\[\d+\]: [\w-]+: \w.*->", log, re.MULTILINE))
    print(f"-s{size}: {requests / size:g} PMI requests and {transitions / size:g} transitions each")
    assert (requests, transitions) == (size * (size + REQUESTS), size * TRANSITIONS)


def main() -> None:
    """Measure sizes 64, 256 and 1024."""
    flux = shutil.which("flux")
    if flux is None:
        sys.exit("there is no flux on PATH")
    for size, times in ((64, 9), (256, 5)):
        count(size)
        options = [f"-s{size}", "-o,-v", "-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "true"]
        ours, peer = [*QUIET, *OURS, *options], [*QUIET, flux, "start", *options]
        pairs.compare(f"embedded -s{size}", ours, peer, times)
    began = time.monotonic()
    subprocess.run([*OURS, "-s1024", "true"], check=True)
    print(f"embedded -s1024: {time.monotonic() - began:.1f} s")
    subprocess.run([*OURS, "-s256", sys.executable, "-c", PSS], check=True)


if __name__ == "__main__":
    main()
