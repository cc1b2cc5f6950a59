"""Two sessions side by side: what was slower, where they went apart, and how each ended."""

from __future__ import annotations

import json
from typing import NamedTuple

from fluxstart_tui.diagnose.launch.changes import Changes
from fluxstart_tui.diagnose.phase_times import Phase, times
from fluxstart_tui.diagnose.words import code, ending, printable, seconds, who
from fluxstart_tui.report import diagnosis, launch_log
from fluxstart_tui.report.divergence import Apart, divergence
from fluxstart_tui.rfc import idset
from fluxstart_tui.session.events import Finding
from fluxstart_tui.session.reader import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fluxstart_tui.session.events import Exit
    from fluxstart_tui.session.state import InstanceState

_SHOWN = 10
"""Groups of exits, and findings of a side, that the text has."""


class Side(NamedTuple):
    """One of the two."""

    directory: str
    command: str
    size: int
    code: int | None
    """Exit code of the instance, None if its record has no end."""
    phases: dict[str, Phase]
    apart: Apart | None
    """Its first event that the other has not."""
    findings: list[tuple[str, str]]
    """What hinders it, and not the other: ids of rules and sentences."""

    def came(self, phase: str) -> float | None:
        """Return when the last rank came to a phase, None unless all did."""
        found = self.phases.get(phase, Phase())
        return found.last if len(found.ranks) == self.size else None

    @property
    def end(self) -> str:
        """How it ended, in words."""
        return "no end is recorded" if self.code is None else code(self.code)


class Comparison(NamedTuple):
    """What two sessions have not in common."""

    a: Side
    b: Side
    exits: list[tuple[frozenset[int], Exit | None, Exit | None]]
    """Ranks that ended otherwise, and how in each; None if no end of theirs is recorded."""

    @property
    def phases(self) -> list[tuple[str, float | None, float | None]]:
        """The phases of both in order, with the time of each at which all ranks had come there."""
        names = dict.fromkeys((*self.a.phases, *self.b.phases))
        return [(name, self.a.came(name), self.b.came(name)) for name in names]


def compare(first: str, second: str) -> Comparison:
    """Compare two sessions.

    Args:
        first: directory of one.
        second: of the other.

    Raises:
        SessionError: one of them is none.
    """
    sessions = Session(first), Session(second)
    apart = divergence(*(session.events() for session in sessions))
    fresh: list[tuple[str, str]] = []
    changes = Changes(lambda one: fresh.append((one.id, one.sentence)))
    changes.since(diagnosis.report(launch_log.read(first)).findings)
    fresh.clear()
    news = changes.since(diagnosis.report(launch_log.read(second)).findings)
    gone = [(one.id, one.sentence) for one in news if isinstance(one, Finding) and one.over]
    a = _side(sessions[0], apart[0], gone)
    b = _side(sessions[1], apart[1], fresh)
    return Comparison(a, b, _exits(*(session.state for session in sessions)))


def _side(session: Session, apart: Apart | None, findings: list[tuple[str, str]]) -> Side:
    state, argv = session.state, session.header.get("argv")
    words = [one for one in argv if isinstance(one, str)] if isinstance(argv, list) else []
    end = state.end.code if state.end is not None else None
    command = printable(" ".join(words))
    return Side(session.path, command, state.size, end, times(state), apart, findings)


def _exits(
    a: InstanceState, b: InstanceState
) -> list[tuple[frozenset[int], Exit | None, Exit | None]]:
    """Return how ranks of both ended, those alike together, where that is not the same."""
    groups: dict[tuple[Any, Any], list[int]] = {}
    for rank in range(min(a.size, b.size)):
        mine, its = a.broker(rank).exit, b.broker(rank).exit
        if _how(mine) != _how(its):
            groups.setdefault((_how(mine), _how(its)), []).append(rank)
    return [
        (frozenset(ranks), a.broker(ranks[0]).exit, b.broker(ranks[0]).exit)
        for ranks in groups.values()
    ]


def _how(end: Exit | None) -> tuple[int, int, str] | None:
    return None if end is None else (end.code, end.signum, end.cause)


def as_text(found: Comparison, prog: str = "fluxstart-tui") -> str:
    """Return a comparison as text.

    Args:
        found: the comparison.
        prog: name of the program, the prefix of the first line.
    """
    sides = (("A", found.a), ("B", found.b))
    lines = [f"{prog}: comparison of two sessions"]
    for name, side in sides:
        where = printable(side.directory, 4096)
        lines.append(f"  {name}: {where}: {_brokers(side.size)}, {side.end}")
    if found.a.command != found.b.command:
        lines += [f"  {name} ran: {side.command}" for name, side in sides]
    lines.append("  seconds from the start until the last rank came to a phase:")
    lines.append(f"  {'phase':<10}{'A':>10}{'B':>10}{'B - A':>10}{'B / A':>8}")
    for name, one, other in found.phases:
        cells = f"{_cell(found.a, name):>10}{_cell(found.b, name):>10}"
        if one is not None and other is not None:
            cells += f"{other - one:>+10.3f}" + (f"{other / one:>8.2f}" if one > 0 else "")
        lines.append(f"  {name:<10}{cells}")
    lines += _apart(found)
    for ranks, mine, its in found.exits[:_SHOWN]:
        lines.append(f"  {who(ranks)}: in A {_end(mine)}, in B {_end(its)}")
    for name, side in sides:
        for rule, sentence in side.findings[:_SHOWN]:
            lines.append(f"  found in {name} only: [{rule}] {printable(sentence, 500)}")
    return "".join(f"{line}\n" for line in lines)


def _brokers(size: int) -> str:
    return f"{size} broker{'' if size == 1 else 's'}"


def _cell(side: Side, phase: str) -> str:
    """Return when all ranks had come to a phase, or how many did."""
    t = side.came(phase)
    if t is not None:
        return f"{t:.3f}"
    ranks = side.phases.get(phase, Phase()).ranks
    return f"{len(ranks)}/{side.size}" if ranks else "-"


def _apart(found: Comparison) -> list[str]:
    if found.a.apart is None and found.b.apart is None:
        return ["  events: the same in both, but for times"]
    lines = ["  first event of one that the other has not:"]
    for name, side, other in (("A", found.a, "B"), ("B", found.b, "A")):
        if side.apart is not None:
            at, what = seconds(side.apart.t), side.apart.sentence
            lines.append(f"    {name} at {at}: {what}; in {other}: {side.apart.instead}")
    return lines


def _end(end: Exit | None) -> str:
    return "no end is recorded" if end is None else ending(end)


def as_json(found: Comparison) -> str:
    """Return a comparison as JSON, ASCII only."""

    def side(one: Side) -> dict[str, Any]:
        fields = one._asdict()
        fields["phases"] = {
            name: {"first": phase.first, "last": phase.last, "ranks": idset.encode(phase.ranks)}
            for name, phase in one.phases.items()
        }
        if one.apart is not None:
            fields["apart"] = one.apart._asdict() | {"ranks": idset.encode(one.apart.ranks)}
        fields["findings"] = [{"id": rule, "sentence": text} for rule, text in one.findings]
        return fields

    data = {
        "a": side(found.a),
        "b": side(found.b),
        "phases": [
            {
                "phase": name,
                "a": one,
                "b": other,
                "difference": None if one is None or other is None else other - one,
                "ratio": other / one if one and other is not None else None,
            }
            for name, one, other in found.phases
        ],
        "exits": [
            {"ranks": idset.encode(ranks), "a": one and one._asdict(), "b": its and its._asdict()}
            for ranks, one, its in found.exits
        ],
    }
    return json.dumps(data, indent=2) + "\n"
