"""What there is to say of one broker, section by section."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fluxstart_tui.diagnose.words import halted, ids, printable, where
from fluxstart_tui.probe import processes
from fluxstart_tui.session import events
from fluxstart_tui.tui.broker_log import SEVERITIES
from fluxstart_tui.tui.widgets import looks
from fluxstart_tui.tui.widgets.countdown import bar
from fluxstart_tui.tui.widgets.lines_paint import GLYPHS
from fluxstart_tui.tui.widgets.paint import clock, span
from fluxstart_tui.tui.widgets.sheet import heading, note, pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluxstart_tui.probe.processes import Group
    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.tui.broker_log import Record
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.stacks import Gathering
    from fluxstart_tui.tui.widgets.sheet import Row
    from fluxstart_tui.tui.widgets.tails import Tail

SECTIONS = ("Overview", "Process", "Environment", "Sockets", "Attributes", "Waits", "Stacks")
"""The last two are about all brokers."""
OUTPUT = 12
"""Lines of output in the overview."""
_ERROR = 3
"""Severity of RFC 5424 up to which a record is an error."""
_FULL = 24
"""Ranks of a group that are told apart by name."""


def unreadable(model: Model, rank: int) -> str:
    """Return why a rank's process can not be looked at; "" if it can."""
    broker = model.state.broker(rank)
    if broker.spawned is None:
        return "it has not been started yet"
    if broker.exit is not None:
        return "not available: its process has ended"
    if model.replay is not None or not model.session.live:
        return "not available: this session is only a record"
    here = os.uname().nodename.partition(".")[0]
    hosts = {str(model.header.get("host") or ""), model.host(rank)}
    if any(host.partition(".")[0] != here for host in hosts):
        return f"not available: it runs on {model.host(rank)}"
    return ""


class PmiSteps:
    """When ranks came to the phases of their PMI conversation.

    Args:
        model: the session.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._seen = 0
        self._steps: dict[int, list[tuple[float, str]]] = {}

    def of(self, rank: int) -> list[tuple[float, str]]:
        """Return time and phase of each step of a rank until now, since it was started last."""
        timed = self._model.events
        for t, event in timed[self._seen :]:
            if type(event) is events.Pmi:
                nth = f" {event.barrier}" if event.phase == "barrier" else ""
                self._steps.setdefault(event.rank, []).append((t, f"PMI {event.phase}{nth}"))
            elif type(event) is events.Barrier:
                for steps in self._steps.values():
                    if steps[-1][1].startswith("PMI barrier"):
                        steps.append((t, "PMI get"))
        self._seen = len(timed)
        spawned = self._model.state.broker(rank).spawned or 0.0
        now = self._model.now
        return [step for step in self._steps.get(rank, []) if spawned <= step[0] <= now][-20:]


def overview(
    model: Model,
    rank: int,
    tail: Tail,
    steps: Sequence[tuple[float, str]] = (),
    log: Sequence[Record] = (),
) -> list[Row]:
    """Return its way until now, how it ended, its errors, its last output and log records."""
    state, broker = model.state, model.state.broker(rank)
    rows: list[Row] = []
    parent = model.parent(rank)
    children = frozenset(one for one in range(model.size) if model.parent(one) == rank)
    stopped = f", {halted(state, broker)}" if broker.suspended is not None else ""
    facts = [("place", where(state, broker) + stopped)]
    facts += [("TBON parent", "none" if parent is None else f"rank {parent}")]
    facts += [("children", ids(children))] if children else []
    if broker.overlay and broker.running:
        before = ", as before it was stopped" if broker.suspended is not None else ""
        facts.append(("overlay status", f"{broker.overlay}, its parent says{before}"))
    facts += [("started", f"{broker.spawns} times")] if broker.spawns > 1 else []
    rows += heading("Where it is") + pairs(facts)
    if broker.exit is not None:
        rows += _ended(model, broker)
    if broker.errors:
        rows += heading("Errors it logged")
        for t, text in broker.errors[-8:]:
            rows.append(((f"   {clock(t):>6}  ", "dim"), (printable(text, 1000), "warn")))
    rows += heading("Transitions") + _transitions(model, broker, steps)
    rows += heading("Last output")
    if not tail.lines:
        rows += note("it has printed nothing")
    for stream, line in tail.lines:
        glyph, kind = GLYPHS.get(stream, GLYPHS[0])
        rows.append(((f"   {glyph} ", kind), (line.text[:1000], "plain")))
    rows += heading("Last log records")
    if not log:
        rows += note("none")
    for one in log:
        tone = "warn" if one.severity <= _ERROR else "plain"
        head = f"   {one.t:9.3f} s  {SEVERITIES[one.severity]:<7} {one.app}: "
        rows.append(((head, "dim"), (one.text[:1000], tone)))
    return rows


def _ended(model: Model, broker: BrokerState) -> list[Row]:
    end = broker.exit
    assert end is not None
    facts = [("how", looks.end(broker) if looks.end(broker) != "0" else "exited with code 0")]
    facts += [("when", f"{broker.exit_t:.3f} s")]
    facts += [("cause", end.cause + (f": {end.detail}" if end.detail else ""))]
    facts += [("core file", end.core)] if end.core else []
    failed = looks.look(broker).tone
    rows = heading("How it ended") + pairs(facts, failed if failed in ("bad", "warn") else "plain")
    trace = model.state.backtraces.get(broker.rank)
    if trace:
        rows += heading("Backtrace")
        rows += [(("   ", "plain"), (printable(line, 1000), "plain")) for line in trace.split("\n")]
    return rows


def _transitions(model: Model, broker: BrokerState, pmi: Sequence[tuple[float, str]]) -> list[Row]:
    if broker.spawned is None:
        return note("it has not been started yet")
    known = [(broker.spawned, "started", f"pid {broker.pid}")]
    known += [(t, phase, "") for t, phase in pmi]
    known += [(step.t, step.state, step.event) for step in broker.transitions]
    known += [(begin, "stopped", halted(model.state, broker)) for begin, _ in broker.stops]
    known += [(end, "goes on", "") for _, end in broker.stops if end is not None]
    known.sort()
    if broker.exit is not None:
        known.append((broker.exit_t, "exit", looks.end(broker)))
    ends: list[float | None] = [t for t, _, _ in known[1:]]
    ends.append(None if broker.exit is not None else model.now)
    return [
        _step(t, state, event, None if end is None else end - t)
        for (t, state, event), end in zip(known, ends, strict=True)
    ]


def _step(t: float, state: str, event: str, spent: float | None) -> Row:
    lasted = span(spent) if spent is not None else ""
    slow = "warn" if spent is not None and spent > 5 and state not in ("run", "quorum") else "plain"
    return (
        (f"   {t:9.3f} s  ", "dim"),
        (f"{printable(state, 16):<16} ", "strong"),
        (f"{lasted:>7}  ", slow),
        (printable(event, 200), "dim"),
    )


def process(model: Model, rank: int) -> list[Row]:
    """Return its arguments, what it runs (rc1, the initial program...), and its threads."""
    reason = unreadable(model, rank)
    if reason:
        return note(reason)
    pid = model.state.broker(rank).pid
    executable, directory = processes.places(pid)
    rows = heading("Arguments")
    rows += pairs((str(at), one) for at, one in enumerate(processes.argv(pid)))
    rows += heading("Place") + pairs([("executable", executable), ("directory", directory)])
    runs = processes.children(pid)
    rows += heading("What it runs" if runs else "It runs no other process")
    for one in runs:
        head = f"   {one.pid:>7} {'  ' * one.depth}"
        command = printable(one.command, 300)
        rows.append(((head, "dim"), (command, "strong"), (f"  {one.doing}", "dim")))
    threads = processes.threads(pid)
    rows += heading(f"{len(threads)} threads, and what each waits in")
    rows += pairs((f"{one.tid:>7} {one.name}", one.doing) for one in threads)
    return rows


def environment(model: Model, rank: int) -> list[Row]:
    """Return its environment, what differs from rank 0's first."""
    reason = unreadable(model, rank)
    if reason:
        return note(reason)
    own = processes.environ(model.state.broker(rank).pid)
    rows: list[Row] = []
    if rank and not unreadable(model, 0):
        first = processes.environ(model.state.broker(0).pid)
        rows += heading("Difference to rank 0") + difference(own, first)
    rows += heading(f"Environment, {len(own)} variables") + pairs(sorted(own.items()))
    return rows


def difference(own: dict[str, str], first: dict[str, str]) -> list[Row]:
    """Return what one environment has more, less or different than rank 0's."""
    rows: list[Row] = []
    for name in sorted(own.keys() | first.keys()):
        if own.get(name) == first.get(name):
            continue
        shown = printable(name, 60)
        if name in first:
            rows.append(((f"   - {shown}=", "dim"), (printable(first[name], 4000), "dim")))
        if name in own:
            rows.append(((f"   + {shown}=", "good"), (printable(own[name], 4000), "plain")))
    return rows or note("none")


def sockets(model: Model, rank: int) -> list[Row]:
    """Return its sockets."""
    reason = unreadable(model, rank)
    if reason:
        return note(reason)
    found = processes.sockets(model.state.broker(rank).pid)
    rows = heading(f"{len(found)} sockets")
    for one in found:
        head = f"   {one.fd:>4}  {one.kind:<5} {one.state:<12} "
        rows.append(((head, "dim"), (printable(one.name, 300), "plain")))
    return rows


def attributes(model: Model, rank: int) -> list[Row]:
    """Return the attributes that are known: rank 0's."""
    known = model.state.attributes
    if not known:
        return note("no attributes are known yet")
    rows = heading("Attributes" if not rank else "Attributes of rank 0 (others are not asked)")
    return rows + pairs(sorted(known.items()))


def waits(groups: Sequence[Group] | None, reason: str) -> list[Row]:
    """Return what all brokers wait in, those that wait in the same together."""
    if reason:
        return note(reason)
    if groups is None:
        return note("looking at all threads...")
    rows = heading("What the threads of all brokers wait in, equal ones together")
    for group in groups:
        count = len(group.ranks)
        rows += [(), ((f"   {count} rank{'s' if count > 1 else ''}: ", "strong"),
                      (ids(group.ranks, _FULL * 3), "title"))]  # fmt: skip
        rows += [(("      ", "plain"), (printable(one, 200), "plain")) for one in group.threads]
    return rows


def stacks(gathering: Gathering | None, reason: str) -> list[Row]:
    """Return where the threads of all brokers are, those at the same place together."""
    if gathering is None:
        return note(reason or "looking at the brokers...")
    total = len(gathering.wanted)
    rows = heading("Where the threads of all brokers are, equal stacks together")
    if gathering.running:
        progress = f"   {gathering.done} of {total} brokers {bar(gathering.done / total, 12)} "
        rows.append(((progress, "info"), ("Esc", "title"), (" stops it", "dim")))
    elif gathering.cancelled:
        rows += note(f"stopped: {gathering.done} of {total} brokers were looked at")
    if gathering.left_out:
        rows += note(f"{gathering.left_out} more are not looked at: choose the ranks to look at")
    if gathering.problem:
        rows.append(((f"   {gathering.problem}: what threads wait in is shown", "warn"),))
    for one in gathering.stacks():
        name = "main thread" if one.thread == "main" else f"thread {printable(one.thread, 40)}"
        count = len(one.ranks)
        times = f" x{one.threads}" if one.threads > count else ""
        rows += [(), ((f"   {name}{times}, {count} rank{'s' * (count > 1)}: ", "strong"),
                      (ids(one.ranks, _FULL * 3), "title"))]  # fmt: skip
        rows += [(("      ", "plain"), (printable(frame, 200), "plain")) for frame in one.frames]
    return rows
