"""When the instance is up, and when it ends (I1, X1 to X4)."""

from __future__ import annotations

import math

from fluxstart_tui.diagnose.launch.finding import (
    PATIENCE,
    Finding,
    be,
    end_of,
    kept,
    last_lines,
    lines,
    looks,
    named,
    resume,
    their,
    them,
    wait,
)
from fluxstart_tui.diagnose.launch.first import by_itself
from fluxstart_tui.diagnose.launch.state import ENDED, Stage
from fluxstart_tui.diagnose.launch.why import why
from fluxstart_tui.diagnose.words import who

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fluxstart_tui.diagnose.launch.launch import Launch
    from fluxstart_tui.diagnose.launch.state import Rank


def program(launch: Launch) -> Iterator[Finding]:
    """Yield I1 for a log that ends while the program runs; a launch that lives is just fine."""
    over = (launch.ended or launch.stopped is not None) and not launch.watched
    up = launch.leader.stage == Stage.RUN and launch.program_ended is None
    up = up and not launch.singletons
    if over and up and launch.over is None and launch.leader.exit is None:
        yield Finding(
            "I1",
            "Flux is up: the initial program was still running at the end of the log; this is no"
            " hang of the launch",
            frozenset({0}),
            lines((launch.leader.step, launch.stopped)),
            (
                "pstree -ap $(pgrep flux-broker-0)   # on rank 0's host: what the program does",
                "flux proxy URI flux overlay status",
            ),
            "2",
        )


def _idle(launch: Launch, now: float | None, late: Collection[int]) -> float:
    """Return for how many seconds nothing was seen to go on; no end if a log has no times."""
    last = launch.stopped.t if launch.stopped is not None else now or launch.now
    if last is None:
        return 0.0 if all(launch.ranks[rank].ended == "exited" for rank in late) else math.inf
    return last - (launch.progress or 0.0)


def frozen(launch: Launch, found: Collection[Finding]) -> Iterator[Finding]:
    """Yield X4 for ranks that were seen to be stopped in an instance that is up."""
    blamed = frozenset(rank for one in found for rank in one.ranks)
    stuck = {r: rank.frozen for r, rank in launch.ranks.items() if rank.frozen}
    for how in sorted(set(stuck.values())):
        ranks = frozenset(r for r in stuck if stuck[r] == how) - blamed
        if ranks and launch.leader.stage == Stage.RUN:
            yield Finding(
                "X4",
                f"{named(launch, ranks)} {be(launch, ranks)} {how} while the instance"
                f" {launch.say('is', 'was')} up",
                ranks,
                lines(looks(launch, ranks)),
                resume(launch, ranks),
            )


def lost(launch: Launch) -> Iterator[Finding]:
    """Yield X1 for ranks that were seen to die while the program ran, if no broker has told yet."""
    if launch.leader.stage < Stage.RUN or "X1" in launch.hits or launch.singletons:
        return
    ended = launch.program_ended.t if launch.program_ended is not None else None
    over = min(math.inf if ended is None else ended, _death(launch.leader))
    dead = {r: one.exit for r, one in launch.ranks.items() if r and _death(one) < over and one.exit}
    if dead:
        first = min(dead, key=lambda rank: dead[rank].order)
        rest = frozenset(dead) - {first}
        yield Finding(
            "X1",
            f"{named(launch, {first})} was lost while the instance ran: it"
            f" {end_of(launch.ranks[first])}" + (f"; {who(rest)} likewise" if rest else ""),
            frozenset(dead),
            lines(end.line for end in dead.values()),
            (*why(launch, first), "flux overlay status"),
        )


def cut_off(launch: Launch, found: Collection[Finding]) -> Iterator[Finding]:
    """Yield D1 where a rank's end has ended it all before it was up, and nobody has told of it.

    Hydra prints its banner only if the others had come as far as to speak PMI.
    """
    if found or not launch.ended or launch.stopped is not None or launch.leader.stage >= Stage.RUN:
        return
    dead = {r: one.exit for r, one in launch.ranks.items() if one.exit and _death(one) < math.inf}
    if not dead:
        return
    own = [rank for rank in dead if launch.test_mode or by_itself(launch.ranks[rank])]
    first = min(own or dead, key=lambda rank: dead[rank].order)
    alike = frozenset(rank for rank in own if dead[rank].how == dead[first].how) | {first}
    victims = frozenset(dead) - frozenset(own) - alike
    early = "before the instance was up"
    told = f"{named(launch, {first})} {end_of(launch.ranks[first])}"
    if len(alike) > 1 and alike == launch.everyone:
        told = f"all {len(alike)} ranks ended by themselves {early}: {told}, the others likewise"
    else:
        told += f" {early}" + (f", {who(alike - {first})} likewise" if len(alike) > 1 else "")
    yield Finding(
        "D1",
        told + (f", and so the launcher ended {who(victims)}" if victims else ""),
        alike,
        lines([dead[first].line, launch.ranks[first].word, *last_lines(launch, {first})]),
        why(launch, first),
        "" if launch.test_mode else "3",
    )


def _death(rank: Rank) -> float:
    """Return when a rank was seen to end badly, without end if it was not."""
    end = rank.exit
    # A good end may be seen before the lines that tell of the program's, where those are many.
    fine = (
        end is None or end.how == ENDED or end.how.startswith("exited with code 0") or end.hung_up
    )
    return math.inf if fine or end is None else end.order[0]


def hung_up(launch: Launch) -> Iterator[Finding]:
    """Yield X2 for ranks that the end of another one of their node has ended by SIGHUP.

    A broker that leads its process group sends SIGHUP to it when it ends (flux-core:
    broker/broker.c), and srun puts all tasks of a node into the group of its first.
    """
    ranks = frozenset(r for r, one in launch.ranks.items() if one.exit and one.exit.hung_up)
    others = [one.exit for r, one in launch.ranks.items() if one.exit and r not in ranks]
    if ranks and "X2" not in launch.hits and (others or launch.program_ended is not None):
        yield Finding(
            "X2",
            f"{named(launch, ranks)} got SIGHUP when another broker of {their(ranks)} node ended:"
            " they share a process group",
            ranks,
            lines(one.exit.line for r in sorted(ranks) if (one := launch.ranks[r]).exit),
            ("srun --ntasks-per-node=1 ...",),
        )


def shutdown(launch: Launch, now: float | None) -> Iterator[Finding]:
    """Yield X3: a shutdown that does not end."""
    # A launcher that ended by itself has not waited for anybody.
    done = launch.over is not None or (launch.code is not None and launch.stopped is None)
    # Singletons wait for nobody, and each has a program of its own.
    done = done or bool(launch.singletons)
    if launch.program_ended is None or done or "X2" in launch.hits:
        return
    unclean = {hit.line.rank for hit in launch.hits.get("X3", ())}
    late = frozenset(
        r
        for r in launch.at(Stage.CLEANUP, Stage.EXIT)
        if launch.ranks[r].exit is None and (launch.ranks[r].stage < Stage.EXIT or r in unclean)
    )
    frozen = frozenset(rank for rank in launch.everyone if launch.frozen(rank))
    if late and frozen:
        rest = late - frozen
        victims = f"; {wait(launch, rest)} for {them(frozen)} in shutdown" if rest else ""
        yield Finding(
            "X3",
            f"the instance has ended but {named(launch, frozen)} {kept(launch, frozen)}{victims}",
            frozen,
            lines([*looks(launch, frozen), *last_lines(launch, rest)]),
            resume(launch, frozen),
        )
    elif late and launch.quiet(now) >= 2 * PATIENCE and _idle(launch, now, late) >= PATIENCE:
        modules = [hit.line for hit in launch.hits.get("X3", ()) if hit.line.rank in late]
        yield Finding(
            "X3",
            f"the instance has ended but {named(launch, late)}"
            f" {launch.say('hangs' if len(late) == 1 else 'hang', 'hung')} in shutdown",
            late,
            lines([*last_lines(launch, late), *modules]),
            (
                "flux start ...   # without -Srundir in a directory that hosts share",
                "ps -eo pid,stat,wchan:30,args | grep [f]lux-broker",
            ),
            confidence="likely",
        )
