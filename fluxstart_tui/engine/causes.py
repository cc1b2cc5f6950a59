"""Why a broker ended, as far as can be known from outside it."""

from __future__ import annotations

import glob
import os
import signal

from fluxstart_tui.engine.oom import OomKills
from fluxstart_tui.rfc import idset
from fluxstart_tui.session.events import Exit, Signal
from fluxstart_tui.session.signals import signame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from fluxstart_tui.engine.record import Record

    class Broker(Protocol):
        """A broker's process, whoever has started it."""

        @property
        def rank(self) -> int:
            """Its rank."""

        @property
        def pid(self) -> int:
            """Its pid, not reused yet."""


_FAULTS = frozenset(
    (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS,
     signal.SIGTRAP, signal.SIGQUIT, signal.SIGXCPU, signal.SIGXFSZ)
)  # fmt: skip
"""Signals of which the default is a core: what a fault in the program raises, above all."""


class Causes:
    """Remembers what was done to brokers, and explains their ends.

    Args:
        record: told of each signal of ours.
        lost_parent: tells whether a rank was seen to lose its TBON parent.
        group_had: tells whether a signal went to our whole process group.
    """

    def __init__(
        self,
        record: Record,
        lost_parent: Callable[[int], bool],
        group_had: Callable[[int], bool],
    ) -> None:
        self._record = record
        self._lost_parent = lost_parent
        self._group_had = group_had
        self._sent: dict[int, tuple[int, str, str]] = {}
        self._oom = OomKills()

    def signalled(self, ranks: Iterable[int], signum: int, cause: str, by: str) -> None:
        """Take that ranks are sent a signal by us.

        Args:
            ranks: whom.
            signum: the signal.
            cause: one of events.CAUSES that explains an end by it.
            by: who wanted it, in words.
        """
        ranks = set(ranks)
        self._record.event(Signal(idset.encode(ranks), signum, by))
        for rank in ranks:
            self._sent[rank] = (signum, cause, by)

    def settled(self, broker: Broker) -> None:
        """Note where the OOM killer would count a broker, now that its wrapper has placed it."""
        self._oom.follow(broker.rank, broker.pid)

    def explain(self, broker: Broker, status: int) -> Exit:
        """Explain the end of a broker that has a wait status but is not forgotten yet."""
        signum = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = 128 + signum if signum else os.waitstatus_to_exitcode(status)
        sent = self._sent.pop(broker.rank, None)
        cause, detail, core = "exit", "", ""
        if not signum:
            if code and self._lost_parent(broker.rank):
                cause = "parent"
            elif sent is not None:
                detail = f"after {signame(sent[0])}: {sent[2]}"
        elif sent is not None and sent[0] == signum:
            cause, detail = sent[1], sent[2]
        elif signum == signal.SIGKILL and (rise := self._oom.rise(broker.rank)):
            cause = "oom"
            detail = f"its cgroup counted {rise} OOM kill{'s' if rise > 1 else ''} since it started"
        elif self._group_had(signum):
            cause, detail = "shutdown", f"{signame(signum)} to our process group"
        elif signum in _FAULTS:
            cause = "crash"
        else:
            cause, detail = "sender", "not sent through this program"
        if os.WIFSIGNALED(status) and os.WCOREDUMP(status):
            core, note = _core(broker.pid, signum)
            detail = "; ".join(part for part in (detail, note) if part)
        return Exit(broker.rank, broker.pid, code, signum, cause, detail, core)


def in_words(end: Exit) -> tuple[str, str | None]:
    """Return how a broker has ended, and what the user is told of it as by flux start, if he is."""
    if end.signum:
        return f"was killed by {signame(end.signum)}", signal.strsignal(end.signum)
    if end.code > 0:
        return f"exited with rc={end.code}", f"exited with rc={end.code}"
    return "exited", None


def _core(pid: int, signum: int) -> tuple[str, str]:
    """Find the core file that a process has left (core(5)).

    Returns:
        Its path, "" if it is not to be found; and in that case what is known instead.
    """
    try:
        with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
            pattern = file.read().rstrip("\n")
        with open("/proc/sys/kernel/core_uses_pid", encoding="ascii") as file:
            uses_pid = file.read().strip() != "0"
    except OSError:
        return "", "it left a core file"
    if pattern.startswith("|"):
        return "", f"its core was given to {pattern[1:].split(' ')[0]}"
    known = {
        "%": "%", "p": pid, "P": pid, "i": pid, "I": pid, "u": os.getuid(), "g": os.getgid(),
        "s": signum, "h": os.uname().nodename,
    }  # fmt: skip
    parts = pattern.split("%")
    path = glob.escape(parts[0])
    skip = False
    for part in parts[1:]:
        if skip:  # what follows the second of two percent signs
            path, skip = path + glob.escape(part), False
        elif part == "":
            path, skip = path + "%", True
        else:
            value = known.get(part[0])
            path += ("*" if value is None else glob.escape(str(value))) + glob.escape(part[1:])
    if uses_pid and "%p" not in pattern:
        path += f".{pid}"
    found = glob.glob(os.path.join(os.getcwd(), path))
    if not found:
        return "", "it left a core file that is not to be found"
    return max(found, key=os.path.getmtime), ""
