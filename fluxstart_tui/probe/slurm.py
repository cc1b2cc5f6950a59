"""What Slurm says of a job of which no broker runs here."""

from __future__ import annotations

import subprocess

_PATIENCE = 5.0
"""Seconds that squeue has: slurmctld may not answer."""


def where(job: str) -> str:
    """Say in a line where a job's brokers are to be looked for."""
    try:
        done = subprocess.run(
            ["squeue", "--noheader", f"--jobs={job}", "--format=%T|%N|%r"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return "no broker of this job runs on this host, and there is no squeue to ask for others"
    except (OSError, subprocess.TimeoutExpired):
        return "no broker of this job runs on this host, and squeue does not answer"
    fields = done.stdout.decode(errors="replace").strip().split("|")
    if done.returncode or len(fields) < 3:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return said or "Slurm does not know this job: it may have ended"
    state, nodes, reason = fields[:3]
    if not nodes:
        return f"the job has no nodes yet: {state.lower()} ({reason})"
    return (
        f"no broker of this job that we may look at runs on this host; it has {nodes}. There:"
        f" srun --overlap --jobid={job} --label fluxstart-tui --diagnose=slurm:{job}"
    )
