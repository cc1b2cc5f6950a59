"""Who waits for whom in PMI (S1 to S4; S0 is in library.py): the culprit is who does not come."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

from fluxstart_tui.diagnose.launch import library
from fluxstart_tui.diagnose.launch.finding import (
    PATIENCE,
    SETTLE,
    Finding,
    be,
    end_of,
    kept,
    last_lines,
    lines,
    looks,
    named,
    resume,
    them,
    wait,
)  # fmt: skip
from fluxstart_tui.diagnose.launch.state import WAITS, Stage
from fluxstart_tui.diagnose.launch.why import why
from fluxstart_tui.diagnose.words import who

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.diagnose.launch.launch import Launch

_BARRIER = ("flux pmi -v --timeout=5s barrier   # under the same launcher",)


class _Sides(NamedTuple):
    """The ranks of a launch that is in PMI."""

    waiting: frozenset[int]
    """In the barrier that is the furthest anybody waits in."""
    dead: frozenset[int]
    silent: frozenset[int]
    early: frozenset[int]
    """Not that far yet, without having failed."""
    barrier: str


def stalls(launch: Launch, now: float | None) -> Iterator[Finding]:
    """Yield S0 to S4 if ranks wait in PMI."""
    if launch.over is not None or launch.singletons:
        return
    quiet = launch.quiet(now)
    if not launch.size and quiet >= PATIENCE:
        yield from _unexplained(launch)
    if launch.size < 2:
        return
    sides = _sides(launch)
    if quiet >= PATIENCE:
        yield from library.stuck(launch)
    # What is seen to be stopped needs no patience.
    stalled = quiet >= PATIENCE or any(launch.frozen(r) for r in launch.everyone)
    if not sides.waiting:
        return
    if sides.dead and quiet >= SETTLE:
        yield _dead(launch, sides)
    if sides.silent and stalled:
        yield _silent(launch, sides)
    early = sides.early - library.inside(launch)
    if early and stalled:
        yield _late(launch, sides, early)
    if stalled and not (sides.dead or sides.silent or sides.early):
        yield _undecided(launch, sides)


def _sides(launch: Launch) -> _Sides:
    second = launch.at(Stage.BARRIER1, Stage.BARRIER1)
    first = launch.at(Stage.PUT, Stage.PUT)
    # Without a trace nothing is seen between boot and join.
    blind = not (launch.traced or launch.served)
    if blind:
        first |= launch.at(Stage.BOOT, Stage.BOOT)
    waiting, barrier = (second, "PMI barrier 2") if second else (first, "PMI barrier 1")
    if launch.at(Stage.BARRIER2, Stage.CLEANUP):
        waiting = frozenset()  # the barriers are open: who is still there does not run
    gone = frozenset(r for r, rank in launch.ranks.items() if rank.gone)
    waiting = (waiting & launch.everyone) - gone
    within = launch.everyone - launch.at(Stage.JOIN, Stage.EXIT)
    dead = (gone & launch.everyone) - launch.at(Stage.JOIN, Stage.QUORUM)
    silent = frozenset(
        r for r in within - gone if r not in launch.ranks or not launch.ranks[r].speaks
    )
    if blind and launch.dated and not dead:
        waiting = frozenset()  # followers are mute before they have joined, so nobody is known to
    passed = launch.at(Stage.BARRIER2, Stage.FINALIZE)
    early = within - gone - silent - waiting - passed
    return _Sides(waiting, dead, silent, early, "PMI" if blind else barrier)


def _dead(launch: Launch, sides: _Sides) -> Finding:
    first = min(sides.dead, key=lambda number: _died(launch, number))
    rank = launch.ranks[first]
    others = sides.dead - {first}
    more = f", and so {be(launch, others)} {who(others)}" if others else ""
    return Finding(
        "S1",
        f"{named(launch, {first})} {be(launch, {first})} gone, it {end_of(rank)}{more};"
        f" {wait(launch, sides.waiting)} in vain for {them(sides.dead)} in {sides.barrier}",
        sides.dead,
        lines(
            (
                rank.exit.line if rank.exit is not None else None,
                *rank.errors[:2],
                rank.word,
                *last_lines(launch, sides.waiting)[:2],
            )
        ),
        (
            *why(launch, first),
            "srun --kill-on-bad-exit ...   # so that the rest ends too, once the cause is mended",
        ),
        "5",
    )


def _unexplained(launch: Launch) -> Iterator[Finding]:
    """Yield S1 for a log that tells neither sizes nor causes, as without -v."""
    found = {r: one for r, one in launch.ranks.items() if one.abnormal and one.exit}
    wait_ = launch.say("wait", "waited")
    if found:
        ends = [one.exit.line for one in found.values() if one.exit is not None]
        yield Finding(
            "S1",
            f"{who(found)} {be(launch, {min(found)})} gone, it {end_of(found[min(found)])} while it"
            f" booted, and this log does not tell why; the others {wait_} in vain",
            frozenset(found),
            lines([*(one.abnormal for one in found.values()), *ends]),
            ("flux start -o,-v ...   # tells why", "FLUX_PMI_DEBUG=1"),
            "5",
            "likely",
        )


def _died(launch: Launch, number: int) -> tuple[float, bool, int]:
    """Order dead ranks: as they were seen to die, or those that say why before others.

    Who got SIGHUP got it since another one had ended.
    """
    rank = launch.ranks[number]
    seen, line = rank.exit.order if rank.exit is not None else (math.inf, 0)
    if rank.exit is not None and rank.exit.hung_up and not rank.errors:
        return math.inf, True, line + (1 << 40)
    return seen, not rank.errors, rank.errors[0].number if rank.errors else line


def _silent(launch: Launch, sides: _Sides) -> Finding:
    without = {hit.line.rank for hit in launch.hits.get("F1", ())} & sides.silent
    greeted = frozenset(r for r in sides.silent if r in launch.ranks and launch.ranks[r].hello)
    frozen = kept(launch, sides.silent)
    if frozen:
        why = f"{_those(sides.silent)} {frozen}"
    elif without:
        why = f"flux was not found on {who([r for r in without if r is not None])}"
    elif greeted == sides.silent:
        why = "it was started, but its broker has said nothing"
    else:
        stopped = launch.say("is", "was")
        why = (
            f"it never started, ended without a word, {stopped} stopped, or its output"
            f" {stopped} not shown"
        )
    return Finding(
        "S2",
        f"no line of Flux came from {named(launch, sides.silent)}: {why};"
        f" {wait(launch, sides.waiting)} for {them(sides.silent)} in {sides.barrier}",
        sides.silent,
        lines([*looks(launch, sides.silent), *last_lines(launch, sides.waiting)]),
        resume(launch, sides.silent)
        or (
            "srun ...   # and one ^C: srun then tells which tasks run and which have exited",
            "ps -eo pid,stat,wchan:30,args | grep [f]lux   # on its host: T is stopped, D hangs",
        ),
        "3, 5",
        "certain" if frozen else "likely",
    )


def _late(launch: Launch, sides: _Sides, early: frozenset[int]) -> Finding:
    least = min(early, key=lambda r: (launch.ranks[r].stage, r))
    where = WAITS[launch.ranks[least].stage]
    frozen = kept(launch, early)
    state = f", {_those(early)} {frozen}" if frozen else ""
    return Finding(
        "S3",
        f"{named(launch, early)} came no further than: {where}{state};"
        f" {wait(launch, sides.waiting)} for {them(early)} in {sides.barrier}",
        early,
        lines(
            [
                *looks(launch, early),
                *last_lines(launch, early),
                *last_lines(launch, sides.waiting)[:1],
            ]
        ),
        resume(launch, early) or ("ps -eo pid,stat,wchan:30,args | grep [f]lux   # on its host",),
        "5",
        "certain" if frozen else "likely",
    )


def _undecided(launch: Launch, sides: _Sides) -> Finding:
    culprits = sides.waiting
    frozen_ranks = frozenset(r for r in culprits if launch.frozen(r))
    if frozen_ranks:
        rest = culprits - frozen_ranks
        others = wait(launch, rest) if rest else launch.say("all wait", "all waited")
        return Finding(
            "S4",
            f"{named(launch, frozen_ranks)} {kept(launch, frozen_ranks)};"
            f" {others} for {them(frozen_ranks)} in {sides.barrier}",
            frozen_ranks,
            lines([*looks(launch, frozen_ranks), *last_lines(launch, frozen_ranks)]),
            resume(launch, frozen_ranks),
            "5, 7",
        )
    if launch.served:
        barrier = 2 if sides.barrier.endswith("2") else 1
        outside = frozenset(r for r in culprits if launch.ranks[r].barriers_in < barrier)
        if outside:
            return Finding(
                "S4",
                f"{named(launch, outside)} did not enter {sides.barrier}; the others"
                f" {launch.say('wait', 'waited')} there",
                outside,
                lines(last_lines(launch, outside)),
                _BARRIER,
                "5, 7",
            )
    odd = _odd(launch, culprits)
    if odd:
        where = sorted({p.waits_in for r in odd if (p := launch.ranks[r].probe)})
        return Finding(
            "S4",
            f"{named(launch, odd)} {be(launch, odd)} elsewhere (in {', '.join(where)}) than all"
            f" others, which {launch.say('wait', 'waited')} in {sides.barrier}",
            odd,
            lines(looks(launch, odd)),
            ("ps -eo pid,stat,wchan:30,args | grep [f]lux-broker   # on its host",),
            "5, 7",
            "likely",
        )
    is_ = launch.say("is", "was")
    return Finding(
        "S4",
        f"all {len(culprits)} ranks {be(launch, culprits)} in {sides.barrier} or just before it,"
        f" which the trace can not tell apart: one of them {is_} frozen, or {launch.starter}'s"
        f" barrier {is_} broken",
        culprits,
        lines(last_lines(launch, culprits)),
        (*_BARRIER, "ps -eo pid,stat,wchan:30,args | grep [f]lux-broker   # on each host"),
        "5, 7",
        "possible",
    )


def _odd(launch: Launch, ranks: frozenset[int]) -> frozenset[int]:
    """Return those that wait in another place than most, if all were looked at."""
    places = {r: p.waits_in for r in ranks if (p := launch.ranks[r].probe) and p.waits_in}
    usual, number = Counter(places.values()).most_common(1)[0] if places else ("", 0)
    if len(places) < len(ranks) or number * 2 <= len(ranks):
        return frozenset()
    return frozenset(r for r in ranks if places[r] != usual)


def _those(ranks: frozenset[int]) -> str:
    return "it" if len(ranks) == 1 else "they"
