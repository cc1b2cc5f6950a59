"""Faults on cue: what a real broker does by accident, this one does where a test wants it.

`-Sfault.POINT=IDSET:ACTION` has ranks act at a point of their lives, `-Sfault.HABIT=IDSET` gives
them a bad habit. These attributes are the embedded broker's own.
"""

from __future__ import annotations

import os
import resource
import time

from fluxstart_tui.broker.errors import UsageError
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.pmi_client import Script
else:
    import _signal as signal

USAGE = """\
Faults on cue, for tests (attributes of the embedded broker only):
  -Sfault.POINT=IDSET:ACTION   what brokers of these ranks do at a point:
     POINT   init, barrier1, barrier2: before that PMI request; finalized: after PMI;
             rc1: as rc1, in place of it
     ACTION  stop, hang, exit=CODE, signal=NUMBER, core (abort, with a core file),
             flood=MIB (write so much to stdout, and go on)
  -Sfault.HABIT=IDSET          what they always do:
     HABIT   unconnected: never connect to the parent; silent: connect and say no more;
             ignore-term: ignore SIGTERM; ignore-shutdown: stay when the parent goes
"""

FINALIZED = "finalized"
_INIT = "init"
_BARRIERS = ("barrier1", "barrier2")
_RC1 = "rc1"
_POINTS = (_INIT, *_BARRIERS, FINALIZED, _RC1)

UNCONNECTED = "unconnected"
SILENT = "silent"
_IGNORE_TERM = "ignore-term"
IGNORE_SHUTDOWN = "ignore-shutdown"
_HABITS = (UNCONNECTED, SILENT, _IGNORE_TERM, IGNORE_SHUTDOWN)

_PREFIX = "fault."
_MIB = 1 << 20


class Faults:
    """What one broker is to do wrong.

    Args:
        attrs: say it, for all ranks.

    Raises:
        UsageError: an attribute is not to be understood.
    """

    def __init__(self, attrs: Attributes) -> None:
        self._rank = -1
        self._ranks: dict[str, frozenset[int]] = {}
        self._deeds: dict[str, tuple[str, int]] = {}
        self._barriers = 0
        for fault, value in attrs.family(_PREFIX).items():
            self._parse(fault, value)

    def _parse(self, fault: str, value: str) -> None:
        ranks, colon, deed = value.partition(":")
        if fault not in _POINTS and fault not in _HABITS:
            raise UsageError(f"{_PREFIX}{fault}: unknown attribute")
        try:
            self._ranks[fault] = idset.decode(ranks)
            if not ranks:
                raise ValueError
            if fault in _POINTS:
                self._deeds[fault] = _parse_deed(deed)
            elif colon:
                raise ValueError
        except ValueError:
            raise UsageError(f"{_PREFIX}{fault}={value}: Invalid argument") from None

    def take_effect(self, rank: int, attrs: Attributes) -> None:
        """Begin to misbehave, now that the rank is known."""
        self._rank = rank
        if self.has(_RC1):
            action, argument = self._deeds[_RC1]
            attrs.set("broker.rc1_path", _ACTIONS[action].command.format(argument))
        if self.has(_IGNORE_TERM):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def has(self, fault: str) -> bool:
        """Return whether this broker has a habit, or something to do at a point."""
        return self._rank in self._ranks.get(fault, ())

    def strike(self, point: str) -> None:
        """Do what is to be done at a point, and go on if that leaves us alive."""
        if self.has(point):
            action, argument = self._deeds[point]
            _ACTIONS[action].act(argument)

    def over(self, script: Script) -> Script:
        """Follow a script, and strike before the requests that are points."""
        replies = None
        while True:
            try:
                requests = script.send(replies)  # type: ignore[arg-type] # None before the first
            except StopIteration:
                return
            if requests.startswith(b"cmd=init"):
                self.strike(_INIT)
            elif requests.startswith(b"cmd=barrier_in"):
                self.strike(_BARRIERS[self._barriers])
                self._barriers += 1
            replies = yield requests


def _parse_deed(text: str) -> tuple[str, int]:
    """Parse an action, `NAME` or `NAME=NUMBER`.

    Raises:
        ValueError: there is no such action, or the number is missing, wrong or too many.
    """
    name, equals, number = text.partition("=")
    limits = _ACTIONS[name].limits if name in _ACTIONS else None
    if limits is None or bool(equals) is not bool(limits):
        raise ValueError
    if not limits:
        return name, 0
    if not (number.isascii() and number.isdigit() and int(number) in limits):
        raise ValueError
    return name, int(number)


def _stop(_: int) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _hang(_: int) -> None:
    while True:
        time.sleep(3600)


def _exit(code: int) -> None:
    os._exit(code)


def _die(signum: int) -> None:
    try:
        signal.signal(signum, signal.SIG_DFL)
    except OSError:
        pass  # SIGKILL and SIGSTOP have no other disposition
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signum,))
    os.kill(os.getpid(), signum)


def _crash(_: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    os.abort()


def _flood(amount: int) -> None:
    line = b"x" * 1023 + b"\n"
    try:
        for _ in range(amount * _MIB // len(line)):
            os.write(1, line)
    except BrokenPipeError:
        pass  # nobody reads it: that ends the writing, and nothing else


class _Action:
    """Something to do: as a broker, or as a command.

    Args:
        act: does it, with the number that was given.
        command: does it for `sh -c`; `{}` is that number.
        limits: which numbers make sense; empty if none is to be given.
    """

    def __init__(self, act: Callable[[int], None], command: str, limits: range = range(0)) -> None:
        self.act = act
        self.command = command
        self.limits = limits


_ACTIONS = {
    "stop": _Action(_stop, "kill -STOP $$"),
    "hang": _Action(_hang, "exec sleep infinity"),
    "core": _Action(_crash, "ulimit -c unlimited; kill -ABRT $$"),
    "exit": _Action(_exit, "exit {}", range(256)),
    "signal": _Action(_die, "kill -{} $$", range(1, 65)),
    "flood": _Action(_flood, "head -c {}M /dev/zero | tr '\\0' x", range(1, 1025)),
}
