"""What a value may be, read from how it is named: `PATH|flux|embedded` is a file or two words."""

from __future__ import annotations

import re
from typing import NamedTuple

_KINDS = {
    "CMD": "command",
    "DIR": "directory",
    "FILE": "file",
    "PATH": "file",
    "SESSION": "session",
    "TARGET": "file",
}
_SIGNALS = ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "CONT", "STOP", "TSTP")


class Values(NamedTuple):
    """What a shell can offer for a value; nothing where neither is known."""

    words: tuple[str, ...]
    """Words to be taken as they are."""
    kinds: tuple[str, ...]
    """What there may be many of: command, directory, file, session."""


def parse(name: str) -> Values:
    """Return what the name of a value says, as `--help` has it.

    Small letters are words, capitals name a kind, brackets say that it may be missing.
    """
    if name == "SIGNAL":
        return Values(_SIGNALS, ())
    parts = name.strip("[]").split("|")
    capitals = [re.match("[A-Z]*", part)[0] for part in parts]  # type: ignore[index]
    return Values(
        tuple(part for part in parts if part == part.lower() and part[:1] not in ("", ".")),
        tuple(dict.fromkeys(_KINDS[word] for word in capitals if word in _KINDS)),
    )
