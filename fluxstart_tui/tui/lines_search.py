"""Search: in which rows something is, counted in the background from where one is."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluxstart_tui.tui.lines_filter import Matcher
    from fluxstart_tui.tui.lines_rows import Rows

_UNKNOWN = -1
_CACHED = 16


class Search:
    """The rows that have something in them.

    Args:
        rows: where to look.
        matcher: for what.
        row: where to begin; what is near is found first.
    """

    def __init__(self, rows: Rows, matcher: Matcher, row: int = 0) -> None:
        self.rows = rows
        self.matcher = matcher
        self.count = 0
        """Rows that have it in them, as far as is known."""
        self._counts: list[int] = []  # for each block
        self._known: dict[int, int] = {}  # rows of the blocks that are still growing
        self._next = min(rows.block_of(row), max(rows.blocks - 1, 0)) if rows.blocks else 0
        self._left = 0
        self._hits: dict[int, tuple[int, list[int]]] = {}  # of the last blocks that were asked for

    def _size(self, block: int) -> int:
        return self.rows.first(block + 1) - self.rows.first(block)

    def _grow(self) -> None:
        blocks = self.rows.blocks
        last = len(self._counts) - 1
        if 0 <= last < blocks and self._counts[last] != _UNKNOWN:
            size = self._size(last)
            if self._known.get(last, size) != size:  # it has grown
                self.count -= self._counts[last]
                self._counts[last] = _UNKNOWN
                self._left += 1
        if last + 1 < blocks:
            self._known.clear()
            self._counts += [_UNKNOWN] * (blocks - last - 1)
            self._left += blocks - last - 1

    @property
    def done(self) -> bool:
        """Whether all rows that are known have been looked at."""
        self._grow()
        return not self._left

    def advance(self, seconds: float) -> bool:
        """Look at more rows for some time; tell whether there were any."""
        if self.done:
            return False
        until = time.perf_counter() + seconds
        while self._left:
            at = self._next % len(self._counts)
            self._next = at + 1
            if self._counts[at] != _UNKNOWN:
                continue
            self._look(at)
            if time.perf_counter() >= until:
                break
        return True

    def _look(self, block: int) -> None:
        size = self._size(block)
        hits = len(self.hits(block))
        self._counts[block] = hits
        self.count += hits
        self._left -= 1
        if block == len(self._counts) - 1:
            self._known = {block: size}

    def hits(self, block: int) -> list[int]:
        """Return the rows of a block that have it in them, counted from its first."""
        size = self._size(block)
        known = self._hits.get(block)
        if known is not None and known[0] == size:
            return known[1]
        rows = self.rows.block_rows(block)
        found = self.matcher.find(self.rows.store.lines(block).texts)
        if self.rows.plain:
            hits = found
        elif len(found) == 0:
            hits = []
        else:
            wanted = set(found)
            hits = [
                at for at, line in enumerate(rows.lines) if line in wanted and at not in rows.folds
            ]
        hits = hits[: bisect_left(hits, size)]
        self._hits.pop(block, None)
        if len(self._hits) >= _CACHED:
            del self._hits[next(iter(self._hits))]
        self._hits[block] = size, hits
        return hits

    def find(self, row: int, step: int) -> int | None:
        """Return the next row with it behind (`step` 1) or before (-1) a row, round the end.

        Returns:
            None if there is none, or if it is not known yet whether there is.
        """
        self._grow()
        end = self.rows.finished
        blocks = len(self._counts)
        if not blocks:
            return None
        begin = min(self.rows.block_of(max(row, 0)), blocks - 1)
        for way in range(blocks + 1):
            block = (begin + step * way) % blocks
            if self._counts[block] == _UNKNOWN:
                if way:
                    return None
                self._look(block)
            if not self._counts[block]:
                continue
            first = self.rows.first(block)
            hits = [first + at for at in self.hits(block) if first + at < end]
            if way == 0:
                at = bisect_right(hits, row) if step > 0 else bisect_left(hits, row) - 1
                if 0 <= at < len(hits):
                    return hits[at]
            elif hits:
                return hits[0] if step > 0 else hits[-1]
        return None

    def index(self, row: int) -> int:
        """Return the how-manieth a row with it is, from 1."""
        block = min(self.rows.block_of(row), len(self._counts) - 1)
        before = sum(count for count in self._counts[:block] if count > 0)
        return before + bisect_right(self.hits(block), row - self.rows.first(block))
