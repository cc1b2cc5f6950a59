"""A launch that somebody else has started, as it is right now: looked at, asked, never touched."""

from __future__ import annotations

import os
import stat
import time
from typing import NamedTuple

from fluxstart_tui.probe import ask, broker, family, reach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.probe.ask import Answers
    from fluxstart_tui.probe.broker import Look
    from fluxstart_tui.probe.family import Family

_MOMENT = 0.1
"""Seconds: who waits for a device (state D) still then is caught there; all do for moments."""

_LOCAL = "local://"
_SLURM = "slurm:"


class Survey(NamedTuple):
    """What was found."""

    family: Family
    looks: dict[int, Look]
    """How the processes look, by rank."""
    answers: dict[int, Answers]
    """What brokers have said, by rank; those without a socket are left out."""
    reached: dict[str, str]
    """Whether endpoints of parents that ranks wait for can be reached from here."""
    time: float
    """When that was, in seconds since the epoch."""
    host: str


def find(target: str) -> Family | None:
    """Find the launch that a user means.

    Args:
        target: a pid, a local:// URI, slurm:JOBID, a broker's socket, or the directory of some.

    Returns:
        The launch, or None if that is no name of one: a log's, perhaps.

    Raises:
        FamilyError: that is no launch here, or we may not look at it.
    """
    if target.isascii() and target.isdecimal():
        return family.of_process(int(target[:20]))
    if target.startswith(_SLURM):
        job = target.removeprefix(_SLURM)
        if not (job.isascii() and job.isdecimal()):
            raise family.FamilyError(f"{target}: slurm:JOBID has a number")
        return family.of_job(job)
    if "://" in target and not target.startswith(_LOCAL):
        raise family.FamilyError(f"{target}: only {_LOCAL} URIs; run this on the URI's own host")
    path = target.removeprefix(_LOCAL)
    return family.of_socket(path) if path != target or _has_sockets(path) else None


def _has_sockets(path: str) -> bool:
    """Tell whether a path is a socket, or a directory of which the first entries are some."""
    try:
        if stat.S_ISSOCK(os.stat(path).st_mode):
            return True
        with os.scandir(path) as entries:
            return any(stat.S_ISSOCK(one.stat(follow_symlinks=False).st_mode) for one in entries)
    except OSError:
        return False


def survey(found: Family, patience: float = ask.PATIENCE) -> Survey:
    """Look at all tasks of a launch, and ask its brokers.

    Args:
        found: the launch.
        patience: seconds that brokers have to answer, and then their endpoints once more.
    """
    looks = {task.rank: broker.look(task.pid) for task in found.tasks}
    caught = [rank for rank, look in looks.items() if look.state == "D"]
    if caught:
        time.sleep(_MOMENT)
        looks |= {rank: broker.look(looks[rank].pid) for rank in caught}
    paths = {rank: look.local for rank, look in looks.items() if look.local}
    said = ask.ask(paths.values(), patience)
    answers = {rank: said[path] for rank, path in paths.items()}
    above = (
        one.attributes.get("tbon.parent-endpoint", "")
        for one in answers.values()
        if one.state == "join"
    )
    return Survey(
        found, looks, answers, reach.reach(above, patience), time.time(), os.uname().nodename
    )
