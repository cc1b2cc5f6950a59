"""What many runs of the same instance have in common, and which of them failed."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import NamedTuple

from fluxstart_tui.diagnose import failure
from fluxstart_tui.diagnose.phase_times import times
from fluxstart_tui.diagnose.words import code, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluxstart_tui.session.state import InstanceState

_NAMED = 20
"""Failed runs that the text names."""

_LATE = 3
"""Ranks that the text names as often the last."""


class Run(NamedTuple):
    """A run that has ended."""

    number: int
    """Counted from 1."""
    code: int
    """Exit code."""
    phases: dict[str, tuple[float, int | None]] = {}
    """When the last rank came to a phase to which all came, and who that was if it was one."""
    failure: str = ""
    """What went wrong first."""
    session: str = ""
    """Its directory, "" if there is none any more."""


class Row(NamedTuple):
    """A phase over several runs; each figure has occurred (the nearest-rank method), in seconds."""

    phase: str
    runs: int
    """In how many all ranks came to it."""
    min: float
    median: float
    p90: float
    max: float
    last: dict[int, int]
    """In how many runs a rank alone was the last, the most frequent first."""


def run(number: int, exit_code: int, state: InstanceState, session: str = "") -> Run:
    """Take from a run what is told of it.

    Args:
        number: counted from 1.
        exit_code: its exit code.
        state: what its instance has come to.
        session: the directory of its session, if it is kept.
    """
    phases = {
        name: (phase.last, phase.last_rank)
        for name, phase in times(state).items()
        if phase.last is not None and len(phase.ranks) == state.size
    }
    first = failure.first(state) if exit_code else None
    return Run(number, exit_code, phases, first.text if first is not None else "", session)


def distribution(runs: Sequence[Run]) -> list[Row]:
    """Return when phases were reached by all ranks, of the runs that succeeded."""
    good = [one for one in runs if not one.code]
    names = dict.fromkeys(name for one in good for name in one.phases)
    return [_row(name, [one.phases[name] for one in good if name in one.phases]) for name in names]


def _row(name: str, found: list[tuple[float, int | None]]) -> Row:
    ordered = sorted(t for t, _ in found)
    n = len(ordered)
    median, p90 = (ordered[math.ceil(q * n) - 1] for q in (0.5, 0.9))
    late = Counter(rank for _, rank in found if rank is not None)
    return Row(name, n, ordered[0], median, p90, ordered[-1], dict(late.most_common()))


def as_text(runs: Sequence[Run], prog: str = "fluxstart-tui") -> str:
    """Return what came of some runs as text.

    Args:
        runs: those that have ended by themselves.
        prog: name of the program, the prefix of the first line.
    """
    bad = [one for one in runs if one.code]
    lines = [f"{prog}: {_count(len(runs))}: {_outcome(runs, bad)}"]
    rows = distribution(runs)
    if rows:
        lines.append("  seconds from the start until the last rank came to a phase:")
        head = ("min", "median", "p90", "max")
        lines.append(f"  {'phase':<10}" + "".join(f"{one:>10}" for one in head) + "   last rank")
    for row in rows:
        figures = "".join(f"{one:10.3f}" for one in row[2:6])
        lines.append(f"  {row.phase:<10}{figures}   {_late(row)}".rstrip())
    for one in bad[:_NAMED]:
        why = f": {one.failure}" if one.failure else ""
        lines.append(f"  run {one.number}: {code(one.code)}{why}")
        if one.session:
            lines.append(f"      --show={printable(one.session, 4096)}")
    if len(bad) > _NAMED:
        lines.append(f"  and {len(bad) - _NAMED} more that failed")
    return "".join(f"{line}\n" for line in lines)


def _count(number: int) -> str:
    return f"{number} run{'' if number == 1 else 's'}"


def _outcome(runs: Sequence[Run], bad: Sequence[Run]) -> str:
    if not bad:
        return "none failed"
    codes = Counter(one.code for one in bad).most_common()
    how = ", ".join(f"{code(number)} in {_count(count)}" for number, count in codes)
    return f"{len(runs) - len(bad)} succeeded, {len(bad)} failed ({how})"


def _late(row: Row) -> str:
    """Name the ranks that were the last most often."""
    named = [f"{rank} in {count}" for rank, count in list(row.last.items())[:_LATE]]
    return ", ".join([*named, "..."] if len(row.last) > _LATE else named)


def as_json(runs: Sequence[Run]) -> str:
    """Return the same as JSON on one line, ASCII only, behind whatever the runs have printed."""
    rows = [
        row._asdict() | {"last": [{"rank": r, "runs": n} for r, n in row.last.items()]}
        for row in distribution(runs)
    ]
    failed = [
        {"run": one.number, "code": one.code, "failure": one.failure, "session": one.session}
        for one in runs
        if one.code
    ]
    return json.dumps({"runs": len(runs), "failed": failed, "phases": rows}) + "\n"
