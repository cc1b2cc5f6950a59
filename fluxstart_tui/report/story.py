"""What happened to an instance, as names with texts: what one wants to know first comes first."""

from __future__ import annotations

from fluxstart_tui.diagnose.words import span, who

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.gathered import Gathered

_ENDED = {"interrupt": "Ended by", "timeout": "Time was up"}
"""Failures that are but the end of somebody's patience: what was waited for comes first then."""


def story(found: Gathered) -> list[tuple[str, list[str]]]:
    """Return what happened; names without a text are left out."""
    summary, held = found.verdict.summary, found.verdict.held
    first = summary.first
    failure = [first.text] if first is not None else []
    ended = _ENDED.get(first.kind) if first is not None else None
    doing = [summary.doing] if summary.doing else []
    culprits = [who(found.culprits, 60)] if found.culprits else []
    if ended is not None:
        stuck = [held.name] if held is not None else []
        told = [("Until the end", doing), ("Culprit", culprits), ("Stuck in phase", stuck),
                (ended, failure)]  # fmt: skip
    elif first is not None:
        told = [("First failure", failure), ("Culprit", culprits), ("Meanwhile", doing)]
    else:
        told = [("Start", _start(found)), ("Now", doing)]
    told += [
        ("What followed", summary.then),
        ("Quorum", [summary.quorum] if summary.quorum else []),
        ("Exit timer", [summary.timer] if summary.timer else []),
        ("PMI", summary.pmi),
        ("Looked at", summary.looks),
        ("Core file", [first.core] if first is not None and first.core else []),
        ("Not recorded", summary.lost),
    ]
    return [(name, texts) for name, texts in told if texts]


def _start(found: Gathered) -> list[str]:
    """Say how long it took until all ranks were up, and who was last."""
    run = found.phases.get("run")
    if run is None or run.last is None:
        return []
    number = len(run.ranks)
    brokers = "the broker" if number == 1 else f"{number:,} brokers"
    late = "" if run.last_rank is None else f", rank {run.last_rank} as the last"
    return [f"{brokers} came to state run within {span(run.last)}{late}"]
