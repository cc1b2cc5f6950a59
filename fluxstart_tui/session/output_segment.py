"""One segment of the spool, open for reading."""

from __future__ import annotations

import array
import os
import sys

from fluxstart_tui.session.output import RECORD, segment_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Entry = tuple[float, int, int, int]
    """What output.RECORD packs."""

BLOCK = 4096
"""Index records that are read at once."""


class Segment:
    """The bytes and the index of a segment; both can be read on when the files are deleted.

    Args:
        open_file: opens a file of the session by its name.
        number: the segment's.
        marks: where the run of each BLOCK-th record begins, as far as that is known; [0] at first.

    Raises:
        OSError: it is not there or can not be read.
    """

    def __init__(self, open_file: Callable[[str], int], number: int, marks: list[int]) -> None:
        self._data = self._index = -1
        self._marks = marks
        self.number = number
        name = segment_name(number)
        self._index = open_file(name + ".idx")
        self._data = open_file(name)

    def __del__(self) -> None:
        for fd in (self._data, self._index):
            if fd >= 0:
                os.close(fd)

    def records(self) -> int:
        """Return how many whole records the index has now."""
        return os.fstat(self._index).st_size // RECORD.size

    def size(self) -> int:
        """Return how many bytes there are now, whether the index covers them or not."""
        return os.fstat(self._data).st_size

    def offset(self, record: int) -> int:
        """Return where the run of a record begins; the record must be there."""
        block = record // BLOCK
        while len(self._marks) <= block:
            raw = self._raw((len(self._marks) - 1) * BLOCK, BLOCK)
            self._marks.append(self._marks[-1] + sum(_column(raw, 4)))
        rest = self._raw(block * BLOCK, record - block * BLOCK)
        return self._marks[block] + sum(_column(rest, 4))

    def entries(self, record: int, count: int) -> list[Entry]:
        """Return index records."""
        return list(RECORD.iter_unpack(self._raw(record, count)))

    def unwanted(
        self,
        record: int,
        count: int,
        streams: Collection[int],
        ranks: Collection[int] | None = None,
    ) -> int | None:
        """Return how many bytes these records are if none is wanted, faster than one by one.

        Args:
            record: the first of them.
            count: how many.
            streams: which streams are wanted.
            ranks: whose; None for all.

        Returns:
            None if some of them may be wanted.
        """
        raw = self._raw(record, count)
        found = raw[12 :: RECORD.size]  # the low bytes of the streams, whose numbers are small
        if any(stream in found for stream in streams) and (
            ranks is None or not frozenset(ranks).isdisjoint(_column(raw, 2))
        ):
            return None
        return sum(_column(raw, 4))

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes, fewer where the file ends or fails."""
        return _pread(self._data, size, offset)

    def _raw(self, record: int, count: int) -> bytes:
        raw = _pread(self._index, count * RECORD.size, record * RECORD.size)
        return raw[: len(raw) - len(raw) % RECORD.size]


def _pread(fd: int, size: int, offset: int) -> bytes:
    try:
        return os.pread(fd, size, offset)
    except OSError:  # a broken disk: show what can be read
        return b""


def _column(raw: bytes, word: int) -> array.array[int]:
    """Return one 32-bit field of all records."""
    words = array.array("I", raw)
    if sys.byteorder == "big":
        words.byteswap()
    return words[word :: RECORD.size // 4]
