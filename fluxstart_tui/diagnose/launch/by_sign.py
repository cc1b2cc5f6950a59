"""Findings that a line tells by itself: one for each signature that was met."""

from __future__ import annotations

import math

from fluxstart_tui.diagnose.launch.finding import PATIENCE, Finding, lines, named
from fluxstart_tui.diagnose.launch.first import ended as first_ended
from fluxstart_tui.diagnose.launch.signs_flux import EVENTS, FATAL, SHELL
from fluxstart_tui.diagnose.launch.signs_launcher import LAUNCHER
from fluxstart_tui.diagnose.launch.state import Stage
from fluxstart_tui.diagnose.launch.why import why
from fluxstart_tui.diagnose.words import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.diagnose.launch.launch import Launch
    from fluxstart_tui.diagnose.launch.signs import Sign
    from fluxstart_tui.diagnose.launch.state import Line


def launcher(launch: Launch, now: float | None) -> Iterator[Finding]:
    """Yield what the launcher says."""
    for sign in LAUNCHER.by_id.values():
        started = launch.allocated or any(rank.speaks for rank in launch.ranks.values())
        if sign.id == "L2" and (started or launch.quiet(now) < PATIENCE):
            continue
        if sign.id in FATAL.by_id:
            continue
        found = _finding(launch, sign)
        if found is None:
            continue
        ends = {n: rank.exit for n, rank in launch.ranks.items() if rank.exit is not None}
        if sign.id == "H2" and any(end.order[0] < math.inf for end in ends.values()):
            # It stumbled over one that was just gone.
            if "H1" in launch.hits:
                continue
            bad_end = LAUNCHER.by_id["H1"]
            found = found._replace(
                id="H1", sentence=bad_end.says, remedies=bad_end.remedies, tip=bad_end.tip
            )
        if found.id in ("D1", "H1", "K1", "O1") and (first := first_ended(launch)) is not None:
            found = found._replace(
                ranks=frozenset({first.rank}),
                sentence=f"{found.sentence.partition(';')[0]}: {first.says}",
                evidence=lines((*found.evidence, *launch.ranks[first.rank].evidence)),
                remedies=(*why(launch, first.rank), *found.remedies),
                confidence="certain" if first.sure else "likely",
            )
        yield found


def brokers(launch: Launch) -> Iterator[Finding]:
    """Yield what brokers, or the shells that were to start them, died of."""
    for sign in {**SHELL.by_id, **FATAL.by_id}.values():
        found = _finding(launch, sign)
        if found is not None:
            if sign.id == "R1":
                more = [line for r in found.ranks for line in launch.rank(r).stderr[:3]]
                found = found._replace(evidence=lines((*found.evidence, *more)))
            yield found


def events(launch: Launch) -> Iterator[Finding]:
    """Yield what has happened after the brokers were up."""
    for sign in EVENTS.by_id.values():
        if sign.id == "Q0" and not (launch.waited and launch.leader.stage == Stage.QUORUM):
            continue  # the quorum was reached
        if sign.id == "X1" and launch.leader.stage < Stage.RUN:
            continue
        if sign.id == "X3":
            continue  # a broker may end all the same: ends.py
        found = _finding(launch, sign)
        if found is not None:
            yield found


def _finding(launch: Launch, sign: Sign) -> Finding | None:
    hits = launch.hits.get(sign.id, [])
    if sign.id == "F1":  # a login script may miss something named flux as well
        hits = [hit for hit in hits if not launch.rank(hit.line.rank or 0).speaks]
    if sign.id == "P7" and launch.at(Stage.INIT, Stage.EXIT):  # something has mended the answer
        hits = [hit for hit in hits if hit.line.rank is not None]
    if not hits:
        return None
    ranks = frozenset(hit.line.rank for hit in hits if hit.line.rank is not None)
    best = max(hits, key=lambda hit: len(hit.groups))  # the first of those that tell most
    groups = [printable(group, 160) for group in best.groups]
    words = [*groups, *["?"] * (4 - len(groups))]
    same = {n for hit in hits if hit.groups == best.groups and (n := hit.line.rank) is not None}
    ranks_ = named(launch, same) if same else "a task"
    sentence = sign.says.format(*words, ranks=ranks_, launcher=launch.starter)
    others = ranks - same
    if others:
        sentence += f"; {named(launch, others)} likewise"
    evidence: tuple[Line, ...] = lines(hit.line for hit in hits)
    remedies = tuple(remedy.format(*words) for remedy in sign.remedies)
    return Finding(sign.id, sentence, ranks, evidence, remedies, sign.tip)
