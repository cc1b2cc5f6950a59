"""A launch that is tried anew as a remedy says: the command line of this program for it."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

from fluxstart_tui.diagnose.launch.remedies import flux_start
from fluxstart_tui.launchers import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_OURS = ("--record", "--compare", "--launcher")
"""Options of ours that a rerun has others of."""
_PROGRAM = "fluxstart-tui"
_COMMENT = "   # "
_BLANK = re.compile(r"=N$|HOSTFILE|/full/path/to|10\.0\.0\.0/8")
"""What only the user can fill in."""


class Rerun(NamedTuple):
    """What to run instead."""

    launcher: list[str]
    options: list[str]
    """What is given to `flux start` beside what it had."""
    words: list[str]
    """Command line of this program, without its name."""

    @property
    def text(self) -> str:
        """What is changed, as one reads it."""
        more = f" {shlex.join(self.options)}" if self.options else ""
        return f"--launcher={shlex.quote(shlex.join(self.launcher))}{more}"


def rerun(header: Mapping[str, Any], remedy: str, session: str) -> Rerun | None:
    """Return the command line that tries a remedy; None if it is no change of the launch.

    Args:
        header: of the session of the launch.
        remedy: a finding's, made of the launch's own command (diagnose/launch/remedies.py).
        session: directory of the session, which the new one is to be compared with.
    """
    command, argv = header.get("command"), header.get("argv")
    options = header.get("options")
    if not (isinstance(command, list) and isinstance(argv, list) and isinstance(options, dict)):
        return None
    former = options.get("launcher")
    try:
        words = shlex.split(remedy.partition(_COMMENT)[0])
    except ValueError:
        return None
    if not isinstance(former, list) or not former:
        return None
    added = _added(words)
    launcher = former
    if added is None:
        begin = flux_start(command) or len(command)
        start, rest = command[len(former) : begin], command[begin:]
        at = next((at for at in range(len(words)) if words[at : at + len(start)] == start), -1)
        first, last = at + len(start), len(words) - len(rest)
        if at < 0 or not rest or last < first or words[last:] != rest:
            return None
        launcher, added = words[:at], words[first:last]
    if any(map(_BLANK.search, (*launcher, *added))):
        return None
    if table.start(launcher) is None or (launcher == former and not added):
        return None
    if "=" in launcher[0] and launcher[0].partition("=")[0].isidentifier():
        launcher = ["env", *launcher]
    program = options.get("command") or []
    head = _kept(argv[1 : len(argv) - len(program)])
    changed = [f"--launcher={shlex.join(launcher)}", f"--compare={session}", *added]
    return Rerun(launcher, added, [*changed, *head, *program])


def _added(words: list[str]) -> list[str] | None:
    """Return the options of `flux start OPTION ...`, or those of a command line of our own."""
    if words[:1] == [_PROGRAM] and not any(word.startswith("--ctl") for word in words):
        return [word for word in words[1:] if not word.startswith("--launcher=")]
    pattern = words[:2] == ["flux", "start"] and len(words) > 3 and words[-1] == "..."
    return words[2:-1] if pattern else None


def _kept(words: list[str]) -> list[str]:
    """Return the options that stay as they are."""
    kept = []
    at = 0
    while at < len(words):
        name, _, value = words[at].partition("=")
        if name not in _OURS:
            kept.append(words[at])
        elif not value and name != "--record":
            at += 1
        at += 1
    return kept
