"""What CI is told of a session: what has come of it, who is to blame, and which phase it was in."""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.diagnose import progress
from fluxstart_tui.diagnose.interrupt import killed
from fluxstart_tui.diagnose.rewind import rewind
from fluxstart_tui.diagnose.words import printable, seconds
from fluxstart_tui.report import parts, summary
from fluxstart_tui.report.text import headline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fluxstart_tui.diagnose.launch.finding import Finding
    from fluxstart_tui.diagnose.progress import Phase
    from fluxstart_tui.report.summary import Summary, Tail
    from fluxstart_tui.session.state import InstanceState

_PATIENCE = ("interrupt", "timeout")
"""Failures that are but the end of somebody's patience: what was waited for is the cause then."""

_UP = "I1"
"""Finding that a launch was stopped while its program ran: nothing that hinders it."""


class Verdict(NamedTuple):
    """What there is to say of an instance that has ended."""

    header: dict[str, Any]
    state: InstanceState
    then: InstanceState
    """The same when it failed, before its end was asked for."""
    summary: Summary
    findings: list[Finding]
    phases: list[Phase]
    """As they were then."""
    held: Phase | None
    """The phase that it failed in."""
    blamed: frozenset[int]
    """Ranks that are the cause; none where its program failed."""

    @property
    def failed(self) -> bool:
        """Whether it has not come to a good end."""
        return self.summary.outcome != "success"

    @property
    def cause(self) -> str:
        """Why it has failed, in a sentence; "" if it has not or nothing is known."""
        first = self.summary.first
        if not self.failed or (first is not None and first.kind not in _PATIENCE):
            return first.text if first is not None else ""
        # A program that still ran is what was waited for, whatever else there is to find.
        certain = [one for one in self.findings[:1] if one.confidence == "certain"]
        if certain and (self.held is None or self.held.name != "run"):
            return printable(certain[0].sentence)
        return self.summary.doing

    @property
    def title(self) -> str:
        """What has come of it in a line, the cause first."""
        outcome = self.summary.outcome
        if not self.cause or outcome not in ("timeout", "interrupted", "failed"):
            return headline(self.summary)
        ended = {"timeout": "timed out", "interrupted": "interrupted"}.get(outcome)
        first = self.summary.first
        if ended is None or first is None:
            return self.cause
        return f"{self.cause}; {ended} after {seconds(first.t)}"


def judge(
    header: dict[str, Any],
    state: InstanceState,
    tail: Tail,
    findings: list[Finding],
    directory: str = "",
    *,
    live: bool = False,
) -> Verdict:
    """Return the verdict on an instance.

    Args:
        header: what its session begins with.
        state: what it has come to.
        tail: gives the last lines of a rank's output.
        findings: what has hindered it.
        directory: where its session is.
        live: whether it still runs.
    """
    found = summary.summarize(header, state, tail, directory=directory, live=live)
    first = found.first
    times = [killed(state), first.t if first is not None else None]
    at = min((t for t in times if t is not None), default=None)
    then = state if at is None else rewind(state, at)
    phases = progress.phases(then)
    if found.outcome == "success":
        return Verdict(header, state, then, found, [], phases, None, frozenset())
    findings = [one for one in findings if one.id != _UP]
    if first is not None and first.kind == "program":
        held = next((phase for phase in phases if phase.name == "run"), None)
        blamed = frozenset[int]()
    else:
        held = phases[progress.current(phases, ended=False)] if phases else None
        blamed = frozenset(parts.blamed(then, first)).union(*(one.ranks for one in findings))
        blamed &= frozenset(range(state.size))  # others no session of ours names
    return Verdict(header, state, then, found, findings, phases, held, blamed)
