"""Whole lines of some streams of the spool, found block by block with bounded work."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.session.state import RANK_MAX

if TYPE_CHECKING:
    from fluxstart_tui.session.output_reader import SpoolReader
    from fluxstart_tui.session.output_segment import Segment

_RECORDS = 1024
_BYTES = 64 << 10
"""Index records and wanted bytes that are taken at once: about a millisecond."""
_PASSED = 32 * _RECORDS
"""Index records that are passed over at once where nothing is wanted: not longer."""
_WINDOW = 1 << 16
"""Bytes that are read at once: little enough where wanted lines are rare."""
_LINE_MAX = 1 << 20
"""What is longer than this without a newline is a line all the same."""
_RUN_MAX = 8 << 20
"""Of a longer run the rest is passed over."""
_OFFSET_BITS = 40
_SEGMENT_MAX = 1 << 20
_KEPT = 1 << 63
"""Marks the place of a line that is nowhere in one piece."""
NEVER = 1e18


class Lines(NamedTuple):
    """Lines in the order in which they became whole, as columns."""

    t: list[float]
    """When its end came."""
    rank: list[int]
    stream: list[int]
    place: list[int]
    """Where it can be read again (SpoolLines.read)."""
    text: list[bytes]
    """With the newline, if it had one."""


class SpoolLines:
    """Reads on through the spool and yields what lines have become whole.

    A line that came in several runs is kept here; all others are read again where they are.

    Args:
        spool: the spool, which may grow.
        streams: numbers of the streams that are wanted.
    """

    def __init__(self, spool: SpoolReader, streams: tuple[int, ...]) -> None:
        self._spool = spool
        self._streams = streams
        self._segment, self._record, self._offset = 0, 0, 0
        self._partial: dict[tuple[int, int], bytes] = {}
        self._kept: list[bytes] = []

    def poll(self) -> Lines | None:
        """Return the lines of the next block, maybe none; None if all has been read."""
        numbers = self._spool.numbers()
        at = bisect_left(numbers, self._segment)
        if at == len(numbers) or numbers[at] >= _SEGMENT_MAX:
            return None
        if numbers[at] != self._segment:
            self._segment, self._record, self._offset = numbers[at], 0, 0
        segment = self._spool.segment(self._segment)
        lines = None if segment is None else self._block(segment)
        if lines is None and at + 1 < len(numbers):
            self._segment, self._record, self._offset = numbers[at + 1], 0, 0
            return Lines([], [], [], [], [])
        return lines

    def progress(self) -> float:
        """Return how much has been read, from 0 to 1, as far as segments tell."""
        numbers = self._spool.numbers()
        done = float(bisect_left(numbers, self._segment))
        segment = self._spool.segment(self._segment)
        if segment is not None:
            done += self._record / max(1, segment.records())
        return min(1.0, done / max(1, len(numbers)))

    def _block(self, segment: Segment) -> Lines | None:
        lines = Lines([], [], [], [], [])
        total, size = segment.records(), segment.size()  # bytes come before records
        if self._pass(segment, total, size):
            return lines
        count = min(_RECORDS, total - self._record)
        if count <= 0:
            return None
        t_, rank_, stream_ = lines.t.append, lines.rank.append, lines.stream.append
        place_, text_ = lines.place.append, lines.text.append
        offset = self._offset
        mark = segment.number << _OFFSET_BITS
        begin, window = offset, b""
        done = taken = 0
        for t, rank, stream, length in segment.entries(self._record, count):
            if offset + length > size or offset >> _OFFSET_BITS:  # not there yet, or torn
                break
            if taken >= _BYTES:
                break
            done += 1
            if stream in self._streams and rank < RANK_MAX and length:
                taken += length
                at = offset - begin
                if at + length > len(window):
                    begin, at = offset, 0
                    window = segment.read(offset, min(max(length, _WINDOW), _RUN_MAX))
                text = window[at : at + length]
                if text.find(b"\n") == length - 1 and (rank, stream) not in self._partial:
                    t_(t)
                    rank_(rank)
                    stream_(stream)
                    place_(mark | offset)
                    text_(text)
                else:
                    self._split(lines, (t, rank, stream), mark | offset, text)
            offset += length
        self._record += done
        self._offset = offset
        return lines if done else None

    def _pass(self, segment: Segment, total: int, size: int) -> bool:
        """Pass over records of which none is wanted; tell whether there were some."""
        begin = self._record
        while self._record < min(total, begin + _PASSED):
            count = min(_RECORDS, total - self._record)
            length = segment.unwanted(self._record, count, self._streams)
            if length is None or self._offset + length > size:
                break
            self._record += count
            self._offset += length
        return self._record > begin

    def _split(self, lines: Lines, of: tuple[float, int, int], place: int, data: bytes) -> None:
        """Take a run that is not just one line."""
        t, rank, stream = of
        key = (rank, stream)
        texts = data.splitlines(keepends=True) if b"\r" not in data else _cut(data)
        if not texts:  # it could not be read
            return
        places = list(accumulate(map(len, texts[:-1]), initial=place))
        former = self._partial.pop(key, b"")
        texts[0] = former + texts[0]
        if not texts[-1].endswith(b"\n") and len(texts[-1]) < _LINE_MAX:
            self._partial[key] = texts.pop()
        if former and texts:
            self._kept.append(texts[0])
            places[0] = _KEPT | (len(self._kept) - 1)
        count = len(texts)
        lines.t.extend([t] * count)
        lines.rank.extend([rank] * count)
        lines.stream.extend([stream] * count)
        lines.place.extend(places[:count])
        lines.text.extend(texts)

    def read(self, place: int, length: int) -> bytes:
        """Return a line again; fewer bytes, or none, if its segment is gone."""
        if place & _KEPT:
            return self._kept[place & ~_KEPT]
        segment = self._spool.segment(place >> _OFFSET_BITS)
        if segment is None:
            return b""
        return segment.read(place & ((1 << _OFFSET_BITS) - 1), length)

    def read_many(self, places: list[int], lengths: list[int]) -> list[bytes]:
        """Return lines again; near ones, in ascending order, by few reads."""
        result: list[bytes] = []
        window, first, last = b"", 0, -1
        for place, length in zip(places, lengths, strict=True):
            if not first <= place <= place + length <= last:
                if place & _KEPT:
                    result.append(self._kept[place & ~_KEPT])
                    continue
                window = self.read(place, max(length, 1 << 16))
                first, last = place, place + len(window)
            result.append(window[place - first : place - first + length])
        return result


def _cut(data: bytes) -> list[bytes]:
    """Split after newlines only: bytes.splitlines takes carriage returns, too."""
    parts = data.split(b"\n")
    return [*(part + b"\n" for part in parts[:-1]), *([parts[-1]] if parts[-1] else [])]
