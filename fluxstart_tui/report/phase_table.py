"""How long each phase of an instance took, and which rank was the last, as text."""

from __future__ import annotations

from fluxstart_tui.diagnose import phase_times, progress
from fluxstart_tui.diagnose.words import span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.session.state import InstanceState


def text(state: InstanceState) -> str:
    """Return a line for each phase that ranks came to; "" if it is not known when."""
    times = phase_times.times(state)
    phases = progress.phases(state)
    lines = []
    for at, phase in enumerate(phases):
        lasted = progress.took(phases, at)
        if phase.first is None or phase.last is None or lasted is None:
            continue
        last = times[phase.name].last_rank
        lines.append(
            f"  {phase.name:<11}{_ascii(phase.first):>10}{_ascii(phase.last):>10}"
            f"{'-' if last is None else last:>11}{_ascii(lasted):>10}\n"
        )
    head = f"  {'phase':<11}{'first in':>10}{'last in':>10}{'last rank':>11}{'took':>10}\n"
    return head + "".join(lines) if lines else ""


def _ascii(t: float) -> str:
    return span(t).replace("µ", "u")
