"""All findings on a launch, the earliest cause first and then who waits for it."""

from __future__ import annotations

import math

from fluxstart_tui.diagnose.launch import (
    by_sign,
    by_size,
    ends,
    hardware,
    quorum,
    remedies,
    restarts,
    visibility,
    waits,
)

STALLS = frozenset(("S0", "S1", "S2", "S3", "S4", "R2", "R3", "Q1", "Q2", "N0", "X3", "X4"))
"""Findings of ranks that come no further."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.finding import Finding
    from fluxstart_tui.diagnose.launch.launch import Launch


def diagnose(launch: Launch, now: float | None = None) -> list[Finding]:
    """Return what is wrong with a launch, while it goes on or afterwards.

    Args:
        launch: what has been read of it.
        now: seconds since the launch; a launch that has ended or was stopped needs none.
    """
    found = [
        *by_sign.launcher(launch, now),
        *by_sign.brokers(launch),
        *by_size.singletons(launch, now),
        *waits.stalls(launch, now),
        *restarts.deserted(launch),
        *quorum.stalls(launch, now),
        *by_sign.events(launch),
        *ends.program(launch),
        *ends.shutdown(launch, now),
    ]
    found += ends.lost(launch)
    found += ends.hung_up(launch)
    found += ends.cut_off(launch, found)
    found += ends.frozen(launch, found)
    found += visibility.hindrances(launch, found)
    found += hardware.bound(launch)
    found = [visibility.admitted(launch, one) for one in found]
    name = remedies.launcher(launch)
    found = [
        one._replace(
            remedies=remedies.fitting(one.remedies, name, launch.command, past=launch.past),
            since=_since(launch, one),
        )
        for one in found
    ]
    if launch.past:  # what came first has led to the rest
        found.sort(key=lambda one: math.inf if one.since is None else one.since)
    return found


def _since(launch: Launch, one: Finding) -> float | None:
    """Return when what a finding tells of began: a stop, an end or a line, or else the stall."""
    stops = [
        rank.probe.t
        for number in one.ranks
        if (rank := launch.ranks.get(number)) and rank.frozen and rank.probe
    ]
    if stops:
        return min(stops)
    ends = [
        end.line.t
        for number in one.ranks
        if (rank := launch.ranks.get(number)) and (end := rank.exit) and end.line.t is not None
    ]
    if one.id in STALLS:
        return min(ends) if ends else launch.progress
    return min((line.t for line in one.evidence if line.t is not None), default=launch.progress)
