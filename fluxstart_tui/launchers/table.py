"""What is known of each launcher: one row per launcher, measured where it could be run."""

from __future__ import annotations

import os
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Launcher(NamedTuple):
    """One launcher."""

    name: str
    """srun, hydra, ompi..., as reports call it."""
    title: str
    words: tuple[str, ...]
    """Base names of its programs."""
    label: tuple[str, ...]
    """Arguments that make it label output."""
    grammar: str
    """Name of the label's form in labels.GRAMMARS; empty where it has to be calibrated."""
    rank_env: tuple[str, ...]
    """Environment variables that tell a task its rank, best first."""
    exit_rule: str
    """How its exit code is made of the tasks': highest, or, first."""
    stop: tuple[str, ...]
    """Signals to send it in this order, until it has ended."""
    counts: tuple[str, ...]
    """Options that give the number of tasks."""
    banner: str = ""
    """What `--version` prints, where base names are shared."""


_MPI_COUNT = ("-n", "-np", "--n", "--np", "-c")

TABLE = (
    Launcher("srun", "Slurm's srun", ("srun",), ("--label",), "colon",
             ("PMI_RANK", "SLURM_PROCID"), "highest", ("TERM", "KILL"), ("-n", "--ntasks")),
    Launcher("hydra", "MPICH's Hydra", ("mpiexec.hydra", "mpiexec.mpich", "mpirun.mpich"),
             ("-prepend-rank",), "brackets", ("PMI_RANK", "PMI_ID"), "or",
             ("TERM", "INT", "INT", "KILL"), _MPI_COUNT, "HYDRA build details"),
    Launcher("impi", "Intel MPI", (), ("-prepend-rank",), "brackets", ("PMI_RANK", "PMI_ID"),
             "or", ("TERM", "INT", "INT", "KILL"), _MPI_COUNT, "Intel(R) MPI Library"),
    Launcher("gforker", "MPICH's gforker", ("mpiexec.gforker",), ("-l",), "angle", ("PMI_RANK",),
             "highest", ("TERM", "KILL"), _MPI_COUNT),
    # SIGKILL leaves its tasks running, and 4.1 forgets them after two quick SIGINTs too.
    Launcher("ompi4", "Open MPI 4", ("orterun", "mpirun.openmpi", "mpiexec.openmpi"),
             ("--tag-output",), "tag", ("OMPI_COMM_WORLD_RANK", "PMIX_RANK"), "first",
             ("TERM", "KILL"), _MPI_COUNT, "mpirun (Open MPI) 4"),
    Launcher("ompi5", "Open MPI 5 / PRRTE", ("prterun", "prun"), ("--tag-output",), "tag",
             ("PMIX_RANK", "OMPI_COMM_WORLD_RANK"), "first", ("TERM", "KILL"), _MPI_COUNT,
             "mpirun (Open MPI) 5"),
    Launcher("flux", "flux run", ("flux",), ("--label-io",), "colon",
             ("FLUX_TASK_RANK", "PMI_RANK"), "highest", ("INT", "TERM", "KILL"),
             ("-n", "--ntasks", "-N", "--nodes")),
    Launcher("pals", "HPE PALS", ("aprun",), ("--label",), "host", ("PALS_RANKID", "PMI_RANK"),
             "highest", ("TERM", "KILL"), ("-n", "--np")),
    Launcher("jsrun", "IBM's jsrun", ("jsrun", "lrun"), ("--stdio_mode", "prepended"), "",
             ("PMIX_RANK", "OMPI_COMM_WORLD_RANK", "JSM_NAMESPACE_RANK"), "highest",
             ("TERM", "KILL"), ("-n", "--nrs", "-p")),
)  # fmt: skip

BY_NAME = {launcher.name: launcher for launcher in TABLE}

SHARED = {"mpiexec": "hydra", "mpirun": "ompi5"}
"""Base names of several launchers: the likelier one, if `--version` is not known."""

_WRAPPERS = {
    "env": ("-u", "-C", "-S"), "timeout": ("-s", "-k"), "nice": ("-n",), "nohup": (),
    "stdbuf": ("-i", "-o", "-e"), "salloc": ("-n", "-N", "-t", "-p", "-A", "-w"),
}  # fmt: skip
"""Commands that may stand before a launcher, with their short options that take a word."""


def recognise(argv: Sequence[str], version: str = "") -> Launcher | None:
    """Return the launcher of a command, None if it is none that is known.

    Args:
        argv: the command, wrappers such as env, timeout or salloc included.
        version: what the launcher prints on --version, which tells apart what shares a name.
    """
    at = start(argv)
    if at is None:
        return None
    name = os.path.basename(argv[at])
    if name == "flux":
        launches = any(word in ("run", "submit") for word in argv[at + 1 : at + 2])
        return BY_NAME["flux"] if launches else None
    for launcher in TABLE:
        if version and launcher.banner and launcher.banner in version:
            return launcher
    for launcher in TABLE:
        if name in launcher.words:
            return launcher
    if name in SHARED:
        return BY_NAME["pals" if "PALS" in version else SHARED[name]]
    return None


def start(argv: Sequence[str]) -> int | None:
    """Return the index of the first word that is no wrapper, its options or VAR=VALUE."""
    at = 0
    while at < len(argv):
        word = os.path.basename(argv[at])
        if word in _WRAPPERS:
            at = _after(argv, at + 1, _WRAPPERS[word])
            if word == "timeout":
                at += 1  # its duration
        elif "=" in argv[at] and argv[at].partition("=")[0].isidentifier():
            at += 1
        else:
            return at
    return None


def _after(argv: Sequence[str], at: int, with_word: tuple[str, ...]) -> int:
    while at < len(argv) and argv[at].startswith("-"):
        at += 2 if argv[at] in with_word else 1
    return at


def asked(argv: Sequence[str]) -> int | None:
    """Return how many tasks a launcher or salloc is asked for; None if it does not say."""
    launcher = recognise(argv)
    counts = launcher.counts if launcher is not None else ("-n", "-N", "--ntasks", "--nodes")
    found = []
    for at, word in enumerate(argv[: _program(argv)]):
        for option in counts:
            if word == option and at + 1 < len(argv):
                found.append(argv[at + 1])
            elif word.startswith(f"{option}="):
                found.append(word[len(option) + 1 :])
            elif len(option) == 2 and word.startswith(option) and word[2:].isdigit():
                found.append(word[2:])
    numbers = [int(text) for text in found if text.isascii() and text.isdigit() and len(text) < 8]
    return max(numbers, default=None)


def _program(argv: Sequence[str]) -> int:
    """Return the index of `flux start`: what follows are its own options."""
    for at, word in enumerate(argv[1:], 1):
        if os.path.basename(argv[at - 1]) == "flux" and word == "start":
            return at - 1
    return len(argv)
