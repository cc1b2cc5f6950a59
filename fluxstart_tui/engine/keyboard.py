"""What is typed on our terminal while a program on a pty of ours is shown there.

We may be a job of a shell: between start and end the terminal may become somebody else's. It is
left alone then, and raw and read again once it is ours.
"""

from __future__ import annotations

import os
import select
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.engine.terminal import Terminal
    from fluxstart_tui.reactor import Reactor, Timer

_READ_SIZE = 4096
"""Bytes that a terminal holds for its readers (drivers/tty/n_tty.c: N_TTY_BUF_SIZE)."""

_POLL = 0.25
"""Seconds between looks whether the terminal is ours again. A shell that brings a running job to
the foreground sends it no signal (bash: start_job)."""


class Keyboard:
    """Reads our terminal, which is raw as long as it is ours.

    Args:
        reactor: the loop; signals that concern the terminal are handled in it.
        terminal: the terminal.
        typed: takes the input.
        resized: called when the window has another size.
        returned: called when the terminal is ours again.
    """

    def __init__(
        self,
        reactor: Reactor,
        terminal: Terminal,
        typed: Callable[[bytes], None],
        resized: Callable[[], None],
        returned: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._terminal = terminal
        self._typed = typed
        self._returned = returned
        self._paused = False
        self._closed = False
        self._timer: Timer | None = None
        # A read that finds the terminal somebody else's fails instead of stopping us.
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        self._stoppable = signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN
        if self._stoppable:
            reactor.on_signal(signal.SIGTSTP, lambda: self._stop(os.getpid()))
        reactor.on_signal(signal.SIGCONT, self._continued)
        reactor.on_signal(signal.SIGWINCH, resized)
        self._attend()

    def pause(self) -> None:
        """Leave what is typed where it is."""
        self._paused = True
        self._reactor.remove_reader(0)

    def resume(self) -> None:
        """Take input again."""
        if self._paused:
            self._paused = False
            self._attend()

    def suspend(self) -> bool:
        """Stop, and what is in our process group too, as its terminal would have done.

        Returns:
            Whether we have been stopped, and continued since, as far as that can be told.
        """
        if self._stoppable:
            self._stop(0)
        return self._stoppable

    def _stop(self, pid: int) -> None:
        self._terminal.leave()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(pid, signal.SIGTSTP)  # returns when we are continued
        self._reactor.on_signal(signal.SIGTSTP, lambda: self._stop(os.getpid()))
        self._attend()

    def _continued(self) -> None:
        # Whoever had the terminal meanwhile has set and used it.
        self._terminal.is_raw = False
        self._attend()

    def _attend(self) -> None:
        """Use the terminal if it is ours; else look again later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closed:
            return
        if not self._terminal.is_ours():
            self._terminal.is_raw = False
            self._reactor.remove_reader(0)
            self._timer = self._reactor.call_later(_POLL, self._attend)
            return
        if not self._terminal.is_raw:
            self._terminal.make_raw()
            self._returned()
        if not self._paused:
            self._reactor.add_reader(0, self._read)

    def _read(self) -> None:
        if not self._terminal.is_ours():
            self._attend()
            return
        try:
            data = os.read(0, _READ_SIZE)
        except BlockingIOError:  # somebody else has set the descriptor non-blocking
            return
        except OSError:
            data = b""
        if data:
            self._typed(data)
        elif not self._terminal.is_ours():
            self._attend()
        elif _hung_up(0):
            self.close()

    def close(self) -> None:
        """Read no more; the terminal is left as it is."""
        self._closed = True
        self._reactor.remove_reader(0)
        if self._timer is not None:
            self._timer.cancel()


def _hung_up(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return any(mask & (select.POLLHUP | select.POLLERR) for _, mask in poll.poll(0))
