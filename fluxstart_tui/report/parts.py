"""What a summary says of ranks: how far they came, how they ended, what they said last."""

from __future__ import annotations

import re
from typing import NamedTuple

from fluxstart_tui.diagnose import failure, interrupt, progress
from fluxstart_tui.diagnose.launch.state import Probe
from fluxstart_tui.diagnose.words import ending, ids, printable, seconds, who

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fluxstart_tui.diagnose.interrupt import Failure
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
    end: str
    """How they ended, "" while they run."""


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


def consequences(state: InstanceState, first: Failure | None) -> list[str]:
    """Tell what the first failure led to: other failures, kills, in the order of their times."""
    named = set(first.ranks) if first is not None else set()
    alike: dict[str, list[tuple[float, int]]] = {}
    for rank, broker in state.brokers.items():
        end = broker.exit
        bad = end is not None and (end.code or end.signum)
        told = first is not None and first.kind == "program" and rank == 0
        if end is not None and bad and rank not in named and not told:
            alike.setdefault(ending(end), []).append((broker.exit_t, rank))
    signal = interrupt.interrupted(state)
    lines = [(signal.t, signal.text)] if signal is not None and signal != first else []
    for how, found in alike.items():
        at = min(found)[0]
        was = "was " if len(found) == 1 else "were "
        was = was if how.startswith("killed") else ""
        ranks = [rank for _, rank in found]
        armed = state.timer.cause if state.timer is not None and "exit timer" in how else ""
        # Nothing new if it is the first failure that armed it.
        known = first is not None and first.ranks and armed.startswith(f"rank {first.ranks[0]} ")
        since = f" (armed by: {printable(armed, 80)})" if armed and not known else ""
        lines.append((at, f"at {seconds(at)} {who(ranks)} {was}{how}{since}"))
    return [line for _, line in sorted(lines)[:_GROUPS]]


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


def groups(state: InstanceState, before: InstanceState) -> list[Group]:
    """Return all ranks, those that came equally far and ended alike together."""
    alike: dict[tuple[str, str], list[int]] = {}
    for rank in range(state.size):
        end = state.broker(rank).exit
        # Where a broker was when it was killed, or where it has come to if it ended in order.
        orderly = end is not None and not end.code and not end.signum
        seen = state if orderly else before
        key = (failure.place(seen, seen.broker(rank)), ending(end) if end is not None else "")
        alike.setdefault(key, []).append(rank)
    found = [Group(ids(ranks), len(ranks), place, end) for (place, end), ranks in alike.items()]
    if len(found) > _GROUPS:
        rest = [rank for ranks in list(alike.values())[_GROUPS - 1 :] for rank in ranks]
        found[_GROUPS - 1 :] = [Group(ids(rest), len(rest), "elsewhere", "in other ways")]
    return found


def steps(state: InstanceState) -> list[Step]:
    """Return the phases of the launch that not all ranks are through, to the first nobody is."""
    found = []
    for phase in progress.phases(state):
        if phase.name == "run":
            break
        if not phase.complete:
            missing = ids(phase.missing) if phase.k else ""
            found.append(Step(phase.name, phase.k, phase.total, missing))
        if not phase.k:
            break
    return found


def looks(state: InstanceState, ranks: Iterable[int]) -> list[str]:
    """Return how processes looked from outside when the time of the instance was up."""
    if state.timeout is None:
        return []
    seen = [one for one in map(state.broker, ranks) if one.probe_t >= state.timeout[1].after]
    found = [(one.rank, Probe.of(0, "", one.probe).text) for one in seen if one.probe is not None]
    return [printable(f"rank {rank}: {text}") for rank, text in found]


def backtrace(state: InstanceState, ranks: Sequence[int]) -> list[str]:
    """Return the innermost frames of the thread that crashed, or of the first one, of a rank.

    Args:
        state: the instance.
        ranks: who failed, of whom the first counts.
    """
    text = state.backtraces.get(ranks[0], "") if ranks else ""
    # gdb lists thread 1, which is the one that crashed, last.
    _, found, crashed = text.rpartition("\nThread 1 ")
    lines = (crashed.partition("\n")[2] if found else text).splitlines()
    frames = [printable(line) for line in lines if line.strip()][:_FRAMES]
    # Of what hangs it is told before which process that is (engine/capture.py).
    return [printable(text.partition("\n")[0]), *frames] if found and state.timeout else frames


def output(state: InstanceState, rank: int, tail: Tail | None) -> Output:
    """Return what a rank said last; records that are among the lines of its output only once."""
    errors = [printable(text) for _, text in state.broker(rank).errors[-_RECORDS:]]
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
