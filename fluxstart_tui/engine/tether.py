"""What ties the engine to the UI that has started it: when the UI is gone, the instance ends."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.reactor import Reactor

_LET_GO = b"d"
"""What the UI says when it goes and the instance is to stay."""


class Tether:
    """The read end of a pipe of which the UI has the other end.

    Args:
        reactor: the engine's loop.
        fd: the descriptor.
        interrupt: ends the instance, given a signal and who wants it.
    """

    def __init__(self, reactor: Reactor, fd: int, interrupt: Callable[[int, str], None]) -> None:
        self._reactor = reactor
        self._fd = fd
        self._interrupt = interrupt
        os.set_blocking(fd, False)
        os.set_inheritable(fd, False)
        reactor.add_reader(fd, self._readable)

    def _readable(self) -> None:
        try:
            said = os.read(self._fd, 1)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        self._reactor.remove_reader(self._fd)
        if said != _LET_GO:
            self._interrupt(signal.SIGHUP, "the UI is gone")
