"""What happened to an instance, as names with texts: what one wants to know first comes first.

The cause is not among them: it is the title.
"""

from __future__ import annotations

from fluxstart_tui.diagnose.words import span
from fluxstart_tui.report.next_steps import next_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.gathered import Gathered

_DOING = {"timeout": "When time was up", "interrupted": "Until then", "running": "Now"}
"""What the instance did, by its outcome."""


def story(found: Gathered) -> list[tuple[str, list[str]]]:
    """Return what happened; names without a text are left out."""
    verdict, summary = found.verdict, found.verdict.summary
    first = summary.first
    # What names the cause says of a finding what the instance did, too.
    doing = [summary.doing] if summary.doing and not verdict.findings else []
    waited = first is not None and first.kind in ("timeout", "interrupt")
    told = [
        ("Asked for", [f"by {one} on the command line" for one in summary.faults]),
        ("Start", _start(found) if first is None else []),
        (_DOING.get(summary.outcome, "Meanwhile"), [] if doing == [verdict.cause] else doing),
        ("What followed", [*([first.text] if first is not None and waited else []), *summary.then]),
        ("Exit timer", [summary.timer] if summary.timer and summary.outcome == "running" else []),
        ("PMI", summary.pmi),
        ("Looked at", summary.looks),
        ("Core file", [first.core] if first is not None and first.core else []),
        ("Not recorded", summary.lost),
    ]
    return [(name, texts) for name, texts in told if texts]


def steps(found: Gathered) -> list[str]:
    """Return commands for what to do next."""
    return next_steps(found.verdict) if found.verdict.failed else []


def _start(found: Gathered) -> list[str]:
    """Say how long it took until all ranks were up, and who was last."""
    run = found.phases.get("run")
    if run is None or run.last is None:
        return []
    number = len(run.ranks)
    brokers = "the broker" if number == 1 else f"{number:,} brokers"
    late = "" if run.last_rank is None else f", rank {run.last_rank} as the last"
    return [f"{brokers} came to state run within {span(run.last)}{late}"]
