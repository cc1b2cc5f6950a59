"""What an instance of the soak test is, and how it may end: pure functions of a seed."""

from __future__ import annotations

import random
import signal
from typing import NamedTuple

TIMEOUT = 1.0
"""--test-exit-timeout, in seconds."""

PROGRAMS: dict[str, int | None] = {
    "true": 0,
    "exit 3": 3,
    "sleep 99": None,
    "trap '' HUP; while :; do sleep 0.1; done": None,
    "seq 50000": 0,
    "kill -9 $$": 137,
    "sleep 0.3; exit 5": 5,
    "kill -STOP $$; exit 4": 4,
}
"""Initial programs and their exit codes if they end by themselves, or are continued."""

_MODES = ("headless", "record", "record", "label", "ui", "ui", "launcher", "singleton")
_POINTS = ("init", "barrier1", "barrier2", "finalized", "rc1")
_ACTIONS = ("stop", "hang", "exit=0", "exit=7", "signal=9", "signal=11", "flood=1")
_HABITS = ("unconnected", "silent", "ignore-term", "ignore-shutdown")
_HARMLESS = ("flood=1",)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
UNCATCHABLE = (signal.SIGKILL, signal.SIGQUIT)


class Plan(NamedTuple):
    """One instance."""

    seed: int
    mode: str
    size: int
    program: str
    fault: str
    """A fault of the embedded broker's, NAME=VALUE without `fault.`, or empty."""
    whom: str
    """engine, group, ui, guardian, broker, terminal, pipe, reader; empty if nothing is done."""
    signum: int
    delay: float
    """Seconds until it is done."""
    late: bool
    """Whether they count from when brokers are there, and not from the start."""

    @property
    def recorded(self) -> bool:
        """Whether there is a session."""
        return self.mode in ("record", "ui", "launcher", "singleton")

    @property
    def untimed(self) -> bool:
        """Whether there is no exit timer: a program that ignores one signal takes two to end."""
        return self.mode in ("singleton", "launcher")


def make(seed: int, largest: int = 128) -> Plan:
    """Return what a seed makes.

    Args:
        seed: any number.
        largest: brokers at most.
    """
    dice = random.Random(seed)
    mode = dice.choice(_MODES)
    size = 128 if dice.random() < 0.04 else dice.choice((1, 2, 2, 3, 4, 6, 8, 12, 16, 24, 32))
    limit = {"singleton": 1, "launcher": 6}.get(mode, largest)
    size = min(size, limit)
    fault = ""
    if dice.random() < 0.4 and mode not in ("singleton", "launcher"):
        ranks = dice.choice(("0", f"{size - 1}", f"{dice.randrange(size)}", f"0-{size}"))
        if dice.random() < 0.7:
            fault = f"{dice.choice(_POINTS)}={ranks}:{dice.choice(_ACTIONS)}"
        else:
            fault = f"{dice.choice(_HABITS)}={ranks}"
    whoms = ["", "engine", "engine", "engine", "group", "broker", "guardian"]
    whoms += ["ui", "ui", "terminal"] if mode == "ui" else ["pipe", "reader"]
    whom = dice.choice(whoms)
    signum = dice.choice((*_SIGNALS, *_SIGNALS, *UNCATCHABLE, signal.SIGSTOP))
    if whom == "guardian":
        signum = signal.SIGKILL
    delay = dice.choice((dice.uniform(0, 0.3), dice.uniform(0, 1.5)))
    program, late = dice.choice(list(PROGRAMS)), dice.random() < 0.6
    return Plan(seed, mode, size, program, fault, whom, signum, delay, late)


def may_end(plan: Plan, code: int, asked: tuple[int, ...]) -> bool:
    """Return whether an instance may end with a code: `docs/using.md`, Signals and cleaning up.

    Whether a signal came before the program began to listen, or after the instance had ended by
    itself, is not known here.

    Args:
        plan: what it was.
        code: its exit code, negative for a signal.
        asked: signals that the engine or the UI got before that, in their order.
    """
    if code < 0:
        return -code in asked
    if _disturbed(plan):  # the highest code of all brokers, which their session tells
        return True
    allowed: set[int | None] = {PROGRAMS[plan.program], *(128 + one for one in asked)}
    if plan.whom == "reader" and plan.program.startswith("seq"):
        allowed |= {1, 128 + signal.SIGPIPE}
    if asked and plan.untimed:  # whose code is the broker's or the launcher's own
        allowed |= {1, *(128 + one for one in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL))}
    return code in allowed


def _disturbed(plan: Plan) -> bool:
    """Return whether brokers end other than as their program and signals to the engine say."""
    harmless = not plan.fault or plan.fault.endswith(_HARMLESS)
    return not harmless or (plan.whom == "broker" and plan.signum != signal.SIGSTOP)
