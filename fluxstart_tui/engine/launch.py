"""Normal mode: become a single broker in place (flux-start.c: exec_broker).

That is what a launcher needs, whose child the broker has to be. Where there is none, the broker is
a singleton, and whoever wants to look at it or to record it has it run by instance.py.
"""

from __future__ import annotations

import errno
import os
import signal

from fluxstart_tui.engine import command
from fluxstart_tui.engine.errors import LaunchError, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.options import Options

_LAUNCHERS = (
    "PMI_FD", "PMI_PORT", "PMI_RANK", "PMIX_RANK", "PMIX_NAMESPACE", "SLURM_PROCID", "PALS_RANKID",
    "FLUX_TASK_RANK",
)  # fmt: skip
"""What launchers set for each process that they start: PMI-1 servers (Hydra, flux run), PMIx ones,
srun, Cray's PALS, flux run without PMI. A broker keeps all of them from its initial program, so
that below an instance there is no launcher (flux-core: src/broker/runat.c)."""


def launcher(environ: Mapping[str, str]) -> str | None:
    """Return the name of a variable that tells of a launcher, None if there is none."""
    return next((name for name in _LAUNCHERS if name in environ), None)


def become_broker(options: Options, located: Located, messages: Messages) -> int:
    """Replace this process with a broker; return 0 under --noexec, else not at all.

    Raises:
        LaunchError: the broker can not be executed.
    """
    shared = command.common(options, located)
    if shared.warning is not None:
        messages.say(shared.warning)
    words = command.argv(options, located, shared, None)
    if options.verbose >= 1:
        messages.say(" ".join(words))
    if options.noexec:
        return 0
    # Python ignores these two; a handler of ours would be reset by exec, an ignored signal not.
    for signum in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(signum, signal.SIG_DFL)
    try:
        try:
            os.execvpe(command.executable(words), words, located.env)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            # execvp(3) gives a script without #! to the shell.
            os.execve("/bin/sh", ["/bin/sh", *words], located.env)
    except OSError as error:
        raise LaunchError(f"error execing broker: {reason(error)}") from error
