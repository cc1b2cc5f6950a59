"""Ask a debugger where a program is: by a core file, or while it runs."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT = 15.0
_TIMEOUT_LIVE = 5.0
"""Seconds; a process is halted while it is looked at."""
_LINES = 60
_ALL = ("-ex", "thread apply all bt")
_SHORT = ("-ex", "set width 0", "-ex", "set print frame-arguments none")
"""Values may be what no report is to show."""


def of(core: str, program: str) -> str:
    """Return gdb's backtrace of all threads, "" where there is no gdb or it says nothing.

    Args:
        core: path of the core file.
        program: the executable that left it, looked up in PATH if it has no slash.
    """
    import shutil  # only who has a core file pays for it

    executable = shutil.which(program)
    if executable is None:
        return ""
    return _said(["gdb", "-batch", "-nx", *_ALL, os.path.realpath(executable), core], _TIMEOUT)


def live(pid: int) -> str:
    """Return where the threads of a process are: Python's own frames by py-spy, others by gdb.

    Args:
        pid: of a process on this host.

    Returns:
        Their stacks, "" where no such debugger is there or may attach.
    """
    try:
        name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""
    if name.startswith("python"):  # frames of the interpreter itself tell nothing
        return _said(["py-spy", "dump", "--pid", str(pid)], _TIMEOUT_LIVE)
    words = ["gdb", "-batch", "-nx", "-iex", "set auto-load off", "-p", str(pid)]
    text = _said([*words, *_SHORT, *_ALL], _TIMEOUT_LIVE)
    # What stands before is about the files that gdb has read.
    return text[at:] if (at := text.find("\nThread ") + 1) else ""


def _said(words: Sequence[str], timeout: float) -> str:
    """Return the last lines that a debugger prints, "" if there is none or it takes too long."""
    import shutil
    import subprocess

    if shutil.which(words[0]) is None:
        return ""
    try:
        done = subprocess.run(
            words,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            env={**os.environ, "DEBUGINFOD_URLS": ""},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "\n".join(done.stdout.decode(errors="replace").splitlines()[-_LINES:])
