"""What is known of a launch, and what follows from it: who is where, who is missing."""

from __future__ import annotations

import math
import re

from fluxstart_tui.diagnose.launch.state import NO_LINE, PHASES, STALL, Hit, Line, Rank, Stage
from fluxstart_tui.diagnose.progress import made
from fluxstart_tui.session import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.progress import Phase
    from fluxstart_tui.session.tree import Parent


TEST_MODE = "flux start"
"""Name of what has launched the brokers if that is `flux start --test-size`."""


class Facts:
    """The state of one launch, whoever has told it.

    Args:
        asked: number of tasks that the launcher was asked for, if it is known.
        topology: value of tbon.topo if it is not the default.
    """

    def __init__(self, asked: int = 0, topology: str | None = None) -> None:
        self.asked = asked
        self.told_topology = topology
        """Value of tbon.topo as brokers tell it."""
        self.launcher = ""
        """Name of what has launched it, if that is known otherwise than by command and lines."""
        self.command: tuple[str, ...] = ()
        """The command line, if it is known."""
        self.ranks: dict[int, Rank] = {}
        self.size = 0
        """Of the instance as its brokers were told; 0 if not known."""
        self.lines = 0
        self.now: float | None = None
        """Time of the last line, None if lines have no times."""
        self.progress: float | None = None
        """When a rank last entered a stage or ended."""
        self.hits: dict[str, list[Hit]] = {}
        """Lines with a signature, by its id; one of a kind per rank."""
        self.benign = 0
        """Alarming lines that are known to be harmless."""
        self.traced = False
        """Whether the PMI trace is there."""
        self.dated = False
        """Whether log lines come in leader mode, in which followers that reach nobody are mute."""
        self.served = False
        """Whether a PMI server's trace is there, which shows who enters barriers."""
        self.space = ""
        """Name of the launcher's key-value space."""
        self.alone = [0, 0]
        """How often a size of 1 was told, in the trace and in the log, before the program ended."""
        self.deserted: dict[int, int] = {}
        """Ranks that were started again, by the PMI barrier that the others have left."""
        self.waited: frozenset[int] = frozenset()
        """Ranks that rank 0 says it waits for in quorum."""
        self.elsewhere: frozenset[int] = frozenset()
        """Ranks of which nothing can be known: they are on hosts that nobody looks at."""
        self.others: tuple[str, ...] = ()
        """Names of those hosts."""
        self.program_ended: Line | None = None
        self.stopped: Line | None = None
        """The line from which on it was being stopped."""
        self.over: Line | None = None
        """The line by which the launcher says that it ended the launch by itself."""
        self.code: int | None = None
        """The launcher's exit code once it has ended."""
        self.ended = False
        """Whether there is no more to come."""
        self.past = False
        """Whether it is known to be over, so that nobody waits any more."""
        self.watched = False
        """Whether somebody has watched it, who knows then that it was up."""
        self.engine = ""  # what commands to it are for (target.py)
        self.source = ""
        """The file that it is read from."""
        self.session = ""
        """The directory of the session that it is read from."""
        self.host = ""
        """Where somebody looks at processes: other hosts' tell nothing but lines."""
        self.detailed = False
        """Whether there are records of severity debug."""
        self.allocated = False
        """Whether Slurm has given what it queued for."""
        self.salloc: Line | None = None
        """The line by which salloc says that it has allocated nodes, if they may be several."""
        self.own: list[Line] = []
        """The launcher's first lines."""

    def rank(self, rank: int) -> Rank:
        """Return what is known of a rank, which may be nothing yet."""
        return self.ranks.get(rank) or self.ranks.setdefault(rank, Rank())

    def frozen(self, rank: int) -> str:
        """Say how a rank is kept from running; empty if it is not, or has gone on since."""
        return self.ranks[rank].frozen if rank in self.ranks else ""

    def say(self, now: str, past: str) -> str:
        """Choose the tense: once it is over, nothing speaks in the present."""
        return past if self.past else now

    @property
    def test_mode(self) -> bool:
        """Whether flux start itself has started all brokers, so that there is no launcher."""
        return self.launcher == TEST_MODE

    @property
    def starter(self) -> str:
        """What has started the brokers, as sentences name it."""
        return TEST_MODE if self.test_mode else "the launcher"

    @property
    def leader(self) -> Rank:
        """Rank 0."""
        return self.ranks.get(0) or Rank()

    @property
    def everyone(self) -> frozenset[int]:
        """All ranks there are to be, as far as is known."""
        ranks = frozenset(range(self.size)) if self.size > 1 else frozenset(self.ranks)
        return ranks - self.elsewhere

    @property
    def parent(self) -> Parent:
        """Names a rank's parent in the overlay network."""
        usual = tree.parents(self.topology, self.size)
        seen = {r: rank.parent for r, rank in self.ranks.items() if rank.parent is not None}
        return lambda rank: seen[rank] if rank in seen else usual(rank)

    @property
    def topology(self) -> str | None:
        """Value of tbon.topo, None for the default."""
        given = re.search(r"tbon\.topo=([\w:]+)", " ".join(self.command))
        return given[1] if given is not None else self.told_topology

    @property
    def singletons(self) -> frozenset[int]:
        """Tasks that were told to be an instance of size 1 though there are others."""
        alone = frozenset(r for r, rank in self.ranks.items() if rank.boot_size == 1)
        return alone if self.tasks > 1 else frozenset()

    @property
    def tasks(self) -> int:
        """How many tasks were seen; without labels singletons are told by what they repeat."""
        return max(len(self.ranks), *self.alone)

    @property
    def known(self) -> bool:
        """Whether this is a launch of Flux at all."""
        ranks = self.ranks.values()
        return bool(self.hits) or any(one.speaks or one.hello or one.abnormal for one in ranks)

    def at(self, first: Stage, last: Stage) -> frozenset[int]:
        """Return the ranks that have come to a stage from first to last."""
        return frozenset(r for r, rank in self.ranks.items() if first <= rank.stage <= last)

    def quiet(self, now: float | None) -> float:
        """Return for how many seconds no rank has come any further; without end once it ended."""
        if self.ended or self.stopped is not None or now is None:
            # Who watches it may have ended it while it got on: that was no stall.
            ours = self.stopped.t if self.stopped and self.stopped.number == NO_LINE else None
            spent = (ours or math.inf) - (self.progress or 0.0)
            return spent if spent < STALL else math.inf
        return now - (self.progress or 0.0)

    def phases(self) -> list[Phase]:
        """Return the phases as diagnose/progress.py does for an instance of test mode."""
        everyone = self.everyone
        there = {n: self.ranks[n] for n in everyone if n in self.ranks}
        reached = {name: {r for r, one in there.items() if one.stage >= at} for name, at in PHASES}
        times = {}
        for name, stage in PHASES:
            since = [one.since for one in there.values() if one.stage == stage]
            known = [t for t in since if t is not None]
            if known and len(reached[name]) == len(everyone):
                times[name] = max(known)
        reached["exit"] |= {number for number, one in there.items() if one.exit is not None}
        among = (Stage.PUT, Stage.BARRIER1) if self.size == 1 else ()
        names = [name for name, at in PHASES if at not in among]
        return made(names, reached, len(everyone), times)
