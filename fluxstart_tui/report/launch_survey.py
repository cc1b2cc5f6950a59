"""A launch from a look at what runs: its processes, and what its brokers say when asked."""

from __future__ import annotations

import datetime

from fluxstart_tui.diagnose.launch import signs_flux
from fluxstart_tui.diagnose.launch.finding import PATIENCE
from fluxstart_tui.diagnose.launch.launch import Launch
from fluxstart_tui.diagnose.launch.state import NO_LINE, STATES, Line, Probe, Stage
from fluxstart_tui.report.launch_log import Log
from fluxstart_tui.rfc import hostlist, idset
from fluxstart_tui.session import events
from fluxstart_tui.session.state import ranks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.probe.ask import Answers, Record
    from fluxstart_tui.probe.family import Task
    from fluxstart_tui.probe.survey import Survey

_SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


def read(survey: Survey, source: str) -> Log:
    """Read a survey into a launch.

    Args:
        survey: what was found.
        source: what the user has named.
    """
    return _Reading(survey).log(source)


class _Reading:
    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._now = survey.time - min(task.start for task in survey.family.tasks)
        self._leader = survey.answers.get(0)
        topology = self._leader.attributes.get("tbon.topo") if self._leader is not None else None
        self._launch = Launch(asked=survey.family.size, topology=topology)
        self._launch.launcher = survey.family.launcher
        self._launch.host = survey.host
        self._launch.command = survey.family.command
        answered = (STATES.get(one.state, Stage.SILENT) for one in survey.answers.values())
        self._past_pmi = any(stage >= Stage.JOIN for stage in answered)
        """Whether a rank is done with PMI: then all have entered its last barrier."""

    def log(self, source: str) -> Log:
        """Return the launch."""
        launch, survey = self._launch, self._survey
        self._measure()
        self._records()
        for task in survey.family.tasks:
            self._task(task)
        if self._leader is not None:
            self._membership(self._leader)
        missing = launch.everyone - {task.rank for task in survey.family.tasks}
        if survey.family.whole:
            gone = Line(NO_LINE, self._now, None, "no process on this host is this rank's")
            for rank in missing:
                launch.exited({rank}, "has no process", gone._replace(rank=rank))
                self._lost(gone._replace(rank=rank))
        else:
            launch.elsewhere = missing
            launch.others = self._others(missing)
            self._remote(launch.waited & missing)
        launch.now = self._now
        # Ranks were read one after the other.
        times = [one.since for one in launch.ranks.values() if one.since is not None]
        launch.progress = max(times, default=None)
        return Log(launch, self._now, source, numbered=False)

    def _others(self, missing: frozenset[int]) -> tuple[str, ...]:
        """Return the names of the hosts of ranks that are not on this one, if anything tells."""
        told = self._leader.attributes.get("hostlist", "") if self._leader is not None else ""
        try:
            hosts = hostlist.decode(told)
            by_rank = [hosts[rank] for rank in missing if rank < len(hosts)]
            found = by_rank or hostlist.decode(self._survey.family.hosts)
        except ValueError:
            return ()
        return tuple(sorted(set(found) - {self._survey.host}))

    def _measure(self) -> None:
        """Take the size, and the tasks that believe to be alone."""
        launch, told = self._launch, 0
        for number, answers in self._survey.answers.items():
            size = answers.attributes.get("size", "")
            if size.isdecimal() and len(size) < 8:
                rank = launch.rank(number)
                rank.boot_size = int(size)
                rank.sized = self._line(number, f"attribute size: {size}")
                told = max(told, int(size))
        launch.size = told or self._survey.family.size or len(self._survey.family.tasks)

    def _records(self) -> None:
        """Take the brokers' logs."""
        start = self._survey.time - self._now
        for number, answers in sorted(self._survey.answers.items()):
            for record in answers.log:
                if record.rank == number or record.rank not in self._survey.answers:
                    said = f"{record.app}.{_severity(record)}[{record.rank}]: {record.text}"
                    self._launch.take(number, said, _epoch(record.time, start) - start)

    def _task(self, task: Task) -> None:
        launch, look = self._launch, self._survey.looks[task.rank]
        answers = self._survey.answers.get(task.rank)
        rank = launch.rank(task.rank)
        if not look.state:
            gone = self._line(task.rank, f"process {task.pid} has ended meanwhile")
            launch.exited({task.rank}, "has no process any more", gone)
            return
        rank.host = self._survey.host
        rank.hello = {"pid": str(task.pid), "host": rank.host}
        says = self._says(answers) if answers is not None else ""
        probe = Probe.of(self._now, rank.host, events.Probe(task.rank, *look, says))
        launch.probe(task.rank, probe)
        line = self._line(task.rank, probe.text)
        stage = self._stage(task, answers)
        if stage > Stage.SILENT:
            since = None
            if answers is not None and answers.state in STATES:
                since = max(0.0, self._now - answers.since)
            launch.reach(rank, stage, line._replace(t=since))
        rank.step = line

    def _stage(self, task: Task, answers: Answers | None) -> Stage:
        """Return how far a task has come, at the least."""
        if answers is not None and answers.state in STATES:
            return STATES[answers.state]
        if not task.is_broker:
            return Stage.SILENT
        if task.named is None:
            return Stage.TRYING
        if not self._past_pmi:
            return Stage.BOOT
        online = ranks_of(self._leader.online) if self._leader is not None else frozenset()
        if self._leader is not None and task.rank in online:
            return min(STATES.get(self._leader.state, Stage.QUORUM), Stage.RUN)
        return Stage.FINALIZE

    def _says(self, answers: Answers) -> str:
        uri = answers.attributes.get("tbon.parent-endpoint", "")
        reached = self._survey.reached.get(uri)
        return answers.words + (f"; its parent at {uri}: {reached}" if reached else "")

    def _membership(self, leader: Answers) -> None:
        """Take whom rank 0 misses, and why as far as it knows."""
        launch = self._launch
        if STATES.get(leader.state) == Stage.QUORUM:
            launch.waited = launch.everyone - ranks_of(leader.online)
        for number, status, error in leader.children:
            line = self._line(number, f"overlay.health: rank {number} is {status} {error}".strip())
            found = signs_flux.FATAL.find(error)
            if found is not None:
                launch.hit(found[0], line, found[1])
            elif status == "lost":
                self._lost(line)

    def _remote(self, waited: frozenset[int]) -> None:
        """Take that rank 0 waits for ranks of which no more than that is known."""
        leader = self._leader
        if waited and leader is not None and leader.since >= PATIENCE:
            line = self._line(0, f"group broker.online: {leader.online}")
            hosts = hostlist.encode(self._launch.others) or "hosts"
            words = (f"{hosts} that nobody looks at", idset.encode(waited))
            self._launch.hit(signs_flux.EVENTS.by_id["Q0"], line, words)

    def _lost(self, line: Line) -> None:
        """Take that a rank is gone; it matters if the instance is up."""
        host = self._survey.host if self._survey.family.whole else "on another host"
        if self._launch.leader.stage == Stage.RUN:
            self._launch.hit(signs_flux.EVENTS.by_id["X1"], line, (host, str(line.rank)))

    def _line(self, number: int, text: str) -> Line:
        return Line(NO_LINE, self._now, number, text)


def _severity(record: Record) -> str:
    return _SEVERITIES[min(record.severity, len(_SEVERITIES) - 1)]


def _epoch(stamp: str, otherwise: float) -> float:
    try:
        return datetime.datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return otherwise
