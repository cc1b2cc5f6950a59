"""What runs as rc1, initial program (rc2) and rc3, and in which environment.

The rules are those of flux-core's broker.c (create_runat_rc2) and runat.c (env_blocklist).
"""

from __future__ import annotations

import os
import stat

from fluxstart_tui.broker.errors import StartError
from fluxstart_tui.process import LOG_FD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_BLOCKED = frozenset(
    (
        "FLUX_ENCLOSING_ID",
        "FLUX_JOB_ID",
        "FLUX_JOB_ID_PATH",
        "FLUX_JOB_NNODES",
        "FLUX_JOB_SIZE",
        "FLUX_JOB_TMPDIR",
        "FLUX_KVS_NAMESPACE",
        "FLUX_PMI_LIBRARY_PATH",
        "FLUX_PROXY_REMOTE",
        "FLUX_TASK_LOCAL_ID",
        "FLUX_TASK_RANK",
        "FLUX_URI",
        LOG_FD,
        "I_MPI_PMI_LIBRARY",
        "NOTIFY_SOCKET",
    )
)
_BLOCKED_PREFIXES = ("PMI_", "PMIX_", "SLURM_", "PALS_")
_SHELLS = "/etc/shells"
_DEFAULT_SHELLS = ("/bin/sh", "/bin/csh")


def shell(environ: Mapping[str, str]) -> str:
    """Return the shell that runs command lines."""
    return environ.get("SHELL", "/bin/bash")


def shell_command(line: str, environ: Mapping[str, str]) -> list[str]:
    """Return the words that have the shell run a command line."""
    return [shell(environ), "-c", line]


def initial_program(words: list[str], environ: Mapping[str, str]) -> list[str]:
    """Return what to execute for the initial program given on the command line.

    Raises:
        StartError: it is an interactive shell, and there is no terminal.
    """
    if not words or (len(words) == 1 and _is_shell(words[0])):
        if not os.isatty(0):
            raise StartError("stdin is not a tty - can't run interactive shell")
        return words or [shell(environ)]
    if len(words) == 1 and not _is_executable(words[0]):
        return shell_command(words[0], environ)
    return words


def environment(environ: Mapping[str, str], uri: str, jobid: str | None) -> dict[str, str]:
    """Return the environment of commands: this one, without what a launcher told the broker."""
    ours = {
        name: value
        for name, value in environ.items()
        if name not in _BLOCKED and not name.startswith(_BLOCKED_PREFIXES)
    }
    ours["FLUX_URI"] = uri
    if jobid is not None:
        ours["FLUX_ENCLOSING_ID"] = jobid
    return ours


def describe(words: list[str], environ: Mapping[str, str]) -> str:
    """Return words as the log shows them: without `$SHELL -c`."""
    if len(words) > 2 and words[0] == shell(environ) and words[1] == "-c":
        words = words[2:]
    return " ".join(words)


def _is_shell(word: str) -> bool:
    try:
        with open(_SHELLS, encoding="utf-8", errors="replace") as lines:
            shells = [line.strip() for line in lines if line.startswith("/")]
    except OSError:
        shells = list(_DEFAULT_SHELLS)
    for path in shells:
        name = path.rpartition("/")[2]
        # Accounts without a login have these for a shell.
        if name not in ("true", "false") and word in (path, name):
            return True
    return False


def _is_executable(word: str) -> bool:
    if len(word.split()) != 1 or word != word.strip():
        return False
    try:
        regular = stat.S_ISREG(os.stat(word).st_mode)
    except OSError:
        return False
    return regular and os.access(word, os.X_OK | os.R_OK)
