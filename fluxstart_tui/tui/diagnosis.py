"""What hinders a launch, as views show it: read from the session bit by bit, between frames."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from fluxstart_tui.diagnose.launch.finding import Finding
from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.diagnose.launch.state import Stage
from fluxstart_tui.report.launch_session import Reading, read
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.state import ranks_of
from fluxstart_tui.tui.model import Before
from fluxstart_tui.tui.widgets.waited import progress

if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.launch import Launch
    from fluxstart_tui.tui.model import Model

_SLICE = 0.006
"""Seconds of a frame that reading may take."""
_AGE = 0.5
"""Seconds for which a diagnosis is good."""
_SAID = tuple(map(STREAMS.index, ("stdout", "stderr", "tty")))
"""What is read in test mode: of PMI its journal knows, and a large boot's wire is a gigabyte."""


STOPPED = "I1"
"""The rule that tells of a launch that was up when somebody stopped it, as one does to try anew."""


class Shown(NamedTuple):
    """A finding, and since when it holds."""

    finding: Finding
    since: float
    """Seconds since the session's start."""


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
        self._since: dict[tuple[str, frozenset[int]], float] = {}
        self._begin()

    def _begin(self) -> None:
        model = self._model
        streams = None if model.header.get("mode") == "launcher" else _SAID
        self._reading = Reading(model.header, model.spool, streams)
        self.launched = self._reading.launched
        self._looked = 0.0
        if not self.launched:
            self._reading.launch.served = True  # its journal tells who is in a barrier

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
        fresh = self.launch.lines
        self.behind = self._reading.read(limit, time.monotonic() + _SLICE)
        runs = self.launch.leader.stage == Stage.RUN  # then time alone changes nothing
        seen = (progress(model).changes, model.ended, 0 if runs else int(now))
        if self.launch.lines != fresh:
            self._seen = None
        if self.behind or seen == self._seen or time.monotonic() - self._looked < _AGE:
            return
        self._seen = seen
        self.judge()

    def judge(self) -> None:
        """Diagnose what was read."""
        self._looked = time.monotonic()
        model = self._model
        self._reading.settle(model.state)
        found = diagnose(self.launch, self.now) if self.launch.known else []
        now = {(one.id, one.ranks): one for one in found}
        self._since = {key: self._since.get(key, model.now) for key in now}
        shown = [Shown(one, self._since[key]) for key, one in now.items()]
        if self.launched:  # what the engine has found is what counts
            shown = [
                Shown(_known(now, key[0], ranks_of(key[1]), told.sentence), since)
                for key, (since, told) in model.state.findings.items()
            ]
        self.findings = shown
        self.version += 1


def _known(
    found: dict[tuple[str, frozenset[int]], Finding], name: str, ranks: frozenset[int], text: str
) -> Finding:
    """Return a finding of the engine's with its evidence, or without if that is not there."""
    alike = [one for (rule, _), one in found.items() if rule == name]
    one = found.get((name, ranks)) or (alike[0] if len(alike) == 1 else None)
    return one or Finding(name, text, ranks)


def before(directory: str) -> Before:
    """Return what became of an earlier launch.

    Raises:
        SessionError: it is no session.
    """
    launch, now = read(directory)
    found = [one.id for one in diagnose(launch, now)]
    return Before(launch.phases(), [name for name in found if name != STOPPED])


_known_of: WeakKeyDictionary[Model, Diagnosis] = WeakKeyDictionary()


def of(model: Model) -> Diagnosis:
    """Return the diagnosis of a session."""
    found = _known_of.get(model)
    if found is None:
        found = _known_of[model] = Diagnosis(model)
    return found
