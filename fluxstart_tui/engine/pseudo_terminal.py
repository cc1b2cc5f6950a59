"""A pty of the engine's: its modes, its size, and which of its programs has it."""

from __future__ import annotations

import fcntl
import os
import signal
import termios
from typing import NamedTuple

from fluxstart_tui.engine import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.terminal import Terminal

_IUTF8 = 0o40000
"""Input is UTF-8: a character that is erased may be several bytes (asm-generic/termbits.h)."""

_SIZE = 24, 80
"""Rows and columns where nobody says how large it is shown."""

_SIGNALS = (
    (termios.VINTR, signal.SIGINT),
    (termios.VQUIT, signal.SIGQUIT),
    (termios.VSUSP, signal.SIGTSTP),
)


class Discipline(NamedTuple):
    """How a terminal deals with control characters (termios(3))."""

    signals: bool
    """Whether some of them make signals."""
    flushes: bool
    """Whether these drop what has been typed before."""
    echoes: bool
    """Whether they are shown, as ^C."""
    characters: dict[int, int]
    """The signals that they make."""


class PseudoTerminal:
    """A pty that one session at a time runs on.

    Args:
        terminal: gives it settings and size; without, it gets usual ones.
        size: rows and columns, if they are known.
    """

    def __init__(self, terminal: Terminal | None, size: tuple[int, int] | None = None) -> None:
        # Our slave is kept open: without one the master fails until the rank has opened its own.
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self.name = os.ttyname(self.slave)
        self.leader = 0
        """Pid of the session's leader, which is its process group too; 0 while there is none."""
        if terminal is not None and terminal.is_ours():
            terminal.copy_to(self.slave)
        else:  # what it is set to in the background is for the shell's line editor
            modes = termios.tcgetattr(self.slave)
            modes[0] |= _IUTF8
            termios.tcsetattr(self.slave, termios.TCSANOW, modes)
        self.resize(*(size or _SIZE))
        if terminal is not None:
            self.copy_size(0)

    def close(self) -> None:
        """Close it: its session is hung up."""
        os.close(self.slave)
        os.close(self.master)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return termios.tcgetwinsize(self.master)

    def resize(self, rows: int, columns: int) -> None:
        """Set the size, 65535 by 65535 at the most; the foreground group is told by SIGWINCH."""
        termios.tcsetwinsize(self.master, (rows, columns))

    def copy_size(self, fd: int) -> None:
        """Take over the size of another terminal."""
        try:
            size = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
        except OSError:
            pass  # that one is gone

    def discipline(self) -> Discipline:
        """Return how control characters are dealt with at present."""
        *_, lflag, _, _, characters = termios.tcgetattr(self.master)
        known = {characters[key][0]: int(signum) for key, signum in _SIGNALS}
        known.pop(0, None)  # _POSIX_VDISABLE: there is no such character
        return Discipline(
            bool(lflag & termios.ISIG),
            not lflag & termios.NOFLSH,
            bool(lflag & termios.ECHO and lflag & termios.ECHOCTL),
            known,
        )

    def foreground(self) -> int:
        """Return the foreground process group, 0 if there is none but the leader's own."""
        try:
            group = os.tcgetpgrp(self.master)
            if group in (0, self.leader):
                return 0
            os.killpg(group, 0)
        except OSError:
            return 0
        return group

    def stopped_foreground(self) -> int | None:
        """Return the foreground process group if it is stopped and no shell will continue it.

        A ^Z makes vim stop itself, and the broker that has started it just waits.
        """
        group = self.foreground()
        if group == 0:
            return None
        first = processes.read(group)
        if first is None or first.state in "ZX":
            others = processes.table().values()
            first = next((process for process in others if process.pgrp == group), None)
        if first is None or first.state != "T":
            return None
        parent = processes.read(first.ppid)
        owned = parent is not None and parent.pgrp not in (group, self.leader)
        return None if owned else group

    def signal_foreground(self, signum: int) -> None:
        """Signal the foreground process group, if there is one."""
        _signal_group(self.foreground(), signum)

    def signal_leader(self, signum: int) -> None:
        """Signal the leader's process group, if there is one."""
        _signal_group(self.leader, signum)


def _signal_group(group: int, signum: int) -> None:
    if group:
        try:
            os.killpg(group, signum)
        except OSError:
            pass
