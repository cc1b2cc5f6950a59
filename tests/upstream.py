"""Run flux-core's own test scripts with `flux start` and with ours, and compare case by case.

`python -m tests.upstream FLUX_CORE_BUILD_TREE [SCRIPT ...]`; exit code 1 if a case differs. Flux
looks for commands in FLUX_EXEC_PATH_PREPEND first, which is how ours takes flux start's place.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import support

SCRIPTS = (
    "t0001-basic",
    "t0014-runlevel",
    "t0019-tbon-config",
    "t0025-broker-state-machine",
    "t0036-broker-rundir",
    "t2814-hostlist-cmd",
    "t3203-instance-recovery",
    "t3300-system-basic",
    "t3301-system-latestart",
    "t3302-system-offline",
    "t3303-system-healthcheck",
    "t3304-system-rpctrack-down",
    "t3305-system-rpctrack-up",
    "t3306-system-routercrash",
    "t3307-system-leafcrash",
    "t3308-system-torpid",
    "t3309-system-reconnect",
    "t3310-system-heartbeat",
)


def results(tree: Path, script: str, prepend: Path | None) -> dict[str, str]:
    """Run one script; return `ok`, `not ok` or `skip` by case."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("FLUX_")}
    if prepend is not None:
        env["FLUX_EXEC_PATH_PREPEND"] = str(prepend)
    with tempfile.TemporaryDirectory() as root:
        done = subprocess.run(
            [f"./{script}.t", f"--root={root}"],
            cwd=tree / "t",
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    cases = re.findall(r"^(ok|not ok) (\d+) - (.*?)( # skip.*)?$", done.stdout, re.MULTILINE)
    return {f"{number} {name}": "skip" if skip else result for result, number, name, skip in cases}


def main() -> int:
    """Compare the scripts named on the command line, or those that are about flux start."""
    tree = Path(sys.argv[1]).resolve()
    different = 0
    with tempfile.TemporaryDirectory() as name:
        prepend = Path(name)
        support.script(
            prepend / "flux-start",
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(support.ROOT)!r})\n"
            "sys.argv[0] = 'flux-start'\n"
            "from fluxstart_tui.cli import main\nsys.exit(main())\n",
        )
        for script in sys.argv[2:] or SCRIPTS:
            theirs = results(tree, script, None)
            ours = results(tree, script, prepend)
            counts = [list(cases.values()).count("ok") for cases in (theirs, ours)]
            print(f"{script}: {len(theirs)} cases, ok: flux start {counts[0]}, ours {counts[1]}")
            for case in sorted(theirs.keys() | ours.keys(), key=lambda case: int(case.split()[0])):
                if theirs.get(case) != ours.get(case):
                    different += 1
                    print(f"  {case}: flux start {theirs.get(case)}, ours {ours.get(case)}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
