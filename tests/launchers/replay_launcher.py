"""A launcher that prints what a real one has printed, in its own time: for tests of --launcher.

Its name and its arguments may be any launcher's. The environment tells what to replay:

    REPLAY_LOG    lines, each with a time in seconds before it (tests/data/launches/*.log)
    REPLAY_CODE   its exit code
    REPLAY_QUIET  seconds for which it is silent at the most; for ever by default

A capture holds stdout and stderr as one, so all goes to stdout. SIGTERM ends the waiting: what is
left of the log, which ends with somebody's stopping it too, comes at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path


def main() -> int:
    """Replay a log and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        return 0
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    quiet = float(os.environ.get("REPLAY_QUIET", "inf"))
    before = 0.0
    for line in Path(os.environ["REPLAY_LOG"]).read_bytes().splitlines(keepends=True):
        t, _, text = line.partition(b" ")
        if (wait := float(t) - before) > 0:
            stopped.wait(min(wait, quiet))
        before = max(before, float(t))
        os.write(1, text)
    return int(os.environ["REPLAY_CODE"])


if __name__ == "__main__":
    sys.exit(main())
