"""A launch as its lines tell it: read one after the other, live or from a log.

Lines of different ranks arrive in any order (srun delivers in bursts), so only the order within a
rank means anything. What is kept is bounded, whatever is read.
"""

from __future__ import annotations

import math

from fluxstart_tui.diagnose.launch import signs_launcher as own
from fluxstart_tui.diagnose.launch.broker_lines import Reader
from fluxstart_tui.diagnose.launch.facts import Facts
from fluxstart_tui.diagnose.launch.launcher_lines import OWN_HEADS, LauncherReader
from fluxstart_tui.diagnose.launch.state import ENDED, NO_LINE, Exit, Hit, Line, Rank, Stage
from fluxstart_tui.diagnose.words import ending
from fluxstart_tui.launchers.labels import Labels
from fluxstart_tui.session.state import RANK_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from fluxstart_tui.diagnose.launch.signs import Sign
    from fluxstart_tui.diagnose.launch.state import Probe
    from fluxstart_tui.session import events

TEXT_MAX = 4096
"""Characters of a line that are looked at; a card has at most 1024."""
SLACK = 0.25
"""Seconds: whoever ends us may end the tasks too, and they may be seen to die before we know."""
_HITS = 1 << 13


class Launch(Facts):
    """One launch, read line by line.

    Args:
        grammar: form of the launcher's labels, if it is known (launchers/table.py).
        asked: number of tasks that the launcher was asked for, if it is known.
        topology: value of tbon.topo if it is not the default.
    """

    def __init__(self, grammar: str = "", asked: int = 0, topology: str | None = None) -> None:
        super().__init__(asked, topology)
        self.labels = Labels(grammar)
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
            if self._may_be_last(one, text):
                one.word = Line(self.lines, t, rank, text)
            if one.speaks and not text.startswith(OWN_HEADS):
                return  # the program's
            if not (self.stopped or text.startswith(OWN_HEADS)):
                self._reader.shell(Line(self.lines, t, rank, text))
        self.launcher_lines.read(Line(self.lines, t, rank, text))

    def _may_be_last(self, rank: Rank, text: str) -> bool:
        """Tell whether a plain line may be a broker's last word, or its library's or shell's."""
        if self.stopped is not None or not text.strip() or text.startswith(OWN_HEADS):
            return False
        return rank.stage < Stage.RUN and self.leader.stage < Stage.RUN

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

    def end(self, code: int | None = None) -> None:
        """Note that nothing more will come: the launcher has ended, or the log has."""
        self.launcher_lines.end()
        self.code, self.ended = code, True
