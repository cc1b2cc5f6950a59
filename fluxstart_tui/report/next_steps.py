"""What to do about an instance that has failed: commands, each with what it is for."""

from __future__ import annotations

import shlex

from fluxstart_tui.diagnose.words import PROGRAM, who
from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.verdict import Verdict


def next_steps(verdict: Verdict) -> list[str]:
    """Return commands for a shell; what stands behind # is a comment."""
    directory = verdict.summary.directory
    steps = [f"{replay(directory)}   # as it happened, in the UI"] if directory else []
    if verdict.summary.outcome != "timeout":
        return steps
    then = verdict.then
    ranks = sorted(verdict.blamed) or [0]
    halted = [rank for rank in ranks if then.broker(rank).suspended is not None]
    if halted:
        lets = f"while it hangs: lets {who(halted)} go on, as kill -CONT PID does"
        steps.append(f"{PROGRAM} --ctl=last signal {idset.encode(halted)} CONT   # {lets}")
    see = f"while it hangs: what {who(ranks)} {'runs' if len(ranks) == 1 else 'run'}, in the UI"
    return [*steps, f"{PROGRAM} --attach=last   # {see}"]


def replay(directory: str) -> str:
    """Return the command that opens a session."""
    return f"{PROGRAM} --replay={shlex.quote(directory)}"
