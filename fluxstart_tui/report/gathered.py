"""All that a report tells of a session, gathered once for whatever form it is to have."""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.diagnose import phase_times
from fluxstart_tui.diagnose.words import ending
from fluxstart_tui.report import diagnosis, history, launch_log, newest, show, verdict
from fluxstart_tui.session.reader import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.phase_times import Phase
    from fluxstart_tui.report.history import History
    from fluxstart_tui.report.newest import Newest
    from fluxstart_tui.report.verdict import Verdict
    from fluxstart_tui.session.events import Exit
    from fluxstart_tui.session.state import InstanceState

OUTPUT_MAX, LOG_MAX = 2 << 20, 1 << 20
"""Bytes of output and of log records that a report holds."""


class Death(NamedTuple):
    """Ranks that ended alike."""

    exit: Exit
    """Of the first of them."""
    text: str
    """How and why."""
    ranks: frozenset[int]
    first: float
    last: float
    """Seconds since the session's start when the first and the last of them ended."""


class Gathered(NamedTuple):
    """A session, ready to be reported."""

    verdict: Verdict
    diagnosis: diagnosis.Report
    phases: dict[str, Phase]
    history: History
    deaths: list[Death]
    """The earliest first."""
    output: Newest
    log: Newest

    @property
    def culprits(self) -> frozenset[int]:
        """The ranks that are to blame: of the first finding, or as far as the failure tells."""
        first = self.verdict.summary.first
        if first is not None and first.kind == "program":
            return frozenset()
        named = (one.ranks for one in self.verdict.findings if one.ranks)
        return next(named, self.verdict.blamed)


def gather(directory: str) -> Gathered:
    """Gather what there is to report of a session.

    Raises:
        SessionError: it is none.
    """
    session = Session(directory)
    state, spool = session.state, session.output
    hindrances = diagnosis.report(launch_log.read(directory))
    found = verdict.judge(
        session.header,
        state,
        show.tail(session, state),
        hindrances.findings,
        directory,
        live=session.live,
    )
    gathered = Gathered(
        found,
        hindrances._replace(findings=found.findings),
        phase_times.times(state),
        history.history(session.events(), state),
        deaths(state),
        newest.newest(spool, newest.OUTPUT, OUTPUT_MAX),
        newest.newest(spool, newest.LOG, LOG_MAX),
    )
    session.close()
    return gathered


def deaths(state: InstanceState) -> list[Death]:
    """Return how ranks ended, those alike together."""
    alike: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for rank, broker in state.brokers.items():
        if broker.exit is not None:
            key = ending(broker.exit), broker.exit.detail
            alike.setdefault(key, []).append((broker.exit_t, rank))
    found = []
    for (text, _), ends in alike.items():
        (first, rank), (last, _) = min(ends), max(ends)
        end = state.broker(rank).exit
        assert end is not None
        found.append(Death(end, text, frozenset(rank for _, rank in ends), first, last))
    return sorted(found, key=lambda one: one.first)
