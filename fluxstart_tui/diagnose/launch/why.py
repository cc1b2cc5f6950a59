"""How to learn why a rank has ended, where its own lines do not tell enough."""

from __future__ import annotations

import re
import shlex

from fluxstart_tui.diagnose.launch.signs_flux import FATAL, SHELL
from fluxstart_tui.diagnose.words import PROGRAM, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.launch import Launch

_LINES = {
    "colon": "(^|[] >]){}: ",
    "brackets": r"\[{}\] ",
    "tag": r"[[,]{}\].*<std",
    "angle": "(^|[] ]){}[(>]",
    "host": " {}: ",
}
"""Finds the lines of a rank in a log, by the form of its labels (launchers/labels.py)."""

_LABELS = (
    "srun --label ...",
    "flux run --label-io ...",
    "mpiexec.hydra -prepend-rank ...",
    "mpiexec.gforker -l ...",
    "mpirun --tag-output ...",
)
_DETAILS = "flux start -o,-v,-Slog-stderr-level=7 ...   # shows the last step before the end"

_KNOWN = re.compile(r"\bsent (?:by|through) |\bkilled by the |\bto end the instance")
"""Ends of which it was seen who wanted them (diagnose/words.py)."""
_KILLED = re.compile(r"\b(?:SIGKILL|Killed|signal 9)\b")
_DUMPED = re.compile(
    r"\bSIG(?:ABRT|BUS|FPE|ILL|SEGV|SYS|TRAP)\b"
    r"|Segmentation fault|Aborted|Bus error|Illegal instruction|core dumped"
)


def why(launch: Launch, number: int) -> tuple[str, ...]:
    """Return commands that tell more of a rank's end; none if that has been explained."""
    rank = launch.rank(number)
    signs = (*FATAL.by_id, *SHELL.by_id)
    hits = (hit for sign in signs for hit in launch.hits.get(sign, ()))
    how = rank.exit.how if rank.exit is not None else ""
    if _KNOWN.search(how) or any(hit.line.rank == number for hit in hits):
        return ()
    host = printable(rank.host, 60) or "its host"
    found = list(_own_lines(launch, number))
    if not (launch.labels.name or launch.host or launch.test_mode):  # a log without labels
        found += _LABELS
    if not launch.detailed:
        found.append(_DETAILS)
    if _KILLED.search(how):
        found.append(
            f"dmesg -T | grep -i -E 'out of memory|killed process'   # on {host}: whether the"
            " kernel has killed it"
        )
    elif _DUMPED.search(how):
        found.append(
            f"ulimit -c unlimited   # then launch it again: gdb shows where the core file of rank"
            f" {number} comes from"
        )
    elif not rank.errors and rank.word is None:
        found.append(
            "flux start --wrap=strace,-ff,-o,/tmp/flux-strace ...   # what it did last:"
            f" /tmp/flux-strace.PID on {host}"
        )
    return tuple(found)


def _own_lines(launch: Launch, number: int) -> tuple[str, ...]:
    """Return what shows all that a rank has said, if that is kept somewhere."""
    label = _LINES.get(launch.labels.name)
    if launch.session:
        session = shlex.quote(launch.session)
        return (f"{PROGRAM} --replay={session}   # and there rank {number}: all it has said",)
    if launch.source and label:
        words = shlex.join(["grep", "-nE", label.format(number), launch.source])
        return (f"{words}   # all that rank {number} has said",)
    return ()
