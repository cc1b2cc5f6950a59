"""How bad a line looks: by what flux brokers put into theirs, and by the usual words."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Severity(IntEnum):
    """How bad a line looks; smaller is worse."""

    ERROR = 0
    WARNING = 1
    OTHER = 2


_WORDS = {
    Severity.ERROR: (
        b"error", b"fatal", b"critical", b".err[", b".crit[", b".alert[", b".emerg[",
        b"traceback", b"exception", b"panic", b"segfault", b"segmentation fault", b"aborted",
        b"failed", b"failure",
    ),
    Severity.WARNING: (b"warn", b".warning["),
}  # fmt: skip
"""What a line has in it that is of a severity, in lower case. None of them is in another."""

_TESTS = {
    Severity.ERROR: re.compile(
        rb"\.(?:err|crit|alert|emerg)\[|(?:errors?|exceptions?|fatal|critical|traceback|panic(?:ked)?"
        rb"|segfault|segmentation fault|aborted|failed|failures?)(?![a-z])"
    ),
    Severity.WARNING: re.compile(rb"\.warning\[|warn(?:ings?)?(?![a-z])"),
}
"""What a word is to go on like."""


def _bad(low: bytes, at: int, level: Severity) -> bool:
    """Tell whether one of the words of a level, found at a place, means what it says."""
    if not _TESTS[level].match(low, at):
        return False
    before = low[max(at - 4, 0) : at]
    if before[-2:] == b"0 " and not before[-3:-2].isalnum():  # "0 errors"
        return False
    if before[-3:] == b"no " and not before[:-3].isalnum():
        return False
    # Not within another word; but there is ValueError.
    return not before[-1:].isalpha() or low[at] == _DOT or low.startswith((b"er", b"ex"), at)


_DOT = ord(".")


def severity(text: bytes) -> Severity:
    """Return how bad a line looks."""
    low = text.lower().replace(b"\n", b" ")
    for level in _WORDS:
        if any(True for _ in _places(low, level)):
            return level
    return Severity.OTHER


def _places(low: bytes, level: Severity) -> Iterator[int]:
    """Yield where a line of some level begins; a line may come several times."""
    for word in _WORDS[level]:
        at = low.find(word)
        while at >= 0:
            if _bad(low, at, level):
                yield low.rfind(b"\n", 0, at) + 1
                at = low.find(b"\n", at)
                if at < 0:
                    break
            at = low.find(word, at + 1)


def bad_lines(texts: list[bytes], worst: Severity) -> Iterator[int]:
    """Yield, in order, the numbers of the lines that are of a severity or worse.

    To look for fixed words in all lines at once is faster than to look at each line.
    """
    low = b"\n".join(texts).lower()
    starts = {at for level in _WORDS if level <= worst for at in _places(low, level)}
    line = before = 0
    for start in sorted(starts):
        line += low.count(b"\n", before, start)
        before = start
        yield line
