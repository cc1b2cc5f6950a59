"""The terminal that a rank runs on, rank 0 with the initial program: a pty of the engine's.

What is written to it is shown on our own terminal, if there is one, and recorded. What is typed
there, or comes from elsewhere, goes to it. The line discipline of the pty does what a terminal does
for a program; the engine only steps in where nobody would get a ^C or a ^Z.
"""

from __future__ import annotations

import errno
import os
import signal

from fluxstart_tui.engine.keyboard import Keyboard
from fluxstart_tui.engine.pseudo_terminal import PseudoTerminal
from fluxstart_tui.engine.pty_input import PtyInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.engine.pty_input import Done
    from fluxstart_tui.engine.terminal import Terminal, TerminalOutput
    from fluxstart_tui.reactor import Reactor

_CHUNK = 65536
"""Bytes that are passed on together, at the most."""

_BACKLOG_MAX = 65536
"""Bytes that may wait for a slow terminal before the program has to wait too. More would be shown
after the ^C that was meant to end it."""

_PENDING_MAX = 1 << 20
"""Bytes of input that may wait for a program to read. A ^C behind more than that is not seen."""

_LOOKS = (0.05, 0.2, 0.8)
"""Seconds after a ^Z at which we look whether a program has stopped that nobody will continue."""

_SUSPEND = b"\x1a"
"""What the key for suspension is to a program that has switched signals off, such as vim."""


class Console:
    """A pty, made at once.

    Args:
        reactor: the engine's loop.
        sink: takes all output of the pty, for the record.
        interrupt: called with SIGINT or SIGQUIT when its character was typed while no program had
            the terminal; None if the broker or what wraps it is to get these signals itself.
        terminal: our own terminal, whose settings and size the pty gets, or None.
        output: leads to that terminal; its `drained` calls ours.
        sized: told rows and columns, now and when they change, for the record.
        size: rows and columns that it begins with, unless our own terminal gives them.
    """

    def __init__(
        self,
        reactor: Reactor,
        sink: Callable[[bytes], None],
        interrupt: Callable[[int], None] | None,
        terminal: Terminal | None = None,
        output: TerminalOutput | None = None,
        sized: Callable[[int, int], None] = lambda _rows, _columns: None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self._reactor = reactor
        self._sink = sink
        self.interrupt = interrupt
        self._terminal = terminal
        self._output = output
        self._keyboard: Keyboard | None = None
        self._pty = PseudoTerminal(terminal, size)
        self._sized = sized
        self._size = self._pty.size
        sized(*self._size)
        self.slave = self._pty.name
        """The name to open, as session leader without a terminal, in order to run on it."""
        self._master = self._pty.master
        self._input = PtyInput(reactor, self._pty, self)
        self._full = False
        """Whether the program waits since our terminal takes no more."""
        self._suspended = False
        """Whether we have been suspended by a ^Z, and are not in the foreground since."""
        self._closed = False
        self._wake = -1
        if output is not None:
            self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            reactor.add_reader(self._wake, self._drained)
        reactor.add_reader(self._master, self._read)

    def start(self) -> None:
        """Make our own terminal raw and relay what is typed there, if there is one."""
        if self._terminal is not None:
            self._keyboard = Keyboard(
                self._reactor, self._terminal, self._typed, self._resized, self._returned
            )

    def spawned(self, pid: int) -> None:
        """Take note of the rank's process, which leads the session of this terminal."""
        self._pty.leader = pid

    def exited(self) -> None:
        """Take note of its end; another may be started."""
        self._pty.leader = 0
        self._relay()

    def drained(self) -> None:
        """Tell, from any thread, that our own terminal has taken some of its backlog."""
        if self._full:
            os.eventfd_write(self._wake, 1)

    def _drained(self) -> None:
        os.eventfd_read(self._wake)
        if self._full:
            # A backlog that others keep large does not keep us waiting: we add a piece whenever
            # one has been taken.
            self._full = False
            self._reactor.add_reader(self._master, self._read)

    def _read(self) -> None:
        self._relay()

    def _relay(self) -> bool:
        """Pass on what has been written to the pty; tell whether there may be more."""
        pieces: list[bytes] = []
        size = 0
        while size < _CHUNK:
            try:
                piece = os.read(self._master, _CHUNK)
            except BlockingIOError:
                break
            except OSError:  # nobody has it open, which is so only at the end
                piece = b""
            if not piece:
                self._reactor.remove_reader(self._master)
                break
            pieces.append(piece)
            size += len(piece)
        if pieces:
            self.show(b"".join(pieces))
        return size >= _CHUNK

    def show(self, data: bytes) -> None:
        """Record output and show it on our own terminal."""
        self._sink(data)
        if self._output is None:
            return
        self._output.write_processed(data)
        # Said first, since the thread that drains the backlog looks at it.
        self._full = True
        if self._output.backlog > _BACKLOG_MAX:
            self._reactor.remove_reader(self._master)
        else:
            self._full = False

    def input(self, data: bytes, done: Done) -> None:
        """Have something typed.

        Args:
            data: what is typed; an interrupt character acts as if it came from a keyboard.
            done: called with 0 once the pty has taken it, or with an errno: EAGAIN if too much
                waits already, EINTR if an interrupt has flushed it, EIO if the pty is gone.
        """
        if self._closed:
            done(errno.EIO)
        elif self._input.size and self._input.size + len(data) > _PENDING_MAX:
            done(errno.EAGAIN)
        else:
            self._input.type(data, done, ours=False)

    def _typed(self, data: bytes) -> None:
        self._input.type(data, None, ours=True)
        if self._keyboard is not None and self._input.size > _PENDING_MAX:
            self._keyboard.pause()
        if _SUSPEND in data:
            for delay in _LOOKS:
                self._reactor.call_later(delay, self._follow_into_suspension)

    def taken(self) -> None:
        """Take more from our own terminal if there is room."""
        if self._keyboard is not None and self._input.size <= _PENDING_MAX:
            self._keyboard.resume()

    def stopped_foreground(self) -> int | None:
        """Return the foreground process group if it is stopped and no shell will continue it."""
        return None if self._closed else self._pty.stopped_foreground()

    def describe(self) -> dict[str, int | None]:
        """Return its size, and the process group that `stopped_foreground` names."""
        rows, columns = self._size
        return {"rows": rows, "columns": columns, "stopped": self.stopped_foreground()}

    def resume_foreground(self) -> None:
        """Continue the foreground process group."""
        if not self._closed:
            self._pty.signal_foreground(signal.SIGCONT)

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the window, 65535 by 65535 at the most."""
        if not self._closed:
            self._pty.resize(rows, columns)
            self._tell_size()

    def _resized(self) -> None:
        if not self._closed:
            self._pty.copy_size(0)
            self._tell_size()

    def _tell_size(self) -> None:
        former, self._size = self._size, self._pty.size
        if self._size != former:
            self._sized(*self._size)

    def _follow_into_suspension(self) -> None:
        """Suspend ourselves if the program has: then the user wants the shell that has run us."""
        terminal = self._terminal
        if terminal is not None and terminal.is_ours() and self.stopped_foreground() is not None:
            self.suspend()

    def suspend(self) -> None:
        """Stop as a job of a shell, brokers included; return when we are continued."""
        if self._keyboard is None:
            return
        self._suspended = True
        # The leader's group is an orphan, which SIGTSTP does not stop (setpgid(2)).
        self._pty.signal_leader(signal.SIGSTOP)
        stopped = self._keyboard.suspend()
        self._pty.signal_leader(signal.SIGCONT)
        if not stopped:
            self._returned()

    def _returned(self) -> None:
        """Show what the pty has on a terminal that is ours again."""
        self._pty.copy_size(0)
        self._tell_size()
        if self._suspended:
            self._suspended = False
            self.resume_foreground()
        # What is drawn again is whole, even if the size is what it was.
        self._pty.signal_foreground(signal.SIGWINCH)

    def close(self) -> None:
        """Pass on what is left in the pty and close it, after which its session is hung up.

        Other processes may still have it open: they are not waited for.
        """
        if self._closed:
            return
        self._closed = True
        if self._keyboard is not None:
            self._keyboard.close()
        self._input.close()
        for _ in range(2):  # more than a pty holds; somebody may still write
            if not self._relay():
                break
        self._full = False
        self._reactor.remove_reader(self._master)
        if self._wake >= 0:
            self._reactor.remove_reader(self._wake)
        self._pty.close()
