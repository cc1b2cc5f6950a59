"""A child by fork, which goes on with all that we have while we become the UI.

A new program in its place would have to find the broker and import the engine once more: what a
user waits for, if the initial program is to say something.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_POLL = 0.01


class Child:
    """A process in a session of its own, without input and with nobody who reads its stdout.

    Args:
        work: what it does, given the number of `pipe` there; returns its exit code.
        pipe: the descriptor that it keeps.
        stderr: what becomes its stderr.
    """

    def __init__(self, work: Callable[[int], int], pipe: int, stderr: int) -> None:
        self.code: int | None = None
        """Its exit code once it is known to have ended; 128 + signal if it was killed."""
        self.pid = os.fork()
        if self.pid == 0:
            _become(work, pipe, stderr)

    def poll(self) -> int | None:
        """Return its exit code if it has ended, else None."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self.code = code if code >= 0 else 128 - code
        return self.code

    def wait(self, patience: float) -> int | None:
        """Return its exit code, None if it does not end within so many seconds."""
        end = time.monotonic() + patience
        while self.poll() is None and time.monotonic() < end:
            time.sleep(_POLL)
        return self.code

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def _become(work: Callable[[int], int], pipe: int, stderr: int) -> NoReturn:
    code = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for fd, number in ((null, 0), (null, 1), (stderr, 2), (pipe, 3)):
            os.dup2(fd, number)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        code = work(3)
    except BaseException:  # noqa: BLE001 - the parent shows it; its own cleanup is not ours
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)
