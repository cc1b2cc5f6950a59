"""A launch as its lines tell it: read one after the other, live or from a log.

Lines of different ranks arrive in any order (srun delivers in bursts), so only the order within a
rank means anything. What is kept is bounded, whatever is read.
"""

from __future__ import annotations

import math
import re

from fluxstart_tui.diagnose.launch import signs_launcher as own
from fluxstart_tui.diagnose.launch.broker_lines import Reader
from fluxstart_tui.diagnose.launch.launcher_lines import OWN_HEADS, LauncherReader
from fluxstart_tui.diagnose.launch.state import (
    ENDED,
    NO_LINE,
    PHASES,
    STALL,
    Exit,
    Hit,
    Line,
    Rank,
    Stage,
)  # fmt: skip
from fluxstart_tui.diagnose.progress import made
from fluxstart_tui.diagnose.words import ending
from fluxstart_tui.launchers.labels import Labels
from fluxstart_tui.session import tree
from fluxstart_tui.session.state import RANK_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from fluxstart_tui.diagnose.launch.signs import Sign
    from fluxstart_tui.diagnose.launch.state import Probe
    from fluxstart_tui.diagnose.progress import Phase
    from fluxstart_tui.session import events
    from fluxstart_tui.session.tree import Parent

TEXT_MAX = 4096
"""Characters of a line that are looked at; a card has at most 1024."""
SLACK = 0.25
"""Seconds: whoever ends us may end the tasks too, and they may be seen to die before we know."""
_HITS = 1 << 13


class Launch:
    """The state of one launch.

    Args:
        grammar: form of the launcher's labels, if it is known (launchers/table.py).
        asked: number of tasks that the launcher was asked for, if it is known.
        topology: value of tbon.topo if it is not the default.
    """

    def __init__(self, grammar: str = "", asked: int = 0, topology: str | None = None) -> None:
        self.labels = Labels(grammar)
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
        self.waited: frozenset[int] = frozenset()
        """Ranks that rank 0 says it waits for in quorum."""
        self.elsewhere: frozenset[int] = frozenset()
        """Ranks of which nothing can be known: they are on hosts that nobody looks at."""
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
        self.allocated = False
        """Whether Slurm has given what it queued for."""
        self.salloc: Line | None = None
        """The line by which salloc says that it has allocated nodes, if they may be several."""
        self.own: list[Line] = []
        """The launcher's first lines."""
        self._seen: set[tuple[str, int | None, tuple[str, ...]]] = set()
        self._reader = Reader(self)
        self.launcher_lines = LauncherReader(self)

    # -- reading -------------------------------------------------------------------------------

    def feed(self, line: str, t: float | None = None) -> None:
        """Take the next line as the launcher has printed it, without its newline."""
        rank, _, text = self.labels.split(line[:TEXT_MAX])
        self.take(rank, text, t)

    def take(self, rank: int | None, text: str, t: float | None = None) -> None:
        """Take a line whose label is known already.

        Args:
            rank: the task's, None for the launcher's own lines and where lines have no label.
            text: the line without label and newline.
            t: seconds since the launch.
        """
        self.lines += 1
        if t is not None and (self.now is None or t > self.now):
            self.now = t
        if not text or (rank is not None and rank >= RANK_MAX):
            return
        text = text[:TEXT_MAX].rstrip("\r")  # terminals end lines with it
        if "srun: " in text and (burst := own.BURST.match(text)) is not None:
            self._one(rank, burst[0], t)
            rank, text = None, text[burst.end() :]
        self._one(rank, text, t)

    def _one(self, rank: int | None, text: str, t: float | None) -> None:
        glued = own.GLUED.match(text)
        if glued is not None:
            inner = self.labels.split(glued[2])
            if inner.rank is not None:
                self._one(inner.rank, inner.text, t)
                return
        # With labels, Flux's lines without one are not of this launch but of an outer instance.
        foreign = rank is None and bool(self.labels.name)
        if glued is None and not foreign and self._reader.read(rank, text, t):
            return
        if rank is not None:
            one = self.rank(rank)
            if one.speaks and not text.startswith(OWN_HEADS):
                return  # the program's
            if not (self.stopped or text.startswith(OWN_HEADS)):
                self._reader.shell(Line(self.lines, t, rank, text))
        self.launcher_lines.read(Line(self.lines, t, rank, text))

    # -- what readers and probes tell ------------------------------------------------------------

    def stop(self, line: Line) -> None:
        """Note that it is told to end: who was seen to die at that moment has died of it."""
        if self.stopped is not None:
            return
        self.stopped = line
        for rank in self.ranks.values():
            end = rank.exit
            if end is not None and end.seen and end.order[0] >= (line.t or math.inf) - SLACK:
                rank.ended, rank.exit = end.how, None
                self.progress = max(one.since or 0.0 for one in self.ranks.values())

    def rank(self, rank: int) -> Rank:
        """Return what is known of a rank, which may be nothing yet."""
        return self.ranks.get(rank) or self.ranks.setdefault(rank, Rank())

    def reach(self, rank: Rank, stage: Stage, line: Line) -> None:
        """Let a rank enter a stage; it never goes back."""
        if stage > rank.stage and (self.stopped is None or stage <= Stage.RUN):
            rank.stage, rank.since, rank.step = stage, line.t, line
            self.progress = line.t

    def hit(self, sign: Sign, line: Line, groups: tuple[str, ...]) -> None:
        """Note a line with a signature, the first of each rank."""
        if (sign.id, line.rank, groups) in self._seen or len(self._seen) >= _HITS:
            return
        if line.rank is not None and (sign.id, line.rank, ()) in self._seen:
            return
        self._seen |= {(sign.id, line.rank, groups), (sign.id, line.rank, ())}
        self.hits.setdefault(sign.id, []).append(Hit(line, groups))

    def exited(self, ranks: Collection[int], how: str, line: Line) -> None:
        """Note that tasks have ended."""
        for number in ranks:
            if number < RANK_MAX:
                rank = self.rank(number)
                if rank.exit is None or rank.exit.how == ENDED:
                    rank.exit = Exit(how, line)
                    self.progress = line.t

    def died(self, end: events.Exit, t: float) -> None:
        """Note that a rank's process was seen to end, whatever its launcher says of it."""
        if end.rank >= RANK_MAX:
            return
        how = ENDED if end.cause == "unknown" else ending(end)
        if self.stopped is not None:
            self.rank(end.rank).ended = how
            return
        line = Line(NO_LINE, t, end.rank, f"process {end.pid} {how}")
        self.rank(end.rank).exit = Exit(how, line)
        self.progress = t

    def probe(self, rank: int, probe: Probe) -> None:
        """Note what a look at a rank's process has shown."""
        one = self.rank(rank)
        if probe.moved(one.probe):
            one.moved = probe.t
        if one.probe is not None and one.probe.frozen and not probe.frozen:
            self.progress = max(self.progress or 0.0, probe.t)  # it gets its time anew
        if one.probe is not None and one.frozen and one.probe.state == probe.state:
            probe = probe._replace(t=one.probe.t)
        one.probe = probe

    def frozen(self, rank: int) -> str:
        """Say how a rank is kept from running; empty if it is not, or has gone on since."""
        return self.ranks[rank].frozen if rank in self.ranks else ""

    def say(self, now: str, past: str) -> str:
        """Choose the tense: once it is over, nothing speaks in the present."""
        return past if self.past else now

    def end(self, code: int | None = None) -> None:
        """Note that nothing more will come: the launcher has ended, or the log has."""
        self.launcher_lines.end()
        self.code, self.ended = code, True

    # -- what it has come to -----------------------------------------------------------------------

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
