"""Read the spool: forwards from any place and while it grows, or the last lines of a rank.

Nothing is read but the index and the bytes that are asked for, and nothing that a broken spool may
hold does harm: a torn record, a run beyond the end of its file, a segment that was deleted.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from typing import NamedTuple

from fluxstart_tui.session.header import open_regular
from fluxstart_tui.session.output import STREAMS, segment_name
from fluxstart_tui.session.output_segment import BLOCK, Segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from fluxstart_tui.session.memory import MemoryReader
    from fluxstart_tui.session.output_segment import Entry
    from fluxstart_tui.session.output_tail import Line

_WINDOW = 1 << 20
"""Bytes that are read at once at most; a longer run comes as several chunks."""
_GAP = 4096
"""Unwanted bytes that are rather read along than skipped by another read."""


class Position(NamedTuple):
    """A place in the spool."""

    segment: int = 0
    record: int = 0
    """Index of a record in the segment's index."""
    skip: int = 0
    """Bytes of that record's run before the place."""


START = Position()


class Chunk(NamedTuple):
    """Bytes of one rank and stream."""

    t: float
    """Seconds since the session's start."""
    rank: int
    stream: int
    """Index into output.STREAMS."""
    data: bytes
    position: Position
    """Where it begins."""


def _sane(t: float) -> float:
    return t if -1e18 < t < 1e18 else 0.0


class Follower:
    """Reads on from where it has come to.

    Args:
        reader: the spool.
        start: where to begin.
        ranks: whose output is wanted; None for all.
        streams: which streams are wanted; None for all.
    """

    def __init__(
        self,
        reader: SpoolReader,
        start: Position = START,
        ranks: Collection[int] | None = None,
        streams: Collection[int] | None = None,
    ) -> None:
        self._reader = reader
        self._ranks = ranks
        self._streams = range(len(STREAMS)) if streams is None else streams
        self.position = start
        """Behind the last chunk, or, after the last of a poll, behind all that was there."""

    def poll(self) -> Iterator[Chunk]:
        """Yield what is wanted of what has come since."""
        while True:
            # A next segment that is seen before this one is read says that this one is finished.
            numbers = self._reader.numbers()
            at = bisect_left(numbers, self.position.segment)
            if at == len(numbers):
                return
            if numbers[at] != self.position.segment:
                self.position = Position(numbers[at])
            segment = self._reader.segment(numbers[at])
            if segment is not None:
                yield from self._read(segment)
            if at + 1 == len(numbers):
                return
            self.position = Position(numbers[at] + 1)

    def _read(self, segment: Segment) -> Iterator[Chunk]:
        total, size = segment.records(), segment.size()  # bytes come before records: in this order
        while self.position.record < total:
            number, record, skip = self.position
            count = min(BLOCK - record % BLOCK, total - record)
            offset = segment.offset(record)
            length = segment.unwanted(record, count, self._streams, self._ranks)
            if length is not None and offset + length <= size:
                self.position = Position(number, record + count)
                continue
            group: list[tuple[int, int, Entry, Position]] = []
            for at, entry in enumerate(segment.entries(record, count), record):
                _, rank, stream, length = entry
                here, end = offset + skip, min(offset + length, size)
                if (
                    here < end
                    and stream in self._streams
                    and (self._ranks is None or rank in self._ranks)
                ):
                    if group and (here - group[-1][1] > _GAP or end - group[0][0] > _WINDOW):
                        yield from self._fetch(segment, group)
                        group = []
                    group.append((here, end, entry, Position(number, at, skip)))
                if offset + length > size:  # the rest is not there, or not yet
                    yield from self._fetch(segment, group)
                    self.position = Position(number, at, max(skip, size - offset, 0))
                    return
                offset += length
                skip = 0
            yield from self._fetch(segment, group)
            self.position = Position(number, record + count)

    def _fetch(
        self, segment: Segment, group: list[tuple[int, int, Entry, Position]]
    ) -> Iterator[Chunk]:
        if not group:
            return
        first, last = group[0][0], group[-1][1]
        window = segment.read(first, min(last - first, _WINDOW))
        for here, end, (t, rank, stream, _), (number, record, skip) in group:
            for begin in range(here, end, _WINDOW):
                if begin - first >= _WINDOW:  # only a run that is longer is a group of its own
                    first = begin
                    window = segment.read(first, min(end - first, _WINDOW))
                data = window[begin - first : end - first]
                skipped = skip + begin - here
                self.position = Position(number, record, skipped + len(data))
                yield Chunk(_sane(t), rank, stream, data, Position(number, record, skipped))


class SpoolReader:
    """A spool, finished or still growing.

    Args:
        directory: the session's.
        spare: where the newest of it may be.
    """

    def __init__(self, directory: str, spare: MemoryReader | None = None) -> None:
        self._directory = directory
        self._spare = spare
        # What is in memory is gone with the process that records, except for who has it open.
        self._kept: dict[int, Segment] = {}
        self._marks: dict[int, list[int]] = {}
        self._open: Segment | None = None  # the one that was used last

    def numbers(self) -> list[int]:
        """Return the numbers of the segments there are, ascending."""
        try:
            names = os.listdir(self._directory)
        except OSError:
            names = []
        self._keep()
        return sorted({*_numbers(names), *self._kept})

    def _keep(self) -> None:
        """Open what there is in memory now; once there is nothing any more, keep what there was."""
        names = self._spare.names() if self._spare is not None else {}
        if self._spare is None or not names:
            return
        former, self._kept = self._kept, {}
        for number in _numbers(names):
            try:
                marks = self._marks.setdefault(number, [0])
                self._kept[number] = former.get(number) or Segment(self._spare.open, number, marks)
            except OSError:  # a newer one has just taken its place
                continue

    def segment(self, number: int) -> Segment | None:
        """Open a segment; None if it is gone or can not be read."""
        if number in self._kept:
            return self._kept[number]
        if self._open is None or self._open.number != number:
            try:
                marks = self._marks.setdefault(number, [0])
                self._open = Segment(self._open_file, number, marks)
            except OSError:
                return None
        return self._open

    def _open_file(self, name: str) -> int:
        return open_regular(os.path.join(self._directory, name))

    @property
    def end(self) -> Position:
        """Behind all that is there now."""
        numbers = self.numbers()
        segment = self.segment(numbers[-1]) if numbers else None
        return START if segment is None else Position(segment.number, segment.records())

    def follow(
        self,
        start: Position = START,
        ranks: Collection[int] | None = None,
        streams: Collection[int] | None = None,
    ) -> Follower:
        """Return what reads on from `start` at each of its polls; see Follower."""
        return Follower(self, start, ranks, streams)

    def chunks(
        self,
        start: Position = START,
        ranks: Collection[int] | None = None,
        streams: Collection[int] | None = None,
    ) -> Iterator[Chunk]:
        """Yield what is wanted of what is there from `start` on; see Follower."""
        return Follower(self, start, ranks, streams).poll()

    def tail(
        self,
        rank: int,
        lines: int,
        streams: Collection[int] = (0, 1, 2),
        until: float = float("inf"),
    ) -> list[Line]:
        """Return the last lines of a rank, oldest first; see output_tail.tail."""
        from fluxstart_tui.session import output_tail  # most readers want no tail

        return output_tail.tail(self, rank, lines, streams, until)

    def close(self) -> None:
        """Close the files; the reader may be used again all the same."""
        """Close the files; the reader may be used again all the same."""
        self._open = None
        self._kept.clear()


def _numbers(names: Iterable[str]) -> Iterator[int]:
    """Yield the numbers of the segments among names of files."""
    for name in names:
        text = name.removeprefix("output.")
        whole = text.isascii() and text.isdigit() and len(text) < 10
        if whole and segment_name(int(text)) == name:
            yield int(text)
