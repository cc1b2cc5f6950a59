"""Lines of all ranks' output: where they are, not what they say.

The spool is cut into blocks of some hundred kilobytes. Of a block is kept where it begins, how many
lines end in it, and where the beginnings of lines are that began before it; that is some hundred
bytes for thousands of lines. Its lines are read and split again when somebody wants to see them.

A line is where its end came; so lines never change their number. Lines that are not finished come
after all others.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.tui.lines_block import LINE_MAX, Place, Walker, key, split, unkey
from fluxstart_tui.tui.lines_severity import severity

if TYPE_CHECKING:
    from fluxstart_tui.session.output_reader import SpoolReader
    from fluxstart_tui.session.output_segment import Segment
    from fluxstart_tui.tui.lines_block import BlockLines, Pieces
    from fluxstart_tui.tui.lines_severity import Severity

_BYTES = 256 << 10
_RECORDS = 8192
_LINES = 8192
"""A block ends when it has so many of one of them."""
_RUN = 512
"""Bytes that a shorter run counts for: it takes as long."""
_PIECES = 256
"""Parts of a line that are kept; one that comes byte by byte for ever is cut."""
_CACHED = 12
"""Blocks whose lines are kept."""


class Line(NamedTuple):
    """A line of one rank and stream."""

    t: float
    """When its end came, in seconds since the session's start."""
    rank: int
    stream: int
    """One of lines_block.SHOWN: 0 stdout, 1 stderr, or the launcher's own."""
    data: bytes
    """Without the newline."""
    finished: bool = True


class _Open(NamedTuple):
    """The beginning of a line whose end has not come."""

    pieces: Pieces
    length: int
    t: float
    round: int
    """In which poll something of it came last."""


class LineStore:
    """An index of the lines of output in a spool that may grow.

    Args:
        spool: the spool.
    """

    def __init__(self, spool: SpoolReader) -> None:
        self.limit: float | None = None
        """In a replay: lines later than this are not there yet."""
        self.behind = False
        """Whether the last poll left something for the next."""
        self._spool = spool
        self._round = 0
        self._segment = -1  # where the last poll ended
        self._head = Place()
        self._total = self._shown = 0
        self._open: dict[int, _Open] = {}
        self._settled: list[Line] = []
        # Of each block: its segment, record, skip and offset, its first line, time.
        self._segments = array("I")
        self._records = array("Q")
        self._skips = array("Q")
        self._offsets = array("Q")
        self.firsts = array("Q")
        """Number of the first line of each block, whether it is there yet or not."""
        self._times = array("d")
        self._stops: list[Place] = []
        self._heads: dict[int, dict[int, Pieces]] = {}
        self._full = True  # whether the next run begins a block
        self._fresh: set[int] = set()  # whose runs came in the block that is not full yet
        self._cache: OrderedDict[int, tuple[Place, BlockLines]] = OrderedDict()

    # --- Reading on ---------------------------------------------------------------------------

    def poll(self, budget: int) -> bool:
        """Index up to about `budget` new bytes; tell whether there are more or anything changed."""
        self._round += 1
        # A next segment that is seen before this one is read says that this one is finished.
        numbers = self._spool.numbers()
        read, settled = 0, self._settled
        self.behind = False
        for number in numbers[bisect_left(numbers, self._segment) :]:
            segment = self._spool.segment(number)
            if segment is None:
                continue
            if number != self._segment:
                self._segment, self._head, self._full = number, Place(), True
            read += self._index(segment, budget - read)
            if read >= budget:
                self.behind = True
                break
        self._settle()
        shown, self._shown = self._shown, len(self)  # the limit may have moved as well
        return self.behind or shown != self._shown or settled != self._settled

    def _index(self, segment: Segment, budget: int) -> int:
        """Count the lines in what is new in a segment; return how much of a budget that took."""
        records, size = segment.records(), segment.size()  # bytes come before records
        walker = Walker(segment, self._head)
        total, read = self._total, 0
        for t, rank, stream, window, a, b, base in walker.runs(Place(records, 0, size)):
            place = walker.place
            if self._full:
                self._total = total
                self._begin(segment.number, place, b - a, t)
            whose = key(rank, stream)
            if whose not in self._fresh:
                self._fresh.add(whose)
                if whose in self._open:
                    pieces = self._open[whose].pieces
                    self._heads.setdefault(len(self._stops) - 1, {})[whose] = pieces
            lines = window.count(b"\n", a, b)
            last = a
            if lines:
                total += lines
                last = window.rfind(b"\n", a, b) + 1
                if whose in self._open:
                    del self._open[whose]
            if last < b:
                self._continue(whose, t, (segment.number, base + last, b - last))
            self._stops[-1] = place
            read += max(b - a, _RUN)
            self._full = (
                place.offset - self._offsets[-1] >= _BYTES
                or place.record - self._records[-1] >= _RECORDS
                or total - self.firsts[-1] >= _LINES
            )
            if read >= budget:
                break
        self._head, self._total = walker.place, total
        return read

    def _begin(self, number: int, place: Place, length: int, t: float) -> None:
        """Begin a block with the run of some length that ends at a place."""
        self._full = False
        self._fresh = set()
        self._segments.append(number)
        self._records.append(place.record)
        self._skips.append(place.skip - length)
        self._offsets.append(place.offset - length)
        self.firsts.append(self._total)
        t = t if abs(t) < 1e18 else 0.0
        self._times.append(max(t, self._times[-1]) if self._times else t)
        self._stops.append(place)

    def _continue(self, whose: int, t: float, piece: tuple[int, int, int]) -> None:
        """Keep where the beginning of a line is, or the next part of it."""
        former = self._open.get(whose)
        if former is None:
            self._open[whose] = _Open((piece,), piece[2], t, self._round)
            return
        pieces, length = former.pieces, former.length
        number, offset, size = pieces[-1]
        if length < LINE_MAX and (number, offset + size) == piece[:2]:
            pieces, length = (*pieces[:-1], (number, offset, size + piece[2])), length + piece[2]
        elif length < LINE_MAX and len(pieces) < _PIECES:
            pieces, length = (*pieces, piece), length + piece[2]
        self._open[whose] = _Open(pieces, length, t, self._round)

    def _settle(self) -> None:
        """Find the unfinished lines that are worth showing: those that nothing is added to."""
        self._settled = (
            []
            if self.behind
            else [
                Line(line.t, *unkey(whose), self._joined(line.pieces), finished=False)
                for whose, line in self._open.items()
                if line.round < self._round
            ]
        )

    def _joined(self, pieces: Pieces) -> bytes:
        """Read the parts of a line."""
        parts = []
        for number, offset, length in pieces:
            segment = self._spool.segment(number)
            if segment is not None:
                parts.append(segment.read(offset, min(length, LINE_MAX)))
        return b"".join(parts)[:LINE_MAX]

    # --- What there is ------------------------------------------------------------------------

    def __len__(self) -> int:
        if self.limit is None:
            return self._total
        blocks = self.blocks
        return self.first(blocks - 1) + self.count(blocks - 1) if blocks else 0

    @property
    def blocks(self) -> int:
        """Number of blocks that have lines until now."""
        if self.limit is None:
            return len(self._stops)
        return bisect_right(self._times, self.limit)

    def first(self, block: int) -> int:
        """Return the number of a block's first line; that of the one behind the last is len."""
        return self.firsts[block] if block < len(self.firsts) else self._total

    def size_of(self, block: int) -> int:
        """Return how many lines of a block are indexed."""
        return self.first(block + 1) - self.firsts[block]

    def count(self, block: int) -> int:
        """Return how many lines of a block are there until now."""
        if self.limit is not None and block == self.blocks - 1:
            for span in self.lines(block).spans:
                if span.t > self.limit:
                    return span.first
        return self.size_of(block)

    def block_of(self, line: int) -> int:
        """Return the block in which a line ends."""
        return bisect_right(self.firsts, line) - 1

    def lines(self, block: int) -> BlockLines:
        """Return all lines of a block; in a replay some of them may be later than now."""
        stop = self._stops[block]
        cached = self._cache.get(block)
        if cached is not None and cached[0] == stop:
            self._cache.move_to_end(block)
            return cached[1]
        heads = {key: self._joined(at) for key, at in self._heads.get(block, {}).items()}
        start = Place(self._records[block], self._skips[block], self._offsets[block])
        segment = self._spool.segment(self._segments[block])
        found = split(segment, start, stop, heads, self.size_of(block))
        self._cache[block] = stop, found
        self._cache.move_to_end(block)
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return found

    def line(self, number: int) -> Line:
        """Return a line; those behind the last one are the unfinished ones."""
        if number >= len(self):
            return self.unfinished[number - len(self)]
        block = self.block_of(number)
        lines = self.lines(block)
        at = number - self.firsts[block]
        span = lines.span(at)
        return Line(span.t, span.rank, span.stream, lines.texts[at])

    @property
    def unfinished(self) -> list[Line]:
        """The lines whose end has not come, such as a prompt; none in a replay's past."""
        return self._settled if self.limit is None else []

    def rank(self, number: int) -> int:
        """Return whose line it is."""
        return self.line(number).rank

    def stream(self, number: int) -> int:
        """Return which stream a line is of."""
        return self.line(number).stream

    def t(self, number: int) -> float:
        """Return when the end of a line came, in seconds since the session's start."""
        return self.line(number).t

    def text(self, number: int) -> bytes:
        """Return the bytes of a line without its newline."""
        return self.line(number).data

    def severity(self, number: int) -> Severity:
        """Return how bad a line looks."""
        return severity(self.line(number).data)
