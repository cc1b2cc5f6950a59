"""A rank that was started again and can not get back in (S5)."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch.finding import Finding, last_lines, lines, named
from fluxstart_tui.diagnose.words import PROGRAM
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.diagnose.launch.launch import Launch


def deserted(launch: Launch) -> Iterator[Finding]:
    """Yield S5 if ranks wait in a PMI barrier that the others have left.

    flux-start's PMI server lets a barrier go when as many have come as there are ranks, and those
    that are past PMI do not come again (src/common/libpmi/simple_server.c).
    """
    ranks = frozenset(launch.deserted)
    if not ranks:
        return
    barrier = launch.deserted[min(ranks)]
    can = launch.say("can", "could")
    waits = launch.say("waits", "waited") if len(ranks) == 1 else launch.say("wait", "waited")
    ctl = f"{PROGRAM} --ctl={launch.engine}"
    commands = (
        f"{ctl} signal {idset.encode(ranks)} KILL   # end it again; that starts the exit timer",
        f"{ctl} timer cancel   # then, so that the others go on without it",
        "flux start ...   # begin anew: all ranks together get through PMI",
    )
    yield Finding(
        "S5",
        f"{named(launch, ranks)} {can} not get back in: started again,"
        f" {'it' if len(ranks) == 1 else 'they'} {waits} in PMI barrier {barrier}, which the others"
        " have left and do not enter again",
        ranks,
        lines(last_lines(launch, ranks)),
        commands if launch.engine else commands[2:],
    )
