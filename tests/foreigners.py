"""Launches that are not started by the program under test, and how they are ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests import support

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def running(scene: Path, *words: str, tidy: bool = True) -> Iterator[subprocess.Popen[bytes]]:
    """Run something in a process group of its own, and end it.

    Args:
        scene: where it runs.
        words: the command line.
        tidy: it cleans up when it is told to end; what does not is killed.
    """
    process = subprocess.Popen(
        words, env=support.environment(scene), cwd=scene, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if tidy:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)  # what comes sooner is no second signal
            process.send_signal(signal.SIGTERM)
        while not tidy and (left := support.processes_of(scene)):
            for line in left:
                with suppress(ProcessLookupError):
                    os.kill(int(line.split()[0]), signal.SIGKILL)
        process.wait(support.PATIENCE)
        for rundir in scene.glob("flux-*") if not tidy else ():
            shutil.rmtree(rundir)
