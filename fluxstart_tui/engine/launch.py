"""Normal mode: become a single broker in place (flux-start.c: exec_broker)."""

from __future__ import annotations

import errno
import os
import signal

from fluxstart_tui.engine import command
from fluxstart_tui.engine.errors import LaunchError, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.options import Options


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
