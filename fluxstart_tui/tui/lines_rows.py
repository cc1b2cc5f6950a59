"""What of the lines is shown, row by row: filtered, thinned out, or with equal lines as one.

For each block of lines only the number of its rows is kept; the rows are found again when they are
to be seen. A row never moves: what is added comes behind, but that the last rows of a block that is
still growing may change.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.tui.lines_fold import Fair, Fold, gather

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluxstart_tui.tui.lines import LineStore
    from fluxstart_tui.tui.lines_filter import Filter

_CACHED = 24


class Row(NamedTuple):
    """A row: a line, several equal ones, or what stands for lines that are not shown."""

    number: int
    """Of the line, or of the first of them."""
    ranks: tuple[int, ...] = ()
    """Whose they are, if there may be several."""
    hidden: int = 0
    """How many lines are not shown here, if this stands for them."""


class BlockRows(NamedTuple):
    """The rows of a block."""

    lines: Sequence[int]
    """Number in the block of each row's (first) line; a fold has that of the line behind it."""
    ranks: dict[int, tuple[int, ...]] = {}
    """Whose lines, for rows of several."""
    folds: dict[int, Fold] = {}
    """What is hidden, for rows that stand for that."""


class Rows:
    """The rows of a store.

    Args:
        store: the lines.
        wanted: which lines are shown.
        merged: whether equal lines of several ranks are one row.
        fair: lines of a rank in a second that are shown at most; 0 for all.
    """

    def __init__(
        self, store: LineStore, wanted: Filter, *, merged: bool = False, fair: int = 0
    ) -> None:
        self.store = store
        self.wanted = wanted
        self.merged = merged
        self.fair = 0 if merged else fair
        self.plain = wanted.all and not merged and not fair
        """Whether each line is a row."""
        self._counts = array("Q")  # rows of each block that was looked at
        self._seen = array("Q")  # lines that each had then
        self._sums: list[int] | None = None
        self._fairs: list[bytes] = []  # how each block is to begin
        self._fair = Fair(self.fair)
        self._cache: OrderedDict[int, tuple[int, BlockRows]] = OrderedDict()

    # --- Reading on ---------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether all lines that are indexed have been looked at."""
        if self.plain:
            return True
        last = len(self._counts) - 1
        blocks = len(self.store.firsts)
        return last == blocks - 1 and (last < 0 or self._seen[last] == self.store.size_of(last))

    @property
    def progress(self) -> float:
        """How much of all has been looked at, 0 to 1."""
        return 1.0 if self.done else len(self._counts) / max(len(self.store.firsts), 1)

    def advance(self, seconds: float) -> bool:
        """Look at more lines for some time; tell whether there were any."""
        if self.done:
            return False
        until = time.perf_counter() + seconds
        blocks = len(self.store.firsts)
        at = len(self._counts)
        if at and self._seen[at - 1] != self.store.size_of(at - 1):
            at -= 1  # it was still growing
            self._counts.pop()
            self._seen.pop()
            if self.fair:
                self._fair.load(self._fairs.pop())
        while at < blocks:
            if self.fair:
                self._fairs.append(self._fair.save())
            rows = self._find(at)
            self._counts.append(len(rows.lines))
            self._seen.append(self.store.size_of(at))
            at += 1
            if time.perf_counter() >= until:
                break
        self._sums = None
        return True

    def _find(self, block: int) -> BlockRows:
        lines = self.store.lines(block)
        selected = self.wanted.select(lines)
        if self.merged:
            return BlockRows(*gather(lines, selected))
        if self.fair:
            return BlockRows(*self._fair.thin(lines, selected, self.store.first(block)))
        return BlockRows(selected)

    def block_rows(self, block: int) -> BlockRows:
        """Return the rows of a block that was looked at."""
        if self.plain:
            return BlockRows(range(self.store.size_of(block)))
        size = self.store.size_of(block)
        cached = self._cache.get(block)
        if cached is not None and cached[0] == size:
            self._cache.move_to_end(block)
            return cached[1]
        if self.fair:
            former, self._fair = self._fair, Fair(self.fair)
            self._fair.load(self._fairs[block])
            rows = self._find(block)
            self._fair = former
        else:
            rows = self._find(block)
        self._cache[block] = size, rows
        self._cache.move_to_end(block)
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return rows

    # --- What there is ------------------------------------------------------------------------

    def __len__(self) -> int:
        return self.finished + len(self.tail)

    @property
    def finished(self) -> int:
        """Number of rows of finished lines until now."""
        store = self.store
        if self.plain:
            return len(store)
        blocks = min(store.blocks, len(self._counts))
        if store.limit is None or not blocks:
            return self.first(blocks)
        visible = bisect_left(self.block_rows(blocks - 1).lines, store.count(blocks - 1))
        return self.first(blocks - 1) + visible

    @property
    def tail(self) -> list[Row]:
        """What comes behind the rows of finished lines: unfinished ones that are wanted."""
        total = len(self.store)
        rows = []
        fold = self._fair.pending
        if fold is not None and self.store.limit is None:
            rows.append(Row(fold.first, fold.ranks, fold.lines))
        return rows + [
            Row(total + at)
            for at, line in enumerate(self.store.unfinished)
            if self.wanted.wants(line)
        ]

    def first(self, block: int) -> int:
        """Return the number of a block's first row."""
        if self.plain:
            return self.store.first(block)
        if self._sums is None:
            self._sums = [0, *accumulate(self._counts)]
        return self._sums[block]

    def block_of(self, row: int) -> int:
        """Return the block of a row."""
        if self.plain:
            return self.store.block_of(row)
        self.first(0)
        assert self._sums is not None
        return bisect_right(self._sums, row) - 1

    @property
    def blocks(self) -> int:
        """Number of blocks whose rows are known."""
        return len(self.store.firsts) if self.plain else len(self._counts)

    def row(self, at: int) -> Row:
        """Return a row."""
        if self.plain:
            return Row(at)
        finished = self.finished
        if at >= finished:
            return self.tail[at - finished]
        block = self.block_of(at)
        rows = self.block_rows(block)
        # A block that grew since it was counted has its former rows at its beginning.
        within = min(at - self.first(block), len(rows.lines) - 1)
        number = self.store.first(block) + rows.lines[within]
        fold = rows.folds.get(within)
        if fold is not None:
            return Row(fold.first, fold.ranks, fold.lines)
        return Row(number, rows.ranks.get(within, ()))

    def find(self, line: int) -> int:
        """Return the first row at or behind a line, as far as rows are known."""
        if self.plain or not self._counts:
            return min(line, len(self))
        block = self.store.block_of(line)
        if block < 0:
            return 0
        if block >= len(self._counts):
            return self.finished
        at = bisect_left(self.block_rows(block).lines, line - self.store.first(block))
        return self.first(block) + at
