"""A report as data: one JSON object, whose shape is that of docs/report.md."""

from __future__ import annotations

import json

from fluxstart_tui import __version__
from fluxstart_tui.report import diagnosis, summary
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fluxstart_tui.report.gathered import Gathered
    from fluxstart_tui.report.newest import Newest

FORMAT, VERSION = "fluxstart-tui report", 1
"""Fields may be added within a version; one that goes or changes its meaning makes a new one."""


def text(found: Gathered) -> str:
    """Return a report as JSON, ASCII only."""
    return json.dumps(_report(found), indent=1) + "\n"


def _report(found: Gathered) -> dict[str, Any]:
    state, past = found.verdict.state, found.history
    return {
        "format": FORMAT,
        "version": VERSION,
        "program_version": __version__,
        "summary": json.loads(summary.as_json(found.verdict.summary)),
        "culprits": idset.encode(found.culprits),
        "diagnosis": json.loads(diagnosis.as_json(found.diagnosis)),
        "phases": [
            {"name": name, "first": one.first, "last": one.last, "last_rank": one.last_rank,
             "ranks": [[rank, t] for rank, t in sorted(one.ranks.items())]}
            for name, one in found.phases.items()
        ],
        "deaths": [
            {"ranks": idset.encode(one.ranks), "text": one.text, "cause": one.exit.cause,
             "code": one.exit.code, "signal": one.exit.signum, "detail": one.exit.detail,
             "core": one.exit.core, "first": one.first, "last": one.last}
            for one in found.deaths
        ],
        "barriers": [
            {"number": one.number, "released": one.released,
             "arrivals": [[rank, t] for rank, t in sorted(one.arrivals.items())],
             "missing": idset.encode(frozenset(range(state.size)) - one.arrivals.keys())}
            for one in past.barriers
        ],
        "quorum": {"wanted": past.wanted, "online": past.online},
        "exit_timer": [
            {"t": t, "action": one.action, "cause": one.cause, "ranks": one.ranks,
             "deadline": one.deadline if one.deadline >= 0 else None}
            for t, one in past.timers
        ],
        "usage": [
            {"t": one.t, "cpu_percent": one.cpu, "rss_kib": one.rss,
             "top_cpu": one.top_cpu, "top_rss": one.top_rss}
            for one in past.usage
        ],
        "events": [[one.t, one.text] for one in past.moments],
        "events_left_out": past.left_out,
        "output": _lines(found.output),
        "log": _lines(found.log),
    }  # fmt: skip


def _lines(found: Newest) -> dict[str, Any]:
    """Return lines, each as its time, ranks, kind and text."""
    lines = [[one.t, idset.encode(one.ranks), one.kind, one.text] for one in found.lines]
    return {"lines": lines, "bytes_left_out": found.left_out}
