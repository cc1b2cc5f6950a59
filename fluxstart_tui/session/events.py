"""The events of an instance: the one language in which engine, session and views speak.

A journal holds one JSON object a line: `{"t": seconds since the session's start, "e": kind, ...}`.
Events carry no time themselves; they are passed as pairs `(t, event)`. Sets of ranks are RFC 22
idsets, names of states and of their events are flux-core's (broker/state_machine.c).
"""

from __future__ import annotations

import json
import math
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Spawn(NamedTuple):
    """A broker process was started."""

    rank: int
    pid: int


class Exit(NamedTuple):
    """A broker process ended."""

    rank: int
    pid: int
    code: int
    """Exit code; 128 + signal number if it was killed."""
    signum: int = 0
    """The signal that killed it, 0 if none."""
    cause: str = "unknown"
    """One of CAUSES."""
    detail: str = ""
    """What is known beyond the cause: who signalled it, how sure that is."""
    core: str = ""
    """Path of the core file, if it left one that was found."""


CAUSES = (
    "exit",  # it ended by itself, with its own exit code
    "timer",  # the exit timer killed it
    "user",  # somebody signalled it through us; detail says by which road
    "shutdown",  # a signal to us or a PMI abort of its own ended the instance
    "abort",  # a PMI abort killed all
    "oom",  # the kernel's OOM killer
    "parent",  # its TBON parent was lost
    "crash",  # a signal that a fault in the program raises: SEGV, ABRT, BUS, FPE, ILL...
    "sender",  # a signal of which the sender is unknown
    "unknown",
)


class Signal(NamedTuple):
    """We signalled brokers."""

    ranks: str
    signum: int
    by: str
    """Who wanted it: "exit timer", "start.kill", "SIGTERM to the engine"..."""


class Pmi(NamedTuple):
    """A rank entered a phase of its PMI conversation."""

    rank: int
    phase: str
    """One of PMI_PHASES."""
    barrier: int = 0
    """How many barriers the rank has entered."""


PMI_PHASES = ("init", "put", "barrier", "get", "finalize", "closed")
"""What a rank does in PMI: it greets, publishes its card, waits in a barrier, reads the cards of
others after a barrier, is done; or its conversation ended without that."""


class Barrier(NamedTuple):
    """All ranks were in a PMI barrier and it was let go."""

    number: int


class Violation(NamedTuple):
    """A rank broke the PMI protocol; its conversation is over."""

    rank: int
    text: str


class Abort(NamedTuple):
    """A rank asked PMI to end the program."""

    rank: int
    code: int
    text: str


class Hold(NamedTuple):
    """Ranks are held in PMI on somebody's wish, or no longer."""

    ranks: str
    """All ranks held now."""
    barrier: bool = False
    """Whether the barrier is held."""


class State(NamedTuple):
    """A broker entered a state."""

    rank: int
    state: str
    event: str = ""
    """What led to it, "" if it was seen by asking."""
    former: str = ""
    spent: float = 0.0
    """Seconds in the former state."""


class Online(NamedTuple):
    """Who is in the group broker.online."""

    ranks: str


class Quorum(NamedTuple):
    """How many brokers are waited for, and how often that is complained of."""

    size: int
    warn: float = 60.0
    """Seconds between two `quorum delayed`; negative for never."""


class Overlay(NamedTuple):
    """A router's view of a child (flux-core: overlay.monitor)."""

    rank: int
    child: int
    status: str
    """full, partial, degraded, lost or offline."""


class Log(NamedTuple):
    """A broker's log record of severity err or worse; all of them are in the log stream."""

    rank: int
    severity: int
    app: str
    text: str


class Attr(NamedTuple):
    """An attribute of a broker (flux-broker-attributes(7))."""

    rank: int
    name: str
    value: str


class Backtrace(NamedTuple):
    """What a debugger says of a rank: of the core file that it left, or of what it hung in."""

    rank: int
    text: str


class Sample(NamedTuple):
    """What processes use; lists run parallel to the ranks of the idset in order."""

    ranks: str
    cpu: list[float]
    """Percent of one core since the last sample."""
    rss: list[int]
    """KiB."""
    threads: list[int]
    fds: list[int]
    states: str = ""
    """A letter for each, as proc(5) has them: R, S, D, T (stopped), Z..."""


class Timer(NamedTuple):
    """The exit timer was armed, extended, cancelled or has fired."""

    action: str
    deadline: float = -1.0
    """Seconds since the session's start; negative if there is none."""
    cause: str = ""
    """Why it runs."""
    ranks: str = ""
    """Whom it kills."""


class Program(NamedTuple):
    """The initial program was started, or has ended with this code."""

    action: str
    """"started" or "ended"."""
    code: int = 0
    text: str = ""
    """The command, as the broker's log names it."""


class Winsize(NamedTuple):
    """A rank's terminal has this size from now on."""

    rank: int
    rows: int
    columns: int


class Stopped(NamedTuple):
    """The program that has a rank's terminal was stopped, and no shell will continue it."""

    rank: int
    group: int
    """Its process group; 0 if it goes on, or is gone."""


class Size(NamedTuple):
    """The number of brokers is known now: a launcher's are counted when they tell."""

    size: int


class Probe(NamedTuple):
    """A broker was looked at from outside, since its launch came no further (probe/broker.py)."""

    rank: int
    pid: int
    state: str
    """Letter of proc(5): T is stopped, D waits for a device; empty if there is no process."""
    name: str = ""
    waits: str = ""
    threads: str = ""
    runs: str = ""
    listens: str = ""
    connects: str = ""
    files: str = ""
    says: str = ""
    """What it answers itself on its own socket."""


class Finding(NamedTuple):
    """Something hinders a launch, in the words of diagnose/launch."""

    id: str
    """The rule that found it."""
    ranks: str
    """Who is the cause."""
    sentence: str
    over: bool = False
    """Whether it does not hold any more."""


class Timeout(NamedTuple):
    """The time that the instance has as a whole is over (--timeout).

    Probes come before it and backtraces after it; they tell how it was then. The end that is asked
    for comes last.
    """

    after: float
    """Seconds that it had."""


class Message(NamedTuple):
    """A line of the engine for the user."""

    text: str


class Lost(NamedTuple):
    """Something was not recorded."""

    what: str
    """Which stream, or "journal"."""
    ranks: str
    bytes: int
    reason: str
    """Why: disk, limit, speed."""


class End(NamedTuple):
    """The instance is over."""

    code: int
    signum: int = 0
    """The signal to us that ended it, 0 if none."""


Event = (
    Spawn | Exit | Signal | Pmi | Barrier | Violation | Abort | Hold | State | Online | Quorum
    | Overlay | Log | Attr | Backtrace | Sample | Timer | Program | Winsize | Stopped | Size
    | Probe | Finding | Timeout | Message | Lost | End
)  # fmt: skip

KINDS: dict[str, type[Event]] = {
    kind.__name__.lower(): kind
    for kind in (
        Spawn, Exit, Signal, Pmi, Barrier, Violation, Abort, Hold, State, Online, Quorum,
        Overlay, Log, Attr, Backtrace, Sample, Timer, Program, Winsize, Stopped, Size, Probe,
        Finding, Timeout, Message, Lost, End,
    )
}  # fmt: skip

_INT_MAX = 2**53


def _is_int(value: object) -> bool:
    return type(value) is int and -_INT_MAX <= value <= _INT_MAX


def _is_float(value: object) -> bool:
    return (type(value) is float and math.isfinite(value)) or _is_int(value)


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "int": _is_int,
    "float": _is_float,
    "bool": lambda value: type(value) is bool,
    "str": lambda value: type(value) is str,
    "list[int]": lambda value: type(value) is list and all(map(_is_int, value)),
    "list[float]": lambda value: type(value) is list and all(map(_is_float, value)),
}


def _encode_list(values: list[Any]) -> str:
    return f"[{','.join(map(repr, values))}]"


_FORMATS: dict[str, tuple[str, Callable[[Any], str] | None]] = {
    "int": ("%d", None),  # an IntEnum such as signal.SIGTERM is a number here, too
    "float": ("%r", None),
    "bool": ("%s", lambda value: "true" if value else "false"),
    "str": ("%s", json.encoder.encode_basestring_ascii),
    "list[int]": ("%s", _encode_list),
    "list[float]": ("%s", _encode_list),
}
"""How a field is printed, and what makes its value printable."""


def _types(kind: type[Event]) -> list[tuple[str, str]]:
    """Return names and types of a kind's fields."""
    return [(name, its.__forward_arg__) for name, its in kind.__annotations__.items()]


_LINES = {
    kind: (
        f'{{"t":%.6f,"e":"{name}",'
        + ",".join(f'"{field}":{_FORMATS[its][0]}' for field, its in _types(kind))
        + "}\n",
        [(at, convert) for at, (_, its) in enumerate(_types(kind), 1)
         if (convert := _FORMATS[its][1])],
    )
    for name, kind in KINDS.items()
}  # fmt: skip
_FIELDS = {
    name: [(field, _CHECKS[its], field in kind._field_defaults) for field, its in _types(kind)]
    for name, kind in KINDS.items()
}


def encode(t: float, event: Event) -> str:
    """Return the journal's line for an event, its newline included; it is ASCII.

    A tenth of what json.dumps takes: a recorder does this beside an engine in a hurry.

    Args:
        t: seconds since the session's start.
        event: what happened then.
    """
    line, conversions = _LINES[type(event)]
    values = [t, *event]
    for at, convert in conversions:
        values[at] = convert(values[at])
    return line % tuple(values)


def decode(line: str | bytes) -> tuple[float, Event] | None:
    """Read one line of a journal.

    Returns:
        The time and the event, or None for what is none: a kind that is not known here, a torn
        line, a field that is missing or of the wrong type.
    """
    try:
        fields = json.loads(line if isinstance(line, str) else line.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or not _is_float(fields.get("t")):
        return None
    name = fields.get("e")
    if not isinstance(name, str) or name not in KINDS:
        return None
    values = {}
    for field, check, optional in _FIELDS[name]:
        if field in fields:
            if not check(fields[field]):
                return None
            values[field] = fields[field]
        elif not optional:
            return None
    return fields["t"], KINDS[name](**values)
