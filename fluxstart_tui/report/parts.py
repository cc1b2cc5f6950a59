"""What a summary says of ranks: how far they came, how they ended, what they said last."""

from __future__ import annotations

import re
from typing import NamedTuple

from fluxstart_tui.diagnose import failure, interrupt, progress
from fluxstart_tui.diagnose.launch.state import Probe
from fluxstart_tui.diagnose.words import ending, ids, ordinal, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fluxstart_tui.diagnose.interrupt import Failure
    from fluxstart_tui.session import events
    from fluxstart_tui.session.events import Exit
    from fluxstart_tui.session.state import InstanceState

    Tail = Callable[[int], list[str]]

_FOCUS = 3
"""Of how many ranks log records and last lines are shown."""

_RECORDS, _LINES = 3, 6
"""How many of each."""

_CONTROLS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0a-\x1f\x7f]"
)
_HANGUP = re.compile(r"rc2\.\d+: .* Hangup \(rc=129\)")
"""How rank 0 tells that its program has ended by the signal by which it was told to."""

_FRAMES = 6

_GROUPS = 8
"""How many groups of ranks are told apart."""


class Group(NamedTuple):
    """Ranks that came equally far and ended alike."""

    ranks: str
    number: int
    where: str
    """Where they were last, or when the time of the instance was up."""
    end: str
    """How they ended, "" while they run."""
    first: float | None = None
    last: float | None = None
    """When the first and the last of them ended, in seconds since the session's start."""
    detail: str = ""
    """What more is known of their end, such as the path of a core file."""


class Step(NamedTuple):
    """A phase that not all ranks are through (diagnose/progress.py)."""

    name: str
    k: int
    total: int
    missing: str


class Output(NamedTuple):
    """What a rank that matters said last."""

    rank: int
    errors: list[str]
    """Its last log records of severity err or worse."""
    lines: list[str]
    """The last lines of its output."""


def blamed(state: InstanceState, first: Failure | None) -> list[int]:
    """Return the ranks that failed, or else that do not run, or that are waited for."""
    if first is not None and first.ranks:
        return list(first.ranks)
    halted = [rank for rank, one in state.brokers.items() if one.running and one.suspended]
    if halted:
        return sorted(halted)
    behind = [phase.missing for phase in progress.phases(state) if 0 < phase.k < phase.total]
    return sorted(behind[0]) if behind else []


def focus(state: InstanceState, first: Failure | None) -> list[int]:
    """Return the ranks whose words may explain the failure: who failed, who was waited for."""
    ranks = blamed(state, first)
    if first is None or not first.ranks:
        # It is rank 0 that complains of others.
        ranks = [*ranks[:_FOCUS], 0]
    started = [rank for rank in dict.fromkeys(ranks) if state.broker(rank).spawned is not None]
    return started[:_FOCUS]


def groups(state: InstanceState, before: InstanceState, most: int = _GROUPS) -> list[Group]:
    """Return all ranks, those that came equally far and ended alike together.

    Args:
        state: the instance.
        before: the same before its end was asked for.
        most: how many groups are told apart.
    """
    alike: dict[tuple[str, str, str], list[int]] = {}
    for rank in range(state.size):
        end = state.broker(rank).exit
        # Where a broker was when it was killed, or where it has come to if it ended in order.
        orderly = end is not None and not end.code and not end.signum and state.timeout is None
        key = (place(state if orderly else before, rank), _end(state, rank), _detail(end))
        alike.setdefault(key, []).append(rank)
    kinds = list(alike.items())
    found = [
        Group(ids(ranks), len(ranks), where, end, *_ended(state, ranks), detail)
        for (where, end, detail), ranks in kinds
    ]
    if len(found) > most:
        rest = [rank for _, ranks in kinds[most - 1 :] for rank in ranks]
        other = Group(ids(rest), len(rest), "elsewhere", "in other ways", *_ended(state, rest))
        found[most - 1 :] = [other]
    return found


def place(state: InstanceState, rank: int) -> str:
    """Return where a rank is, and whether something keeps it from running."""
    broker = state.broker(rank)
    halted = broker.running and broker.suspended is not None
    return failure.place(state, broker) + (", suspended" if halted else "")


def _end(state: InstanceState, rank: int) -> str:
    """Return how a rank ended, and in which state if it was left to itself for a while."""
    broker = state.broker(rank)
    if broker.exit is None:
        return ""
    late = state.timeout is not None and broker.exit.cause == "timer" and broker.state
    there = f" in {broker.state}" if late and ordinal(broker.state) > ordinal("run") else ""
    return ending(broker.exit) + there


def _detail(end: Exit | None) -> str:
    if end is None or end.cause in ("timer", "user"):  # told by its end already
        return ""
    return printable(end.core or end.detail, 200)


def _ended(state: InstanceState, ranks: Iterable[int]) -> tuple[float | None, float | None]:
    times = [one.exit_t for one in map(state.broker, ranks) if one.exit is not None]
    return min(times, default=None), max(times, default=None)


def steps(state: InstanceState) -> list[Step]:
    """Return the phases of the launch that some ranks are through, but not all."""
    found = []
    for phase in progress.phases(state):
        if phase.name == "run":
            break
        if 0 < phase.k < phase.total:
            found.append(Step(phase.name, phase.k, phase.total, ids(phase.missing)))
    return found


def looks(state: InstanceState, ranks: Iterable[int]) -> list[str]:
    """Return how processes looked from outside when the time of the instance was up."""
    if state.timeout is None:
        return []
    seen = [one for one in map(state.broker, ranks) if one.probe_t >= state.timeout[1].after]
    found = [(one.rank, one.probe) for one in seen if one.probe is not None]
    return [printable(f"rank {rank}: {_look(probe)}") for rank, probe in found]


def _look(probe: events.Probe) -> str:
    """Return how a process looked, its state with what it means."""
    state = f"state {probe.state}"
    meaning = {"T": "stopped by a signal", "t": "halted by a debugger", "S": "asleep"}
    known = f"{state} ({meaning[probe.state]})" if probe.state in meaning else state
    return Probe.of(0, "", probe).text.replace(state, known, 1)


def backtrace(state: InstanceState, ranks: Sequence[int]) -> list[str]:
    """Return the innermost frames of the thread that crashed, or of the first one, of a rank.

    Args:
        state: the instance.
        ranks: who failed, or is to be looked at; the first counts of whom there is one.
    """
    text = next((state.backtraces[rank] for rank in ranks if rank in state.backtraces), "")
    # gdb lists thread 1, which is the one that crashed, last.
    _, found, crashed = text.rpartition("\nThread 1 ")
    lines = (crashed.partition("\n")[2] if found else text).splitlines()
    frames = [printable(line) for line in lines if line.strip()][:_FRAMES]
    # Of what hangs it is told before which process that is (engine/capture.py).
    return [printable(text.partition("\n")[0]), *frames] if found and state.timeout else frames


def output(state: InstanceState, rank: int, tail: Tail | None) -> Output:
    """Return what a rank said last; records that are among the lines of its output only once."""
    until = interrupt.patience(state)
    told = [text for t, text in state.broker(rank).errors if t < until]
    errors = [printable(text) for text in told[-_RECORDS:]]
    lines: list[str] = []
    if tail is not None:
        try:
            lines = [printable(_plain(line)) for line in tail(rank)[-4 * _LINES :]]
        except OSError:  # the disk with the session has gone bad; the rest is worth printing
            lines = ["(its output can not be read)"]
    # Records go to stderr too, so most of them are among the last lines.
    said = [text.partition(": ")[2] or text for text in errors]
    lines = [line for line in lines if line.strip() and not line.endswith(tuple(said))]
    if interrupt.interrupted(state) is not None:
        errors = [text for text in errors if not _HANGUP.search(text)]
    return Output(rank, errors, lines[-_LINES:])


def _plain(line: str) -> str:
    """Return what a terminal would show of a line: its last text, without sequences and controls.

    Sequences are those of ECMA-48: CSI, strings such as a window's title, and single ones.
    """
    return _CONTROLS.sub("", line.rstrip("\r").rpartition("\r")[2])
