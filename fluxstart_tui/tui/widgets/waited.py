"""How far all have come and on whom they wait, worked out once for all widgets.

Samples come several times a second and change neither, so they cost nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from fluxstart_tui.diagnose import doing, failure, interrupt, rewind
from fluxstart_tui.diagnose.progress import current, phases
from fluxstart_tui.session import events

if TYPE_CHECKING:
    from fluxstart_tui.diagnose.interrupt import Failure
    from fluxstart_tui.diagnose.progress import Phase
    from fluxstart_tui.session.state import InstanceState
    from fluxstart_tui.session.tree import Parent
    from fluxstart_tui.tui.model import Model


class Progress:
    """Phases, failure and the missing of one session.

    Args:
        model: the session.
    """

    def __init__(self, model: Model) -> None:
        self.phases: list[Phase] = []
        self.failure: Failure | None = None
        """What went wrong first."""
        self.missing: frozenset[int] = frozenset()
        """Who is waited for, or has failed first; empty if that is most of the ranks."""
        self.then = ""
        """What the instance did when somebody lost patience with it; "" if nobody did."""
        self.changes = 0
        """A number that changes with these."""
        self._seen = -1
        self._events = 0
        self.update(model)

    def update(self, model: Model) -> Progress:
        """Take what is new."""
        if model.version == self._seen:
            return self
        self._seen = model.version
        new = model.events[self._events :] if model.replay is None else None
        self._events = len(model.events)
        if new is not None and self.phases and all(type(one) is events.Sample for _, one in new):
            return self
        self.changes += 1
        # Not model.phases, which is worked out anew with each sample.
        self.phases = model.phases
        self.failure = failure.first(model.state)
        self.missing = frozenset(self.failure.ranks) if self.failure is not None else frozenset()
        self.missing |= _missing(self.phases, model.state, model.parent, ended=model.ended)
        killed = interrupt.killed(model.state)
        self.then = ""
        if killed is not None:
            former = rewind.rewind(model.state, killed)
            self.then = doing.sentence(former, killed, model.parent, past=True)
            self.missing |= _missing(phases(former), former, model.parent, ended=False)
        return self


def _missing(
    found: list[Phase], state: InstanceState, parent: Parent, *, ended: bool
) -> frozenset[int]:
    """Return who is not through the phase that is under way, unless that is most ranks.

    Who can not join because its parent is missing is no cause, but a victim (flux-core #3980).
    """
    at = current(found, ended=ended)
    missing = found[at].missing if at >= 0 else frozenset()
    if found and found[at].name in ("join", "rc1"):
        victims = (r for r in missing if state.broker(r).state == "join" and parent(r) in missing)
        missing -= frozenset(victims)
    return missing if len(missing) <= max(1, state.size // 2) else frozenset()


_known: WeakKeyDictionary[Model, Progress] = WeakKeyDictionary()


def progress(model: Model) -> Progress:
    """Return what is known of a session, up to date."""
    known = _known.get(model)
    if known is None:
        known = _known[model] = Progress(model)
    return known.update(model)
