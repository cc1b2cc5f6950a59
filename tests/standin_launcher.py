"""A launcher for tests: starts tasks on this host, labels their lines, and ends when they have.

    standin_launcher.py [OPTION...] -n N COMMAND...

Options are ignored. Its exit code is the highest of its tasks', 128 + the signal for one that was
killed. SIGTERM and SIGINT are passed on to the tasks. It does not outlive who reads its output: the
tasks are killed then. The environment tells what else it does:

    STANDIN_LABEL     form of a label, `task {} | ` by default
    STANDIN_HABITS    words: `deaf` passes no signals on; `leaves` ends without its tasks when told
                      to end; `kills` kills the rest once a task has failed
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from typing import IO

LABEL = os.environ.get("STANDIN_LABEL", "task {} | ")
HABITS = os.environ.get("STANDIN_HABITS", "").split()


def copy(label: bytes, source: IO[bytes], to: IO[bytes]) -> None:
    """Label the lines of a task, as long as anybody reads them."""
    try:
        for line in source:
            to.write(label + line)
            to.flush()
    except BrokenPipeError:
        pass


def main() -> int:
    """Run the tasks; return the exit code."""
    at = sys.argv.index("-n") + 1
    count, command = int(sys.argv[at]), sys.argv[at + 1 :]
    tasks: list[subprocess.Popen[bytes]] = []
    reader = select.poll()
    reader.register(1, 0)  # tells only that a pipe has no reader any more

    def passed_on(signum: int, _frame: object) -> None:
        if "leaves" in HABITS:
            os._exit(1)
        if "deaf" not in HABITS:
            for task in tasks:
                task.send_signal(signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, passed_on)
    threads = []
    for rank in range(count):
        env = {**os.environ, "PMI_RANK": str(rank), "PMI_SIZE": str(count)}
        task = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=env, start_new_session=True,
        )  # fmt: skip
        tasks.append(task)
        label = LABEL.format(rank).encode()
        for source, to in ((task.stdout, sys.stdout.buffer), (task.stderr, sys.stderr.buffer)):
            assert source is not None
            threads.append(threading.Thread(target=copy, args=(label, source, to), daemon=True))
            threads[-1].start()
    codes = dict.fromkeys(tasks, 0)
    while any(task.poll() is None for task in tasks):
        time.sleep(0.02)
        for task in tasks:
            codes[task] = task.poll() or 0
        if ("kills" in HABITS and any(codes.values())) or reader.poll(0):
            for task in tasks:
                task.kill()
    for thread in threads:
        thread.join()
    return max(code if code >= 0 else 128 - code for code in (task.wait() for task in tasks))


if __name__ == "__main__":
    sys.exit(main())
