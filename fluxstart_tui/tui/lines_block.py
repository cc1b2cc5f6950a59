"""Blocks of lines: a stretch of a segment, walked run by run and split into lines when needed."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.output_segment import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.session.output_segment import Segment

    Run = tuple[float, int, int, bytes, int, int, int]
    """Time, rank, stream, a window of the segment, begin and end in it, offset of the window."""
    Pieces = tuple[tuple[int, int, int], ...]
    """Where the parts of a line are: segment, offset, length of each."""

WINDOW = 256 << 10
"""Bytes that are read at once."""
PIECE = 64 << 10
"""A longer run is walked in several steps."""
LAUNCHER = STREAMS.index("launcher")
SHOWN = (STREAMS.index("stdout"), STREAMS.index("stderr"), LAUNCHER)
"""Streams that are made of lines of output."""
LINE_MAX = 64 << 10
"""Bytes of a line that are kept of one that goes on for longer; nobody reads on from there."""


def key(rank: int, stream: int) -> int:
    """Return a number for a rank and a stream; `unkey` takes it back."""
    return rank << 3 | stream


def unkey(number: int) -> tuple[int, int]:
    """Return the rank and the stream of a key."""
    return number >> 3, number & 7


class Place(NamedTuple):
    """A place in a segment."""

    record: int = 0
    skip: int = 0
    """Bytes of that record's run before the place."""
    offset: int = 0
    """Of the place in the segment's bytes."""


class Walker:
    """Walks the runs of output in a segment; what else is there is not read.

    Args:
        segment: the segment.
        place: where to begin.
    """

    def __init__(self, segment: Segment, place: Place) -> None:
        self._segment = segment
        self.place = place
        """Behind the last run that was yielded; at the end, behind all that was there."""

    def runs(self, stop: Place) -> Iterator[Run]:
        """Yield runs, each in pieces of at most PIECE bytes, up to `stop`."""
        record, skip, offset = self.place
        begin = offset - skip
        window, base = b"", 0
        while record < stop.record + (stop.skip > 0):
            count = min(BLOCK - record % BLOCK, stop.record + (stop.skip > 0) - record)
            if (length := self._segment.unwanted(record, count, SHOWN)) is not None:
                record, begin, skip = record + count, begin + length, 0
                self.place = Place(record, 0, begin)
                continue
            entries = self._segment.entries(record, count)
            if not entries:
                return
            for t, rank, stream, length in entries:
                if stream in SHOWN:
                    at = begin + skip
                    end = min(begin + length, stop.offset)
                    while at < end:
                        if at >= base + len(window):
                            window, base = self._segment.read(at, min(WINDOW, stop.offset - at)), at
                            if not window:
                                return
                        a = at - base
                        b = min(a + PIECE, end - base, len(window))
                        at = base + b
                        self.place = Place(record, at - begin, at)
                        yield t, rank, stream, window, a, b, base
                    if at < begin + length:  # the rest is not there, or not yet
                        return
                begin += length
                skip = 0
                record += 1
            self.place = Place(record, 0, begin)


class Span(NamedTuple):
    """Neighbouring lines of one rank and stream."""

    first: int
    """Number of its first line in the block."""
    t: float
    """When the ends of these lines came."""
    rank: int
    stream: int


class BlockLines:
    """The lines of a block.

    Args:
        texts: the bytes of each.
        spans: whose they are.
    """

    def __init__(self, texts: list[bytes], spans: list[Span]) -> None:
        self.texts = texts
        self.spans = spans
        self._firsts = [span.first for span in spans]

    def span(self, line: int) -> Span:
        """Return the span of a line."""
        return self.spans[bisect_right(self._firsts, line) - 1]

    def bounds(self) -> Iterator[tuple[int, int, Span]]:
        """Yield the first line of each span, the line behind its last, and the span."""
        if self.spans:
            ends = [*self._firsts[1:], len(self.texts)]
            yield from zip(self._firsts, ends, self.spans, strict=True)


def split(
    segment: Segment | None, start: Place, stop: Place, heads: dict[int, bytes], count: int
) -> BlockLines:
    """Read a block and split it into lines.

    Args:
        segment: where it is; None if it is gone.
        start: where it begins.
        stop: where it ends.
        heads: what had come of lines that end in it, by `key`.
        count: how many lines there are; what can not be read any more is empty.
    """
    texts: list[bytes] = []
    spans: list[Span] = []
    begun = dict(heads)
    runs = Walker(segment, start).runs(stop) if segment is not None else ()
    for t, rank, stream, window, a, b, _ in runs:
        parts = window[a:b].split(b"\n")
        whose = key(rank, stream)
        if whose in begun:
            head = begun.pop(whose)
            parts[0] = head + parts[0] if len(head) < LINE_MAX else head
        rest = parts.pop()
        if rest:
            begun[whose] = rest
        if parts:
            last = spans[-1] if spans else None
            if last is None or (last.rank, last.stream, last.t) != (rank, stream, t):
                spans.append(Span(len(texts), t, rank, stream))
            texts += parts
    if len(texts) < count:
        spans.append(Span(len(texts), spans[-1].t if spans else 0.0, 0, 0))
        texts += [b""] * (count - len(texts))
    elif len(texts) > count:
        del texts[count:]
        spans = [span for span in spans if span.first < count]
    return BlockLines(texts, spans)
