"""When the instance is up, and when it ends (I1, X3)."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch.finding import (
    PATIENCE,
    Finding,
    last_lines,
    lines,
    looks,
    named,
)
from fluxstart_tui.diagnose.launch.state import Stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fluxstart_tui.diagnose.launch.launch import Launch


def program(launch: Launch) -> Iterator[Finding]:
    """Yield I1 for a log that ends while the program runs; a launch that lives is just fine."""
    over = launch.ended or launch.stopped is not None
    up = launch.leader.stage == Stage.RUN and launch.program_ended is None
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


def frozen(launch: Launch, found: Collection[Finding]) -> Iterator[Finding]:
    """Yield X1 for ranks that were seen to be stopped in an instance that is up."""
    blamed = frozenset(rank for one in found for rank in one.ranks)
    stuck = {
        r: p.frozen for r, rank in launch.ranks.items()
        if (p := rank.probe) and p.frozen and rank.exit is None and p.t >= (rank.since or 0.0)
    }  # fmt: skip
    for how in sorted(set(stuck.values())):
        ranks = frozenset(r for r in stuck if stuck[r] == how) - blamed
        if ranks and launch.leader.stage >= Stage.RUN:
            pids = (p.pid for r in sorted(ranks) if (p := launch.ranks[r].probe))
            yield Finding(
                "X1",
                f"{named(launch, ranks)} {how} while the instance is up",
                ranks,
                lines(looks(launch, ranks)),
                (f"kill -CONT {' '.join(map(str, pids))}   # on its host, if it was stopped",),
            )


def shutdown(launch: Launch, now: float | None) -> Iterator[Finding]:
    """Yield X3: a shutdown that does not end."""
    # A launcher that ended by itself has not waited for anybody.
    done = launch.over is not None or (launch.code is not None and launch.stopped is None)
    if launch.program_ended is None or done or "X2" in launch.hits:
        return
    unclean = {hit.line.rank for hit in launch.hits.get("X3", ())}
    late = frozenset(
        r
        for r in launch.at(Stage.CLEANUP, Stage.EXIT)
        if launch.ranks[r].exit is None and (launch.ranks[r].stage < Stage.EXIT or r in unclean)
    )
    if late and launch.quiet(now) >= 2 * PATIENCE:
        modules = [hit.line for hit in launch.hits.get("X3", ()) if hit.line.rank in late]
        yield Finding(
            "X3",
            f"the instance has ended but {named(launch, late)} hangs in shutdown",
            late,
            lines([*last_lines(launch, late), *modules]),
            (
                "flux start ...   # without -Srundir in a directory that hosts share",
                "ps -eo pid,stat,wchan:30,args | grep [f]lux-broker",
            ),
            confidence="likely",
        )
