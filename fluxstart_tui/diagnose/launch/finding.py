"""A finding, and how ranks and their ends are put in words."""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.diagnose.launch import text
from fluxstart_tui.diagnose.launch.state import NO_LINE, Line
from fluxstart_tui.diagnose.words import PROGRAM, printable, who
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from fluxstart_tui.diagnose.launch.launch import Launch
    from fluxstart_tui.diagnose.launch.state import Probe, Rank

EVIDENCE = 6
"""Lines of evidence that a finding shows."""

PATIENCE = 5.0
"""Seconds without progress of any rank after which a wait is a stall."""

SETTLE = 1.0
"""Seconds that a dead rank is given for company: a launch that fails as a whole is no wait."""


class Finding(NamedTuple):
    """What hinders a launch, or hindered it."""

    id: str
    sentence: str
    """Names the culprit, not those that wait for it."""
    ranks: frozenset[int] = frozenset()
    """The culprits."""
    evidence: tuple[Line, ...] = ()
    remedies: tuple[str, ...] = ()
    """Commands; what stands behind # is a comment."""
    tip: str = ""
    """Of flux-start(1): a number, SG (single node instance) or HW (hardware)."""
    confidence: str = "certain"
    """certain, likely, or possible."""
    since: float | None = None
    """Seconds from the launch's start to what it tells of; None if that is not known."""


def lines(found: Iterable[Line | None]) -> tuple[Line, ...]:
    """Return lines as evidence: in the log's order, each once, not too many."""
    once = {line for line in found if line is not None}
    return tuple(sorted(once, key=lambda line: line.number))[:EVIDENCE]


def last_lines(launch: Launch, ranks: Collection[int]) -> list[Line | None]:
    """Return the lines by which some ranks came to where they are."""
    there = (launch.ranks.get(rank) for rank in sorted(ranks)[:EVIDENCE])
    return [rank.step for rank in there if rank is not None]


def looks(launch: Launch, ranks: Collection[int]) -> list[Line]:
    """Return how some ranks' processes looked and what they said when asked, as evidence."""
    there = ((r, launch.ranks[r].probe) for r in sorted(ranks) if r in launch.ranks)
    texts = [(r, one, text) for r, one in there if one for text in (one.text, one.said)]
    return [Line(NO_LINE, one.t, rank, text) for rank, one, text in texts if text]


def named(launch: Launch, ranks: Collection[int]) -> str:
    """Return `rank 1 (node1)`, without the host if it is not known or the ranks are many."""
    hosts = {launch.ranks[rank].host for rank in ranks if rank in launch.ranks}
    host = next(iter(hosts)) if len(hosts) == 1 else ""
    return who(ranks) + (f" ({printable(host, 60)})" if host else "")


def wait(launch: Launch, ranks: Collection[int]) -> str:
    """Return `rank 0 waits` or `ranks 0-3 wait`, or that they waited once it is over."""
    return f"{who(ranks)} {launch.say('waits' if len(ranks) == 1 else 'wait', 'waited')}"


def be(launch: Launch, ranks: Collection[int]) -> str:
    """Return `is` or `are`, or what it was once it is over."""
    return launch.say("is", "was") if len(ranks) == 1 else launch.say("are", "were")


def kept(launch: Launch, ranks: Collection[int]) -> str:
    """Say how the first of some ranks that is kept from running is, as `is suspended...`."""
    how = next((how for rank in sorted(ranks) if (how := launch.frozen(rank))), "")
    return how and f"{be(launch, ranks)} {how}"


def suspended(launch: Launch, ranks: Collection[int]) -> dict[int, Probe]:
    """Return the looks at those of some ranks that SIGCONT lets go on, as far as is known."""
    looks = {rank: launch.ranks[rank].probe for rank in sorted(ranks) if launch.frozen(rank)}
    return {rank: look for rank, look in looks.items() if look and look.state == "T"}


def resume(launch: Launch, ranks: Collection[int]) -> tuple[str, ...]:
    """Return what lets ranks go on that a signal has stopped, none if there are none."""
    looks = suspended(launch, ranks)
    if not looks:
        return ()
    pids = " ".join(str(look.pid) for look in looks.values())
    words = f"signal {idset.encode(looks)} CONT"
    command = (f"{PROGRAM} --ctl={launch.engine} {words}",) if launch.engine else ()
    return *command, f"kill -CONT {pids}   # on {their(looks)} host"


def their(ranks: Collection[int]) -> str:
    """Return the possessive pronoun of some ranks."""
    return "its" if len(ranks) == 1 else "their"


def them(ranks: Collection[int]) -> str:
    """Return the pronoun of some ranks."""
    return "it" if len(ranks) == 1 else "them"


def said(line: Line) -> str:
    """Return what a log line says without what is before."""
    log = text.LOG.match(line.text)
    return printable(log["text"] if log is not None else line.text, 160)


def end_of(rank: Rank) -> str:
    """Say how a rank has ended, and why as far as its own lines tell.

    A broker that ends before it can log anything prints why as a plain line, as shells and dynamic
    loaders do.
    """
    how = rank.exit.how if rank.exit is not None else "failed"
    how = f"was {how}" if how.startswith("killed") else how
    if rank.errors:
        return f"{printable(how, 60)}: {said(rank.errors[0])}"
    if rank.exit is not None and rank.word is not None:
        return f'{printable(how, 60)} with the last words "{printable(rank.word.text, 160)}"'
    return printable(how, 60) + (f" ({rank.failed})" if rank.failed and rank.exit is None else "")
