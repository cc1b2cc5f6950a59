"""Launches that somebody else has started: looked at from outside, once or as long as one likes."""

from __future__ import annotations

from fluxstart_tui import target as targets
from fluxstart_tui.diagnose.launch import rules
from fluxstart_tui.diagnose.launch.changes import Changes
from fluxstart_tui.diagnose.launch.state import Stage
from fluxstart_tui.probe import survey
from fluxstart_tui.report import launch_survey
from fluxstart_tui.session import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.probe.family import Family
    from fluxstart_tui.report.launch_log import Log
    from fluxstart_tui.session.events import Event

_GLANCE = 0.5
"""Seconds that brokers have to answer again and again."""


def look(target: str) -> Log | None:
    """Look at what a user has named; None if that is no name of processes.

    Raises:
        FamilyError: it is, but no launch belongs to it that we may look at.
    """
    found = survey.find(target)
    return None if found is None else launch_survey.read(survey.survey(found), target)


def watcher(target: str | None) -> Callable[[str, int], int] | None:
    """Return what watches an instance for the UI, given a session and a descriptor (tui/source.py).

    Returns:
        None if the instance records itself, or if that is no name of one.

    Raises:
        FamilyError: no launch belongs to it that we may look at.
    """
    if target is None or target == "last" or targets.is_recorded(target):
        return None
    found = survey.find(target)
    if found is None:
        return None

    def watch(directory: str, tether: int) -> int:
        from fluxstart_tui.engine import observe
        from fluxstart_tui.options import Options

        chosen = Options("fluxstart-tui", record=True, record_dir=directory, tether=tether)
        return observe.run(chosen, found, _Looks(found).look)

    return watch


class _Looks:
    """Looks at an instance again and again, and tells what is new as events.

    Args:
        found: the instance.
    """

    def __init__(self, found: Family) -> None:
        self._found = found
        self._findings = Changes()
        self._told: dict[tuple[type[Event], int], Event] = {}

    def look(self) -> list[Event]:
        """Look at it once more."""
        seen = survey.survey(self._found, _GLANCE)
        launch, now, *_ = launch_survey.read(seen, "")
        news: list[Event] = []
        for rank, look in seen.looks.items():
            news += self._new(rank, events.Probe(rank, *look))
            known = launch.ranks[rank]
            if known.stage == Stage.BOOT:
                # It has its rank and size; what is between that and the barrier takes no time.
                waits = known.probe is not None and not known.probe.frozen
                news += self._new(rank, events.Pmi(rank, "barrier" if waits else "init", waits))
        return [*news, *self._findings.since(rules.diagnose(launch, now))]

    def _new(self, rank: int, event: Event) -> list[Event]:
        key = type(event), rank
        if self._told.get(key) == event:
            return []
        self._told[key] = event
        return [event]
