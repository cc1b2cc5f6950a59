"""Which lines are wanted: by rank, stream, severity and what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fluxstart_tui.tui.lines_block import LAUNCHER, SHOWN
from fluxstart_tui.tui.lines_severity import bad_lines, severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.tui.lines import Line
    from fluxstart_tui.tui.lines_block import BlockLines
    from fluxstart_tui.tui.lines_severity import Severity

CONTROLS = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-Z\\`-~]?)"
)
"""Escape sequences; between the letters of a word they do not matter to one who looks for it."""

# What may look beyond the end of a line, or see that there is none, in several lines at once.
_PER_LINE = re.compile(r"\\[AZ\n]|\(\?|\n|[*+?}]\+")
_CLASS = re.compile(r"\\.")
_MANY = 64
"""Hits in fewer than twice as many lines: from there on one by one is faster."""


class Matcher:
    r"""Finds a regular expression in lines; case matters if there is a capital letter in it.

    Args:
        pattern: as Python's re takes it.

    Raises:
        re.error: it is none.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        folded = pattern.casefold() == pattern or _CLASS.sub("", pattern).islower()
        self.folded = folded and not any(c.isupper() for c in _CLASS.sub("", pattern))
        """Whether case does not matter."""
        self.text = re.compile(pattern, re.IGNORECASE if self.folded else 0)
        """The expression for text."""
        self._bytes: re.Pattern[bytes] | None = None
        # To lower all bytes first is five times as fast as to ignore case; and all lines of a block
        # at once are twice as fast as one by one.
        if pattern.isascii() and not _PER_LINE.search(pattern):
            try:
                flags = re.MULTILINE | (re.IGNORECASE if self.folded and "\\x" in pattern else 0)
                self._bytes = re.compile(pattern.encode(), flags)
            except re.error:  # pragma: no cover - such as \N{...}, which bytes do not have
                pass

    def test(self, data: bytes) -> bool:
        """Tell whether it is in a line."""
        if b"\x1b" in data:
            data = CONTROLS.sub(b"", data)
        return self.text.search(data.decode(errors="replace")) is not None

    def find(self, texts: list[bytes]) -> list[int]:
        """Return, in order, the numbers of the lines that it is in."""
        if self._bytes is None:
            return [at for at, text in enumerate(texts) if self.test(text)]
        joined = b"\n".join(texts)
        if b"\x1b" in joined:
            joined = b"".join(CONTROLS.split(joined))  # faster than sub
            if joined.count(b"\n") != len(texts) - 1:  # a string without an end took some lines
                return [at for at, text in enumerate(texts) if self.test(text)]
        if self.folded:
            joined = joined.lower()
        found: list[int] = []
        line = at = 0
        search, end = self._bytes.search, len(joined)
        while at <= end:
            match = search(joined, at)
            if match is None:
                break
            start, stop = match.span()
            if b"\n" in joined[start:stop]:
                return [at for at, text in enumerate(texts) if self.test(text)]
            line += joined.count(b"\n", at, start)
            if line < len(texts):
                found.append(line)
            # One hit in a line is enough.
            at = joined.find(b"\n", stop) + 1 or end + 1
            line += 1
            if len(found) == _MANY > line // 2 and at <= end:
                rest = joined[at:].split(b"\n")
                return found + [n for n, text in enumerate(rest, line) if search(text)]
        return found


@dataclass(frozen=True)
class Filter:
    """Which lines are wanted."""

    ranks: frozenset[int] | None = None
    """Of which ranks; None for all."""
    streams: frozenset[int] = frozenset(SHOWN)
    """Of which streams."""
    worst: Severity | None = None
    """Only lines of this severity and worse; None for all."""
    matcher: Matcher | None = None
    """Only lines that have this in them."""
    inverse: bool = False
    """Only lines that do not have it in them."""

    @property
    def all(self) -> bool:
        """Whether all lines are wanted."""
        return (
            self.ranks is None
            and len(self.streams) == len(SHOWN)
            and self.worst is None
            and self.matcher is None
        )

    def wants(self, line: Line) -> bool:
        """Tell whether a line is wanted."""
        return (
            self._from(line.rank, line.stream)
            and (self.worst is None or severity(line.data) <= self.worst)
            and (self.matcher is None or self.matcher.test(line.data) != self.inverse)
        )

    def select(self, block: BlockLines) -> list[int]:
        """Return, in order, the numbers of the lines of a block that are wanted."""
        selected = list(self._of_ranks(block))
        if selected and self.matcher is not None:
            found = set(self.matcher.find(block.texts))
            selected = [at for at in selected if (at in found) != self.inverse]
        if selected and self.worst is not None:
            bad = set(bad_lines(block.texts, self.worst))
            selected = [at for at in selected if at in bad]
        return selected

    def _of_ranks(self, block: BlockLines) -> Iterator[int]:
        if self.ranks is None and len(self.streams) == len(SHOWN):
            yield from range(len(block.texts))
            return
        for begin, end, span in block.bounds():
            if self._from(span.rank, span.stream):
                yield from range(begin, end)

    def _from(self, rank: int, stream: int) -> bool:
        """Tell whether lines of a rank and stream are wanted; the launcher is no rank."""
        ours = self.ranks is None or (rank in self.ranks and stream != LAUNCHER)
        return ours and stream in self.streams
