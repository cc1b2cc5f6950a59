"""The post-mortem of an instance as plain data; report/text.py prints it."""

from __future__ import annotations

import json
import math
import shlex
from typing import NamedTuple

from fluxstart_tui.diagnose import failure, interrupt, rewind
from fluxstart_tui.diagnose.doing import sentence
from fluxstart_tui.diagnose.words import ids, printable, seconds
from fluxstart_tui.report import parts
from fluxstart_tui.report.aftermath import aftermath
from fluxstart_tui.session import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from fluxstart_tui.diagnose.interrupt import Failure
    from fluxstart_tui.session.state import InstanceState

    Tail = Callable[[int], list[str]]


_TIMER = "--test-exit-timeout"
_LISTED = 5
"""How many things of a kind are named."""


class Summary(NamedTuple):
    """What there is to say of an instance; texts are printable ASCII."""

    outcome: str
    """success, failed, interrupted, timeout (its time was up), running, or unfinished: its record
    has no end."""
    simple: bool
    """Whether there is no more to it than an initial program that failed."""
    size: int
    time: float
    """Seconds from the start to the end or to what is known last."""
    code: int | None
    signum: int
    asker: str
    """Who asked for the end, "" if a signal or nobody did."""
    first: Failure | None
    """What went wrong first."""
    faults: list[str]
    """Options that asked for what went wrong."""
    then: list[str]
    """What followed from that."""
    restarted: list[str]
    """Ranks that were started more than once, and when they were last."""
    doing: str
    """What the instance did or waited for before it was killed, or does now."""
    groups: list[parts.Group]
    steps: list[parts.Step]
    quorum: str
    timer: str
    pmi: list[str]
    """PMI aborts and violations but for the first failure."""
    looks: list[str]
    """How processes that matter looked when time was up."""
    backtrace: list[str]
    """Where the rank that crashed first did so, or is when time is up, as a debugger says."""
    outputs: list[parts.Output]
    lost: list[str]
    """What was not recorded."""
    command: str
    broker: str
    host: str
    start: str
    directory: str
    """The session's directory, "" if there is none."""


def summarize(
    header: dict[str, Any],
    state: InstanceState,
    tail: Tail | None = None,
    *,
    directory: str = "",
    live: bool = False,
) -> Summary:
    """Sum up an instance.

    Args:
        header: session.json; anything may be missing or of the wrong type.
        state: what it has come to.
        tail: gives the last lines of a rank's output, if there is any.
        directory: where its session is.
        live: whether it still runs, so that the lack of an end means nothing.
    """
    first = failure.first(state)
    end = state.end
    outcome = _outcome(state, live)
    topology = header.get("topology") or state.attributes.get("tbon.topo")
    parent = tree.parents(topology if isinstance(topology, str) else None, state.size)
    killed = interrupt.killed(state)
    then = rewind.rewind(state, killed) if killed is not None else state
    told = killed is not None or end is None
    focus = parts.focus(then, first)
    late = first is not None and first.kind == "timeout"
    return Summary(
        outcome=outcome,
        simple=_simple(state, first),
        size=state.size,
        time=state.t if math.isfinite(state.t) else 0.0,
        code=end.code if end is not None else None,
        signum=end.signum if end is not None else 0,
        asker=interrupt.asker(state),
        first=first,
        faults=_faults(header) if outcome not in ("success", "running") else [],
        then=aftermath(state, first, parent, _TIMER if header.get("mode") == "test" else ""),
        restarted=_restarted(state),
        doing=printable(sentence(then, then.t, parent, past=end is not None), 400) if told else "",
        groups=parts.groups(state, then),
        steps=parts.steps(then) if outcome not in ("success", "running") else [],
        quorum=_quorum(then),
        timer=_timer(state),
        pmi=_pmi(state, first),
        looks=parts.looks(state, focus),
        backtrace=parts.backtrace(state, focus if late else first.ranks if first else ()),
        outputs=[parts.output(state, rank, tail) for rank in focus] if outcome != "success" else [],
        lost=_lost(state),
        command=printable(shlex.join(_words(header.get("argv"))), 300),
        broker=_broker(header),
        host=_text(header, "host"),
        start=_text(header, "start"),
        directory=printable(directory, 4096),
    )


def as_json(summary: Summary) -> str:
    """Return a summary as JSON, ASCII only."""
    fields: dict[str, Any] = summary._asdict()
    first = summary.first
    if first is not None:
        fields["first"] = first._asdict() | {"t": first.t if math.isfinite(first.t) else None}
    for name in ("groups", "steps", "outputs"):
        fields[name] = [one._asdict() for one in fields[name]]
    return json.dumps(fields, indent=2)


def _outcome(state: InstanceState, live: bool) -> str:
    if state.end is None:
        return "running" if live else "unfinished"
    if state.end.signum:
        return "interrupted"
    asked = interrupt.interrupted(state)
    if asked is not None and asked.kind == "timeout":
        return "timeout"
    return "failed" if state.end.code else "success"


def _simple(state: InstanceState, first: Failure | None) -> bool:
    """Tell whether an initial program failed and everything else was as it should be."""
    if first is None or first.kind != "program" or state.end is None or state.end.signum:
        return False
    ends = [broker.exit for broker in state.brokers.values()]
    fine = all(
        end is not None and not end.signum and (end.code == 0 or end.rank == 0) for end in ends
    )
    leader = state.broker(0).exit
    same = leader is not None and leader.code == state.end.code
    return fine and same and not (state.aborts or state.violations or state.lost)


def _restarted(state: InstanceState) -> list[str]:
    anew = [one for one in state.brokers.values() if one.spawns > 1 and one.spawned is not None]
    told = [
        f"rank {one.rank} at {seconds(one.spawned or 0.0)} ({one.spawns} starts in all)"
        for one in anew[:_LISTED]
    ]
    left = len(anew) - _LISTED
    return [*told, f"and {left} more"] if left > 0 else told


def _faults(header: dict[str, Any]) -> list[str]:
    """Return the attributes by which an embedded broker was told to fail."""
    words = [printable(word, 120) for word in _words(header.get("argv"))]
    marks = ("-Sfault.", "--setattr=fault.", "fault.")
    return [word for word in words if word.startswith(marks)][:_LISTED]


def _pmi(state: InstanceState, first: Failure | None) -> list[str]:
    told = (first.kind, first.ranks[0]) if first is not None and first.ranks else None
    lines = [
        f"abort by rank {one.rank}, code {one.code}: {one.text}"
        for _, one in state.aborts
        if told != ("abort", one.rank)
    ]
    lines += [
        f"violation by rank {one.rank}: {one.text}"
        for _, one in state.violations
        if told != ("violation", one.rank)
    ]
    return [printable(line, 200) for line in lines[:_LISTED]]


def _quorum(state: InstanceState) -> str:
    if not state.quorum or state.broker(0).state not in ("quorum", "init", "join"):
        return ""
    return f"{len(state.online)} of {state.quorum} brokers online ({ids(state.online) or 'none'})"


def _timer(state: InstanceState) -> str:
    timer = state.timer
    if timer is None or timer.action == "cancelled":
        return ""
    cause = f" since {printable(timer.cause, 120)}" if timer.cause else ""
    if timer.action == "fired":
        return f"fired at {seconds(state.timer_t)}, armed{cause}"
    return f"{printable(timer.action, 20)}{cause}"


def _lost(state: InstanceState) -> list[str]:
    sums: dict[tuple[str, str], int] = {}
    for one in state.lost:
        sums[one.what, one.reason] = sums.get((one.what, one.reason), 0) + one.bytes
    return [
        printable(f"{max(0, size):,} bytes of {what} ({reason})", 120)
        for (what, reason), size in list(sums.items())[:_LISTED]
    ]


def _text(header: dict[str, Any], name: str) -> str:
    value = header.get(name)
    return printable(value, 120) if isinstance(value, str) else ""


def _words(value: object) -> Iterable[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _broker(header: dict[str, Any]) -> str:
    parts = [_text(header, name) for name in ("broker_kind", "broker_version", "broker")]
    return " ".join(filter(None, parts))
