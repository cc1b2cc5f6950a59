"""What hinders a launch, as views show it: read from the session bit by bit, between frames."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from fluxstart_tui.diagnose.launch.finding import Finding
from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.diagnose.launch.state import Stage
from fluxstart_tui.report.launch_session import Reading, read
from fluxstart_tui.session.state import ranks_of
from fluxstart_tui.tui.model import Before
from fluxstart_tui.tui.widgets.paint import span
from fluxstart_tui.tui.widgets.waited import progress

if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.launch import Launch
    from fluxstart_tui.session import events
    from fluxstart_tui.tui.model import Model

_SLICE = 0.006
"""Seconds of a frame that reading may take."""
_AGE = 0.5
"""Seconds for which a diagnosis is good."""


class Shown(NamedTuple):
    """A finding, and since when it holds."""

    finding: Finding
    since: float
    """Seconds since the session's start."""

    def when(self, model: Model) -> str:
        """Return for how long it has held, or when it began once all is over."""
        if model.ended:
            return f"at {span(self.since)}"
        return f"for {span(max(0.0, model.now - self.since))}"


class Diagnosis:
    """The launch of a session up to the model's present.

    Args:
        model: the session.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.launched = False
        """Whether a launcher has started the brokers."""
        self.findings: list[Shown] = []
        self.version = 0
        """Changes with what there is to see."""
        self.behind = False
        """Whether there was more to read than a frame has time for."""
        self._reached = -1.0
        self._seen: object = None
        self._looked = 0.0
        self._begin()

    def _begin(self) -> None:
        model = self._model
        self._reading = Reading(model.header, model.spool)
        self.launched = self._reading.launched
        self._looked = 0.0

    @property
    def launch(self) -> Launch:
        """The launch as far as it was read."""
        return self._reading.launch

    @property
    def up(self) -> tuple[str, str] | None:
        """URI and host of an instance that waits for somebody, once it does."""
        return self._reading.up

    @property
    def now(self) -> float | None:
        """Seconds since the launch; None once it has ended."""
        return None if self._model.ended else self._model.now

    def look(self) -> None:
        """Take what is new for some milliseconds, and judge it twice a second."""
        model = self._model
        now = model.now
        if now < self._reached:
            self._begin()
        self._reached = now
        limit = None if model.replay is None else now
        fresh = self._reading.lines
        self.behind = self._reading.read(limit, time.monotonic() + _SLICE)
        if self._reading.lines != fresh:
            self._seen = None
        if self.behind or time.monotonic() - self._looked < _AGE:
            return
        self._looked = time.monotonic()
        runs = self.launch.leader.stage == Stage.RUN  # then time alone changes nothing
        stopped = [r for r, one in model.state.brokers.items() if one.suspended is not None]
        seen = (progress(model).changes, model.ended, stopped, 0 if runs else int(now))
        if seen != self._seen:
            self._seen = seen
            self.judge()

    def judge(self) -> None:
        """Diagnose what was read."""
        model = self._model
        self._reading.settle(model.state)
        found = diagnose(self.launch, self.now) if self.launch.known else []
        told = model.state.findings.values()
        if self.launched or told:  # who watches the brokers themselves knows more
            now = {(one.id, one.ranks): one for one in found}
            found = [_known(now, one, since) for since, one in told]
        self.findings = [Shown(one, model.now if one.since is None else one.since) for one in found]
        self.version += 1


def _known(
    found: dict[tuple[str, frozenset[int]], Finding], told: events.Finding, t: float
) -> Finding:
    """Return a finding of the engine's with its evidence, or without if that is not there.

    Args:
        found: by rule and ranks.
        told: what the engine has recorded.
        t: when it did.
    """
    ranks = ranks_of(told.ranks)
    alike = [one for (rule, _), one in found.items() if rule == told.id]
    one = found.get((told.id, ranks)) or (alike[0] if len(alike) == 1 else None)
    return one or Finding(told.id, told.sentence, ranks, since=t)


def before(directory: str) -> Before:
    """Return what became of an earlier launch.

    Raises:
        SessionError: it is no session.
    """
    launch, now = read(directory)
    return Before(launch.phases(), [one.id for one in diagnose(launch, now)])


_known_of: WeakKeyDictionary[Model, Diagnosis] = WeakKeyDictionary()


def of(model: Model) -> Diagnosis:
    """Return the diagnosis of a session."""
    found = _known_of.get(model)
    if found is None:
        found = _known_of[model] = Diagnosis(model)
    return found
