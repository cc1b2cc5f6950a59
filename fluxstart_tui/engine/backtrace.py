"""Ask a debugger what a core file says."""

from __future__ import annotations

import os

_TIMEOUT = 15.0
_LINES = 60


def of(core: str, program: str) -> str:
    """Return gdb's backtrace of all threads, "" where there is no gdb or it says nothing.

    Args:
        core: path of the core file.
        program: the executable that left it, looked up in PATH if it has no slash.
    """
    import shutil  # only who has a core file pays for these
    import subprocess

    gdb = shutil.which("gdb")
    executable = shutil.which(program)
    if gdb is None or executable is None:
        return ""
    words = [gdb, "-batch", "-nx", "-ex", "thread apply all bt", os.path.realpath(executable), core]
    try:
        done = subprocess.run(
            words,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            env={**os.environ, "DEBUGINFOD_URLS": ""},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "\n".join(done.stdout.decode(errors="replace").splitlines()[-_LINES:])
