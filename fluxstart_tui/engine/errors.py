"""How a launch fails, and how that is said."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.engine.output import Output


class LaunchError(Exception):
    """The instance can not be started; the text is one line without prefix, the exit code 1."""


def reason(error: OSError) -> str:
    """Return the system's words for an error, as strerror(3) has them."""
    return os.strerror(error.errno) if error.errno else str(error)


class Messages:
    """Lines for the user on stderr, prefixed with the program's name as flux start's are.

    Whatever happens to stderr (closed, full, gone with its terminal) is not the instance's fault
    and does not end it.
    """

    def __init__(self, prog: str, output: Output) -> None:
        self.prog = prog
        self._output = output
        self.heard: Callable[[str], None] = lambda _text: None
        """Called with each line that is said, without the prefix."""

    def say(self, text: str) -> None:
        """Print one line with the prefix, not behind an unfinished one of somebody else's."""
        start = "" if self._output.between_lines else "\n"
        self.raw(os.fsencode(f"{start}{self.prog}: {text}\n"))
        self.heard(text)

    def raw(self, data: bytes) -> None:
        """Print bytes as they are."""
        self._output.write(data)
