"""The last lines of a rank, found from the end of the spool with bounded work."""

from __future__ import annotations

from operator import itemgetter
from typing import NamedTuple

from fluxstart_tui.session.output_segment import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from fluxstart_tui.session.output_reader import SpoolReader

    Piece = tuple[float, int, bytes]  # t, stream, data

_PIECE = 64 << 10
"""Bytes that are read at once at most."""


class Line(NamedTuple):
    """A line of one rank and stream."""

    t: float
    """When its end came, in seconds since the session's start."""
    rank: int
    stream: int
    """Index into output.STREAMS."""
    data: bytes
    """Without the newline."""
    cut: bool = False
    """Whether its beginning was too far away."""


class _Budget:
    """What may still be read; when one of the two is used up the search is over."""

    def __init__(self) -> None:
        self.records = 1 << 20
        self.bytes = 4 << 20

    def spent(self) -> bool:
        """Tell whether one of the two is used up."""
        return self.records <= 0 or self.bytes <= 0


def tail(
    reader: SpoolReader,
    rank: int,
    lines: int,
    streams: Collection[int],
    until: float = float("inf"),
) -> list[Line]:
    """Return the last lines of a rank, oldest first, in the order in which they ended.

    At most some megabytes and a million index records are read, wherever the lines are.

    Args:
        reader: the spool.
        rank: whose lines.
        lines: how many.
        streams: of which streams; the lines of different ones are not mixed up.
        until: seconds since the session's start: what came later is left.

    Returns:
        The lines; an unfinished one counts as one that ended with what has come of it. Fewer if
        there are not as many within reach.
    """
    if lines <= 0:
        return []
    budget = _Budget()
    pieces: list[Piece] = []  # newest first
    seen, wanted = 0, lines + len(streams)
    for piece in _backwards(reader, rank, streams, budget):
        if piece[0] > until:
            continue
        pieces.append(piece)
        seen += piece[2].count(b"\n")
        if seen >= wanted:
            found = _lines(rank, reversed(pieces), complete=False)[-lines:]
            if len(found) == lines and not any(line.cut for line in found):
                return found
            wanted = 2 * seen
    return _lines(rank, reversed(pieces), complete=not budget.spent())[-lines:]


def _backwards(
    reader: SpoolReader, rank: int, streams: Collection[int], budget: _Budget
) -> Iterator[Piece]:
    """Yield the bytes of a rank in pieces, the newest first, as far as the budget goes."""
    for number in reversed(reader.numbers()):
        segment = reader.segment(number)
        if segment is None:
            continue
        total, size = segment.records(), segment.size()
        for first in range((total - 1) // BLOCK * BLOCK, -1, -BLOCK):
            count = min(BLOCK, total - first)
            if budget.spent():
                return
            budget.records -= count
            if segment.unwanted(first, count, streams, {rank}) is not None:
                continue
            runs: list[tuple[float, int, int, int]] = []
            offset = segment.offset(first)
            for t, its, stream, length in segment.entries(first, count):
                if its == rank and stream in streams:
                    runs.append((t, stream, offset, min(offset + length, size)))
                offset += length
            for t, stream, begin, end in reversed(runs):
                while end > begin:
                    if budget.spent():
                        return
                    at = max(begin, end - _PIECE)
                    budget.bytes -= end - at
                    yield t, stream, segment.read(at, end - at)
                    end = at  # noqa: PLW2901 - read from its end backwards


def _lines(rank: int, pieces: Iterable[Piece], *, complete: bool) -> list[Line]:
    """Put lines together from pieces, the oldest first.

    Args:
        rank: whose they are.
        pieces: of all streams.
        complete: whether there is nothing before the first piece; if there may be, the first line
            of each stream is a cut one.
    """
    lines: list[tuple[int, Line]] = []
    begun: dict[int, list[bytes]] = {}
    last: dict[int, tuple[int, float]] = {}
    known = set()
    for at, (t, stream, data) in enumerate(pieces):
        head, *rest = data.split(b"\n")
        begun.setdefault(stream, []).append(head)
        last[stream] = at, t
        for text in rest:
            cut = not complete and stream not in known
            lines.append((at, Line(t, rank, stream, b"".join(begun[stream]), cut)))
            begun[stream] = [text]
            known.add(stream)
    for stream, parts in begun.items():
        if any(parts):
            at, t = last[stream]
            cut = not complete and stream not in known
            lines.append((at, Line(t, rank, stream, b"".join(parts), cut)))
    return [line for _, line in sorted(lines, key=itemgetter(0))]
