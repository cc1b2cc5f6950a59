"""Tell whether a signal went to us alone or to our whole process group.

^C at a terminal, timeout(1) and `kill -- -PGID` reach the brokers too, and a broker that gets a
second SIGTERM would abort its rc3. A child in the engine's group that blocks these signals keeps
them pending, where /proc shows them, without any race.
"""

from __future__ import annotations

import os
import signal

from fluxstart_tui import process
from fluxstart_tui.engine import processes


class Witness:
    """A process in our group that does nothing but keep signals pending.

    Args:
        signals: numbers of the signals to watch.
    """

    def __init__(self, signals: tuple[int, ...]) -> None:
        reader, self._writer = os.pipe2(os.O_CLOEXEC)
        # Blocked before the fork, so that there is no moment in which it could be ended by one.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _stand_by(reader)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(reader)

    def saw(self, signum: int) -> bool:
        """Tell whether the group has had this signal."""
        return processes.pending(self.pid, signum)

    def dismiss(self) -> None:
        """End the witness and reap it."""
        os.close(self._writer)
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ChildProcessError, ProcessLookupError):
            pass


def _stand_by(reader: int) -> None:
    """Wait for the engine's end of the pipe to close; hold nothing else of the engine's."""
    try:
        os.dup2(reader, 0)
        os.closerange(1, 65536)
        process.rename("flux-witness")
        os.read(0, 1)
    finally:
        os._exit(0)
