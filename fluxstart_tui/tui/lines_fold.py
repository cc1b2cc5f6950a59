"""Fewer rows than lines: equal lines of several ranks as one, and a share for each rank."""

from __future__ import annotations

import struct
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fluxstart_tui.tui.lines_block import BlockLines

_APART = 2.0
"""Seconds between equal lines that are still shown as one."""
_BETWEEN = 1024
"""Rows between equal lines that are still shown as one."""
_STATE = struct.Struct("<qQQ")


class Fold(NamedTuple):
    """Lines that are not shown."""

    first: int
    """Number of the first of them in the store."""
    lines: int
    """How many."""
    ranks: tuple[int, ...]
    """Whose they are."""


def gather(block: BlockLines, selected: list[int]) -> tuple[list[int], dict[int, tuple[int, ...]]]:
    """Make equal lines of several ranks, near to each other, one row.

    The rows of each rank stay in the order of its lines.

    Args:
        block: the lines.
        selected: those that are wanted.

    Returns:
        The first line of each row, and whose lines each is.
    """
    rows: list[int] = []
    ranks: list[list[int]] = []
    times: list[float] = []
    known: dict[tuple[bytes, int], int] = {}  # the last row of a text and stream
    reached: dict[int, int] = {}  # the last row of a rank
    at = 0
    for begin, end, (_, t, rank, stream) in block.bounds():
        while at < len(selected) and selected[at] < end:
            line = selected[at]
            at += 1
            if line < begin:  # pragma: no cover - spans cover all lines
                continue
            key = block.texts[line], stream
            row = known.get(key, -1)
            if (
                row > reached.get(rank, -1)
                and len(rows) - row <= _BETWEEN
                and t - times[row] <= _APART
            ):
                ranks[row].append(rank)
            else:
                row = known[key] = len(rows)
                rows.append(line)
                ranks.append([rank])
                times.append(t)
            reached[rank] = row
    return rows, {row: tuple(its) for row, its in enumerate(ranks)}


class Fair:
    """Shows so many lines of each rank in a second, and how many more there are.

    Args:
        share: how many, at most 255; 0 to show all.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._second = 0
        self._used = bytearray()
        self._first = self._hidden = 0
        self._ranks: set[int] = set()

    @property
    def pending(self) -> Fold | None:
        """What is hidden behind the last row."""
        if not self._hidden:
            return None
        return Fold(self._first, self._hidden, tuple(sorted(self._ranks)))

    def save(self) -> bytes:
        """Return what is to be known to go on from here: a byte for each rank."""
        ranks = sum(1 << rank for rank in self._ranks)
        bits = ranks.to_bytes((ranks.bit_length() + 7) // 8, "little")
        head = _STATE.pack(self._second, self._first, self._hidden)
        return head + len(bits).to_bytes(4, "little") + bits + self._used

    def load(self, state: bytes) -> None:
        """Go on from where `save` was called."""
        self._second, self._first, self._hidden = _STATE.unpack_from(state)
        at = _STATE.size + 4
        end = at + int.from_bytes(state[at - 4 : at], "little")
        bits = int.from_bytes(state[at:end], "little")
        self._ranks = {rank for rank in range(bits.bit_length()) if bits >> rank & 1}
        self._used = bytearray(state[end:])

    def thin(
        self, block: BlockLines, selected: list[int], first: int
    ) -> tuple[list[int], dict[int, tuple[int, ...]], dict[int, Fold]]:
        """Choose the lines that are shown.

        Args:
            block: the lines.
            selected: those that are wanted.
            first: number of the block's first line in the store.

        Returns:
            The line of each row; an empty mapping; the rows that stand for hidden lines.
        """
        rows: list[int] = []
        folds: dict[int, Fold] = {}
        for begin, end, (_, t, rank, _) in block.bounds():
            low, high = bisect_left(selected, begin), bisect_left(selected, end)
            if low == high:
                continue
            second = int(t) if abs(t) < 1e15 else 0
            if second != self._second:
                self._second, self._used = second, bytearray()
            if rank >= len(self._used):
                self._used.extend(bytes(rank + 1 - len(self._used)))
            take = min(high - low, self._share - self._used[rank])
            if take:
                self._used[rank] += take
                fold = self.pending
                if fold is not None:
                    folds[len(rows)] = fold
                    rows.append(selected[low])
                    self._hidden, self._ranks = 0, set()
                rows += selected[low : low + take]
            if take < high - low:
                if not self._hidden:
                    self._first = first + selected[low + take]
                self._hidden += high - low - take
                self._ranks.add(rank)
        return rows, {}, folds
