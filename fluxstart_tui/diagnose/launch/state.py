"""What is known of a launch: how far each rank has come, and which of its lines matter."""

from __future__ import annotations

import math
import re
from enum import IntEnum
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.session import events

NO_LINE = 0
"""Number of a line that is in no log: a session's journal knows of it."""

STALL = 2.0
"""Seconds without progress after which there may be a stall."""

KEPT = 5
"""Lines of one kind that are kept of a rank."""


class Stage(IntEnum):
    """How far a rank has come; each is entered by a line that says something was completed.

    flux-core traces a PMI operation when it is over (src/common/libpmi/upmi.c), so one that waits
    in the first barrier is at PUT.
    """

    SILENT = 0
    TRYING = 1
    """Looks for a PMI method."""
    CHOSEN = 2
    INIT = 3
    BOOT = 4
    """Knows its rank and size; needs -v."""
    PUT = 5
    """Has published its card."""
    BARRIER1 = 6
    BARRIER2 = 7
    FINALIZE = 8
    JOIN = 9
    SYNC = 10
    RC1 = 11
    QUORUM = 12
    RUN = 13
    CLEANUP = 14
    SHUTDOWN = 15
    EXIT = 16


PHASES: tuple[tuple[str, Stage], ...] = (
    ("spawned", Stage.TRYING),
    ("PMI init", Stage.INIT),
    ("put", Stage.PUT),
    ("barrier", Stage.PUT),
    ("get", Stage.BARRIER1),
    ("finalize", Stage.FINALIZE),
    ("join", Stage.JOIN),
    ("rc1", Stage.RC1),
    ("quorum", Stage.QUORUM),
    ("run", Stage.RUN),
    ("cleanup", Stage.CLEANUP),
    ("shutdown", Stage.SHUTDOWN),
    ("exit", Stage.EXIT),
)
"""The phases of diagnose/progress.py, and the stage with which each is reached."""

STATES = {
    "load-builtins": Stage.BOOT,
    "join": Stage.JOIN,
    "config-sync": Stage.SYNC,
    "init": Stage.RC1,
    "quorum": Stage.QUORUM,
    "run": Stage.RUN,
    "cleanup": Stage.CLEANUP,
    "shutdown": Stage.SHUTDOWN,
    "finalize": Stage.SHUTDOWN,
    "goodbye": Stage.SHUTDOWN,
    "unload-builtins": Stage.SHUTDOWN,
    "exit": Stage.EXIT,
}
"""flux-core's broker states (src/broker/state_machine.c)."""

WAITS = {
    Stage.SILENT: "silent",
    Stage.TRYING: "choosing a PMI method",
    Stage.CHOSEN: "in PMI init",
    Stage.INIT: "after PMI init",
    Stage.BOOT: "booting",
    Stage.PUT: "in PMI barrier 1",
    Stage.BARRIER1: "in PMI barrier 2",
    Stage.BARRIER2: "reading cards",
    Stage.FINALIZE: "done with PMI",
    Stage.JOIN: "join: waits for its parent",
    Stage.SYNC: "config-sync",
    Stage.RC1: "runs rc1",
    Stage.QUORUM: "quorum: waits for the others",
    Stage.RUN: "run",
    Stage.CLEANUP: "cleanup",
    Stage.SHUTDOWN: "shutting down",
    Stage.EXIT: "exited",
}
"""What a rank does at a stage."""


class Line(NamedTuple):
    """A line that says something, as evidence."""

    number: int
    """Its place in the log, from 1."""
    t: float | None
    """Seconds since the launch, None if the log has no times."""
    rank: int | None
    text: str


class Hit(NamedTuple):
    """A line that bears a known signature."""

    line: Line
    groups: tuple[str, ...]


_HANGUP = re.compile(r"\bHangup\b|\bSIGHUP\b|\bcode 129\b")

ENDED = "ended"
"""How a task ended of which no more is known yet than that."""


class Exit(NamedTuple):
    """How a task ended, as the launcher says or as was seen."""

    how: str
    """`exited with code 3`, `was killed`..."""
    line: Line

    @property
    def seen(self) -> bool:
        """Whether it was seen when it happened: launchers tell of it in any order."""
        return self.line.number == NO_LINE and self.line.t is not None

    @property
    def order(self) -> tuple[float, int]:
        """Less for who ended earlier, as far as that was seen."""
        return (self.line.t or 0.0) if self.seen else math.inf, self.line.number

    @property
    def hung_up(self) -> bool:
        """Whether SIGHUP has ended it."""
        return _HANGUP.search(self.how) is not None


class Probe(NamedTuple):
    """What was found when the process of a rank was looked at."""

    t: float
    """When; for one that is kept from running, since when that is known."""
    host: str
    pid: int
    state: str
    """Letter of proc(5): T is stopped, D waits for a device; empty where there is no process."""
    waits_in: str = ""
    """Where its main thread sleeps in the kernel (wchan)."""
    text: str = ""
    """What was seen, as evidence."""
    said: str = ""
    """What it has said itself when it was asked."""
    marks: tuple[str, ...] = ()
    """What changes from look to look while it gets on: its threads, children, descriptors."""

    @classmethod
    def of(cls, t: float, host: str, seen: events.Probe) -> Probe:
        """Make it of what a session tells."""
        parts = [f"process {seen.pid} ({seen.name}): state {seen.state or 'none'}"]
        parts += [f"in {seen.waits}"] if seen.waits else []
        parts += [f"runs {seen.runs}"] if seen.runs else []
        parts += [f"connections {seen.connects}"] if seen.connects else []
        said = f"asked on its socket: {seen.says}" if seen.says else ""
        marks = seen.threads, seen.runs, seen.files
        return cls(t, host, seen.pid, seen.state, seen.waits, ", ".join(parts), said, marks)

    @property
    def frozen(self) -> str:
        """Say how it is kept from running, to be put after `is`; empty if it is not."""
        return {
            "T": "suspended by a signal (SIGSTOP)",
            "t": "halted by a debugger",
            "D": "caught in a system call (state D: file system or device)",
            "Z": "dead (zombie)",
        }.get(self.state, "")

    def moved(self, former: Probe | None) -> bool:
        """Tell whether it gets on: something runs, or has changed since the look before."""
        changed = former is not None and former.marks != self.marks
        return changed or self.state == "R" or any("(running" in mark for mark in self.marks)


class Rank:
    """One task, by the rank that the launcher gives it."""

    def __init__(self) -> None:
        self.stage = Stage.SILENT
        self.since: float | None = None
        """When it entered the stage."""
        self.step: Line | None = None
        """The line by which it did."""
        self.trying = ""
        """PMI method that it tries; empty once that has answered."""
        self.methods: list[str] = []
        """Those that it has tried."""
        self.rejected: list[str] = []
        """Why it did not take some of them."""
        self.boot_size = 0
        """The size it was told, 0 if it was not told yet."""
        self.sized: Line | None = None
        """The line that told."""
        self.barriers_in = 0
        """PMI barriers it has entered, as far as a server's trace tells."""
        self.host = ""
        self.parent: int | None = None
        """Its parent in the overlay network, if the trace shows it."""
        self.card: Line | None = None
        """The line by which its card was published."""
        self.card_uris: tuple[str, ...] = ()
        """Its endpoints, as its card says."""
        self.errors: list[Line] = []
        """First lines of severity err or worse that say why it failed."""
        self.abnormal: Line | None = None
        """The line by which it told that a module had failed, which is all it says without -v."""
        self.stderr: list[Line] = []
        """What its rc1 has printed."""
        self.word: Line | None = None
        """The last line that is not in a log record's form, until its program may have begun."""
        self.failed = ""
        """The event by which it left the way to `run`: rc1-fail, parent-fail..."""
        self.exit: Exit | None = None
        self.ended = ""
        """How it has ended if that is no evidence: the launch was being stopped by then."""
        self.moved: float | None = None
        """When a look last showed that it gets on."""
        self.hello: dict[str, str] = {}
        self.network: dict[str, int] = {}
        """How often its socket to its parent was delayed, closed, retried..."""
        self.refused: Line | None = None
        """The line by which the handshake of a connection failed."""
        self.probe: Probe | None = None

    @property
    def speaks(self) -> bool:
        """Whether any line of Flux came from it."""
        return self.stage > Stage.SILENT or bool(self.errors)

    @property
    def frozen(self) -> str:
        """Say how it is kept from running, to be put after `is`; empty if it is not."""
        if self.probe is None or self.exit is not None:
            return ""
        return self.probe.frozen if self.probe.t >= (self.since or 0.0) else ""

    @property
    def evidence(self) -> list[Line]:
        """The lines that tell how it ended, or why."""
        return [*self.errors[:1], *([self.exit.line] if self.exit is not None else [])]

    @property
    def gone(self) -> bool:
        """Whether it has ended, or failed and will."""
        left = bool(self.failed) or self.stage >= Stage.SHUTDOWN
        return self.exit is not None or bool(self.errors) or left
