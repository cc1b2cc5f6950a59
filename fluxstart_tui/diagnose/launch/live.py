"""A launch that goes on: what each line tells, as events, and findings as they come.

The engine hands over lines and records what is returned (session/said.py).
"""

from __future__ import annotations

import os
import re

from fluxstart_tui.diagnose.launch import bulk, rules, text
from fluxstart_tui.diagnose.launch.changes import Changes
from fluxstart_tui.diagnose.launch.launch import TEXT_MAX, Launch
from fluxstart_tui.diagnose.launch.state import ENDED, NO_LINE, STALL, STATES, Line, Probe, Stage
from fluxstart_tui.rfc import fsd, pmi1
from fluxstart_tui.session import events
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.said import Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from fluxstart_tui.diagnose.launch.finding import Finding
    from fluxstart_tui.diagnose.launch.state import Rank
    from fluxstart_tui.session.events import Event

STDOUT, STDERR, LAUNCHER = (STREAMS.index(name) for name in ("stdout", "stderr", "launcher"))
_PMI = {">": STREAMS.index("pmi-c"), "<": STREAMS.index("pmi-s")}
_SIDE = {">": "C", "<": "S"}

_TAP = re.compile(rb"fluxstart-tui: pmi (\d{1,7})([<>]) (\d+\.\d+) (.*)", re.DOTALL)
"""What tap/__main__.py tells of the wire."""
_OURS = ("fluxstart-tui: hello ", "fluxstart-tui: pmi ")
_CALM = ("notice", "info", "debug")
_ONLINE = re.compile(r"online: .* \(ranks? (\S+)\)$")
_ENDED = re.compile(r"rc2\.0: (?P<command>.*) \(rc=(?P<code>\d{1,4})\)")
_CODE = re.compile(r"(?:code|status|exit) (\d{1,3})\b")

_PHASES = {
    Stage.INIT: ("init", 0),
    Stage.PUT: ("barrier", 0),  # a put that is traced is over, and the barrier comes next
    Stage.BARRIER1: ("get", 1),
    Stage.BARRIER2: ("get", 2),
    Stage.FINALIZE: ("finalize", 2),
}
"""Phases of events.Pmi that the trace tells of, with the barriers that are behind by then."""


class Live(Launch):
    """A launch that tells as events what has changed since it was last asked."""

    def __init__(self, grammar: str = "", asked: int = 0) -> None:
        super().__init__(grammar, asked)
        self.news: list[Event] = []
        self._barriers = 0
        self._told_size = 0
        self.tapped = False
        """Whether the wire itself is seen, which tells more of PMI than the trace."""

    def reach(self, rank: Rank, stage: Stage, line: Line) -> None:
        """Let a rank enter a stage (launch.Launch)."""
        before = rank.stage
        super().reach(rank, stage, line)
        if rank.stage == before or line.rank is None:
            return
        self.tell_size()
        if stage in _PHASES and not self.tapped:
            phase, barriers = _PHASES[stage]
            self.news.append(events.Pmi(line.rank, phase, barriers + (phase == "barrier")))
            self.passed(barriers)

    def passed(self, barriers: int) -> None:
        """Take that a rank was let out of so many barriers: then all have been in them."""
        while self._barriers < barriers:
            self._barriers += 1
            self.news.append(events.Barrier(self._barriers))

    def exited(self, ranks: Collection[int], how: str, line: Line) -> None:
        """Note that tasks have ended (launch.Launch)."""
        ends = {rank: one.exit for rank, one in self.ranks.items() if one.exit is not None}
        known = {rank for rank, end in ends.items() if end.how != ENDED}
        super().exited(ranks, how, line)
        code = _CODE.search(how)
        for rank in sorted(set(ranks) - known):
            if rank in self.ranks:
                self.news.append(events.Exit(rank, -1, int(code[1]) if code else 0, 0, "exit", how))

    def tell_size(self) -> None:
        """Tell the size once it is known, or is seen to be larger."""
        if self.size > self._told_size:
            self._told_size = self.size
            self.news.append(events.Size(self.size))


def _state(rank: int, step: re.Match[str]) -> Event:
    """Return the transition that a log line tells of."""
    try:
        spent = fsd.parse(step.string.rpartition(" ")[2])
    except ValueError:
        spent = 0.0
    return events.State(rank, step[3], step[1], step[2], spent)


class Watch:
    """Reads a launch line by line for the engine (session/said.py: Reader).

    Args:
        grammar: form of the launcher's labels, if it is known.
        asked: number of tasks that the launcher is asked for, 0 if it does not say.
        command: the launch's command line.
        epoch: what the wall clock said when the session's time began.
        plain: show the user all lines, those as well that only exist because we look.
        found: told of each new finding, and of those that are over.
    """

    kind = Live
    """Holds what has been read."""

    def __init__(
        self,
        grammar: str,
        asked: int,
        command: Sequence[str],
        epoch: float,
        *,
        plain: bool,
        found: Callable[[Finding], None],
    ) -> None:
        self.launch = self.kind(grammar, asked)
        self.launch.command = tuple(command)
        self.launch.watched = True
        self.launch.engine = str(os.getpid())
        self._epoch = epoch
        self._plain = plain
        self._changes = Changes(found)
        self._host = self.launch.host = os.uname().nodename

    @property
    def size(self) -> int:
        """Number of ranks, 0 while it is not known."""
        return self.launch.size or self.launch.asked

    @property
    def pids(self) -> dict[int, int]:
        """Pids of brokers on this host, by rank, as their hello lines have told."""
        return {
            rank: int(pid)
            for rank, one in self.launch.ranks.items()
            if one.hello.get("host") == self._host and one.exit is None
            and (pid := one.hello.get("pid", "")).isdecimal() and len(pid) < 10
        }  # fmt: skip

    def take(self, t: float, stream: int, line: bytes) -> Said:
        """Take a line of the launcher's output."""
        launch = self.launch
        whole = line[:TEXT_MAX].decode(errors="replace").rstrip("\r")
        rank, side, said = launch.labels.split(whole)
        if side:
            stream = STDERR if side == "err" else STDOUT
        if said.startswith(_OURS[1]) and (tapped := self._tapped(line, t)) is not None:
            return tapped
        launch.take(rank, said, t)
        if said.startswith(_OURS[0]) and rank is None:
            rank = self._greeted(said)
        if said.startswith(_OURS[0]) and rank is not None:
            hello = launch.rank(rank).hello.get("pid", "")
            if hello.isdecimal() and len(hello) < 10:
                launch.news.append(events.Spawn(rank, int(hello)))
        self._heard(rank, said)
        news, launch.news = launch.news, []
        if rank is None:
            return Said(0, LAUNCHER, line, events=news)
        label = len(whole) - len(said)  # characters, but labels are ASCII
        return Said(rank, stream, line[label:], self._is_shown(said), news)

    def take_many(self, t: float, stream: int, lines: bytes) -> list[Said] | None:
        """Take many lines of the launcher's output, if they can be taken at once."""
        return bulk.take(self.launch, stream, lines, lambda line: self.take(t, stream, line))

    def _greeted(self, said: str) -> int | None:
        told = text.hello(said.partition("hello ")[2]).get("rank", "")
        return int(told) if told.isdecimal() and len(told) < 8 else None

    def _tapped(self, line: bytes, t: float) -> Said | None:
        found = _TAP.search(line)
        if found is None:
            return None
        launch = self.launch
        rank, side = int(found[1]), found[2].decode()
        launch.tapped = True
        at = min(t, float(found[3]) - self._epoch)
        message = found[4].rstrip(b"\r")
        launch.take(None, f"{rank}: {_SIDE[side]}: {message.decode(errors='replace')}", at)
        self._phase(rank, message)
        news, launch.news = launch.news, []
        return Said(rank, _PMI[side], message, shown=self._plain, events=news, at=at)

    def _phase(self, rank: int, message: bytes) -> None:
        """Tell of the phase that a message on the wire begins."""
        command = (pmi1.word(message, b"cmd") or b"").decode(errors="replace")
        entered = self.launch.rank(rank).barriers_in
        phases = {
            "response_to_init": "init", "put": "put", "barrier_in": "barrier",
            "barrier_out": "get", "finalize_ack": "finalize",
        }  # fmt: skip
        if command in phases:
            self.launch.news.append(events.Pmi(rank, phases[command], entered))
        if command == "barrier_out":
            self.launch.passed(entered)

    def _heard(self, rank: int | None, said: str) -> None:
        """Tell of what log lines say, until the launch has ended for whatever reason."""
        log = text.LOG.match(said)
        if log is None:
            return
        who = log["who"]
        number = int(who) if who.isdecimal() and len(who) < 8 else rank if rank is not None else 0
        news, body = self.launch.news, log["text"]
        step = text.STEP.match(body) if log["module"] == "broker" else None
        if step is not None and step[3] in STATES:
            news.append(_state(number, step))
            if number == 0 and step[3] == "run":
                news.append(events.Program("started"))
            return
        if log["severity"] in text.SEVERE:
            news.append(events.Log(number, 3, log["module"], body))
        if number:
            return
        if online := _ONLINE.match(body):
            news.append(events.Online(online[1]))
        elif ended := _ENDED.match(body):
            news.append(events.Program("ended", int(ended["code"]), ended["command"]))

    def _is_shown(self, said: str) -> bool:
        if self._plain:
            return True
        if said.startswith((*text.HEADS, *_OURS)):
            return False
        log = text.LOG.match(said)
        return log is None or log["severity"] not in _CALM

    def died(self, t: float, end: events.Exit) -> None:
        """Take that a broker on this host has ended."""
        self.launch.died(end, t)

    def stopping(self, t: float, by: str) -> None:
        """Take that we have begun to end the launch: what follows is no evidence."""
        self.launch.stop(Line(NO_LINE, t, None, by))

    def probed(self, t: float, probe: events.Probe) -> None:
        """Take how a broker on this host looks from outside."""
        host = self.launch.rank(probe.rank).host
        self.launch.probe(probe.rank, Probe.of(t, host, probe))

    def stalled(self, t: float) -> bool:
        """Tell whether brokers are to be looked at, since none comes any further."""
        launch = self.launch
        up = launch.leader.stage == Stage.RUN and launch.program_ended is None
        if launch.stopped is not None or launch.over is not None:
            return False
        # Whoever is stopped may be continued by somebody.
        return any(map(launch.frozen, launch.ranks)) or (not up and launch.quiet(t) >= STALL)

    @property
    def in_pmi(self) -> bool:
        """Whether rank 0 is still in PMI."""
        return self.launch.leader.stage < Stage.JOIN

    @property
    def leads(self) -> bool:
        """Whether rank 0 is so far that the others end with it: in rc1 that may take for ever."""
        return self.launch.leader.stage >= Stage.QUORUM and not self.launch.singletons

    @property
    def hindered(self) -> bool:
        """Whether there are findings."""
        return bool(self._changes.known)

    def look(self, t: float) -> list[Event]:
        """Return what has become a finding, and which finding is none any more."""
        return self._changes.since(rules.diagnose(self.launch, t))

    def ended(self, t: float, code: int) -> list[Event]:
        """Take that the launcher has ended; return the last findings."""
        self.launch.end(code)
        self.launch.past = True
        return self.look(t)
