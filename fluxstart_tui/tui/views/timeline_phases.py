"""How long each phase of the start and the end took, and which rank was the last: a row a phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fluxstart_tui.diagnose import phase_times
from fluxstart_tui.diagnose.progress import current, took
from fluxstart_tui.diagnose.words import ids, span, who
from fluxstart_tui.tui.widgets import strip
from fluxstart_tui.tui.widgets.source import Source, styled
from fluxstart_tui.tui.widgets.waited import progress

if TYPE_CHECKING:
    from fluxstart_tui.diagnose.progress import Phase
    from fluxstart_tui.tui.model import Model

_RATE = 4
"""Times a second that what only grows with time is told anew."""
_LATEST = 3
"""Ranks that are named: those that came last."""


class PhasesSource(Source):
    """Phases, in their order.

    Args:
        model: the session.
    """

    title = "Phases"
    ticks = True

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self._phases: list[Phase] = []
        self._times: dict[str, phase_times.Phase] = {}
        self._at = -1
        self._changes = -1
        self._seen: tuple[object, ...] = ()

    def __len__(self) -> int:
        return len(self._phases)

    def find_phase(self, name: str) -> int:
        """Return the row of a phase, else of the one that is under way, or the first one."""
        names = [one.name for one in self._phases]
        return names.index(name) if name in names else max(0, self._at)

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        model = self.model
        known = progress(model)
        grows = not model.ended and self._at >= 0
        seen = (known.changes, model.ended, int(model.now * _RATE) if grows else 0)
        if seen == self._seen:
            return False
        self._seen = seen
        if known.changes != self._changes:
            self._changes = known.changes
            self._phases = known.phases
            self._times = phase_times.times(model.state)
        self._at = current(self._phases, ended=model.ended)
        self.version += 1
        return True

    def status(self) -> str:
        """Say what the times are."""
        return "took: from the first rank in to the last one out"

    def header(self, _width: int) -> Text:
        """Return the names of the columns."""
        return Text(f"   {'PHASE':<10} {'RANKS':>11}  {'FIRST IN':>9}  {'LAST IN':>9}  "
                    f"{'LAST RANK':<12} {'TOOK':>10}")  # fmt: skip

    def row(self, i: int, _width: int) -> Text:
        """Return a phase."""
        phase = self._phases[i]
        glyph, _ = strip.mark(phase, i, self._at)
        waits = i == self._at and not strip.lives(phase)
        text = styled(f" {glyph} {phase.name:<10} ", "bold yellow" if waits else "bold")
        text.append(f"{f'{len(phase.reached)}/{phase.total}':>11}  ")
        text.append(f"{_moment(phase.first):>9}  {_moment(phase.last):>9}  ")
        lacking = self._lacking(i)
        last = f"not {ids(lacking, 8)}" if lacking else self._last_rank(phase.name)
        text.append(f"{last:<12} ", "bold yellow" if lacking else "")
        lasted = took(self._phases, i)
        if lasted is not None:
            text.append(f"{span(lasted):>10}", "bold")
        elif phase.first is not None and not self.model.ended:
            so_far = span(max(0.0, self.model.now - phase.first))
            text.append(f"{f'> {so_far}':>10}", "bold yellow" if waits else "")
        else:
            text.append(f"{'-':>10}", "dim")
        return text

    def _lacking(self, i: int) -> frozenset[int]:
        """Return who has not come to a phase that others have come to, and is waited for."""
        phase = self._phases[i]
        return phase.absent if phase.reached and not self.model.ended else frozenset()

    def _last_rank(self, name: str) -> str:
        """Return who came last, or how many did at once."""
        one = self._times[name]
        if one.last_rank is not None:
            return str(one.last_rank)
        together = sum(t == one.last for t in one.ranks.values())
        return f"{together} at once" if together > 1 else "-"

    def detail(self, i: int) -> Text:
        """Return who came last, how much later than the first one, and who is missing."""
        phase, ranks = self._phases[i], self._times[self._phases[i].name].ranks
        text = styled(f"{phase.name} ", "bold")
        if not ranks:
            text.append("nobody is known to have come to it", "dim")
        else:
            first = min(ranks, key=lambda rank: (ranks[rank], rank))
            text.append(f"first in rank {first} at {span(ranks[first])}")
            latest = sorted(set(ranks) - {first}, key=lambda rank: (-ranks[rank], rank))[:_LATEST]
            told = (f"rank {rank} +{span(ranks[rank] - ranks[first])}" for rank in latest)
            text.append(f"; last in {', '.join(told)}" if latest else "")
        if phase.reached and phase.missing and not (self.model.ended or strip.lives(phase)):
            inside = "not through" if phase.lasts else "missing"
            text.append(f"\n{inside}: {who(phase.missing)}", "yellow")
        return text

    def rank(self, i: int) -> int | None:
        """Return the rank that came last."""
        return self._times[self._phases[i].name].last_rank

    def ranks(self, i: int) -> frozenset[int]:
        """Return who is waited for, or else the rank that came last."""
        return self._lacking(i) or super().ranks(i)

    def plain(self, i: int) -> str:
        """Return what is searched in a row: the phase's name."""
        return self._phases[i].name


def _moment(t: float | None) -> str:
    return "-" if t is None else span(t)
