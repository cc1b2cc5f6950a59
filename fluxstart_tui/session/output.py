"""The spool: the bytes of all ranks in arrival order, in segments, each with an index of its runs.

`output.000`, `output.001`... hold nothing but bytes; `output.NNN.idx` has a record for each run of
bytes of one rank and stream: when it came, whose it is, how long it is. Where it begins is the sum
of the lengths before it. Bytes are written before their record, so that what the index covers is
there; output_reader.py reads what this module writes.
"""

from __future__ import annotations

import math
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fluxstart_tui.session.events import Lost

    Piece = tuple[float, int, int, bytes]

STREAMS = ("stdout", "stderr", "tty", "pmi-c", "pmi-s", "log", "launcher")
"""Names of the streams; a stream's number is its index here. `pmi-c` is what clients say, `pmi-s`
what the server answers, `log` holds one broker log record a line, `launcher` what a launcher says
that is no rank's."""

RECORD = struct.Struct("<dIII")
"""Seconds since the session's start, rank, stream, bytes of the run."""

_MOMENT = 0.01
"""Seconds that a run may span."""

SEGMENT = 64 << 20
"""Bytes of a segment with its index."""

CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC


def segment_name(number: int) -> str:
    """Return the name of a segment; its index has `.idx` after it."""
    return f"output.{number:03d}"


def write_all(fd: int, data: bytes) -> None:
    """Write all of it; raises OSError where the disk does not take it."""
    written = os.write(fd, data)
    while written < len(data):  # a nearly full disk takes a part before it refuses the rest
        data = data[written:]
        written = os.write(fd, data)


def losses(tally: dict[tuple[int, int], int], reason: str) -> Iterator[Lost]:
    """Yield what was lost as events, one for each stream.

    Args:
        tally: bytes for each (rank, stream).
        reason: why: disk, limit, speed.
    """
    if not tally:
        return
    from fluxstart_tui.rfc import idset  # only who loses something pays for it
    from fluxstart_tui.session.events import Lost

    for stream in sorted({stream for _, stream in tally}):
        ranks = idset.encode(rank for rank, its in tally if its == stream)
        size = sum(size for (_, its), size in tally.items() if its == stream)
        yield Lost(STREAMS[stream], ranks, size, reason)


class Spool:
    """The writing side. It has no thread of its own; every method may raise OSError.

    Args:
        directory: an existing directory without a spool.
        limit: bytes that all segments and indices may take. Beyond it the oldest segment but the
            first goes: how it began and how it ended tell most.
        segment: bytes of a segment; made smaller where fewer than four would fit into `limit`.
        first: number of the first segment.
    """

    def __init__(self, directory: str, limit: int, segment: int = SEGMENT, first: int = 0) -> None:
        self._directory = directory
        self._limit = limit
        self._size = max(1, min(segment, limit // 4))
        self._bytes: dict[int, int] = {}  # of the segments there are, with their indices
        self._data = self._index = -1
        self.total = 0
        """Bytes of output that have been written, deleted or not."""
        self.segment = first - 1
        """Number of the newest segment."""
        self.records = 0
        """Records in its index."""
        self._open_next()

    def append(self, batch: Iterable[Piece]) -> list[Lost]:
        """Write pieces of output in their order, each run of a rank and stream as one.

        Args:
            batch: (seconds since the session's start, rank, stream, data).

        Returns:
            What had to be deleted to keep the limit.
        """
        runs = _runs(batch)
        room = self._size - self._bytes[self.segment]
        if sum([len(run[3]) for run in runs]) + len(runs) * RECORD.size <= room:
            self._write(runs)
            return []
        lost: list[Lost] = []
        fitting: list[Piece] = []
        for run in runs:
            while room < len(run[3]) + RECORD.size:
                head, run = _cut(run, room - RECORD.size, empty=room == self._size)  # noqa: PLW2901
                self._write([*fitting, head] if head[3] else fitting)
                fitting = []
                lost += self._next_segment()
                room = self._size
                if not run[3]:
                    break
            else:
                fitting.append(run)
                room -= len(run[3]) + RECORD.size
        self._write(fitting)
        return lost

    def _write(self, runs: list[Piece]) -> None:
        if runs:
            data = b"".join([run[3] for run in runs])
            index = b"".join([RECORD.pack(t, rank, s, len(run)) for t, rank, s, run in runs])
            write_all(self._data, data)
            write_all(self._index, index)
            self._bytes[self.segment] += len(data) + len(index)
            self.records += len(runs)
            self.total += len(data)

    def _next_segment(self) -> list[Lost]:
        tally: dict[tuple[int, int], int] = {}
        while len(self._bytes) > 2 and sum(self._bytes.values()) + self._size > self._limit:
            oldest = list(self._bytes)[1]
            path = os.path.join(self._directory, segment_name(oldest))
            _count(path + ".idx", tally)
            os.unlink(path)
            os.unlink(path + ".idx")
            del self._bytes[oldest]
        self._open_next()
        return list(losses(tally, "limit"))

    def _open_next(self) -> None:
        self.close()
        path = os.path.join(self._directory, segment_name(self.segment + 1))
        # Readers take a segment for finished once there is a next one: it must have its index then.
        self._index = os.open(path + ".idx", CREATE, 0o600)
        self._data = os.open(path, CREATE, 0o600)
        self.segment += 1
        self.records = 0
        self._bytes[self.segment] = 0

    def give_up(self) -> None:
        """Close the files after an error; what a full disk took of a last index is none of it."""
        try:
            size = os.fstat(self._index).st_size
            os.ftruncate(self._index, min(size, self.records * RECORD.size))
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        """Close the files."""
        for fd in (self._data, self._index):
            if fd >= 0:
                os.close(fd)
        self._data = self._index = -1


def _count(path: str, tally: dict[tuple[int, int], int]) -> None:
    """Add what an index covers to the bytes of each (rank, stream)."""
    with open(path, "rb") as index:
        while block := index.read(4096 * RECORD.size):
            for _, rank, stream, length in RECORD.iter_unpack(block):
                tally[rank, stream] = tally.get((rank, stream), 0) + length


def _runs(batch: Iterable[Piece]) -> list[Piece]:
    """Join neighbours of one rank, stream and moment; a run has the time of its first piece."""
    runs: list[Piece] = []
    joined: list[bytes] = []
    former = stream_of = -1
    until = -math.inf
    for piece in batch:
        t, rank, stream, data = piece
        if not data:
            continue
        if rank != former or stream != stream_of or not t < until:
            until = t + _MOMENT
            if len(joined) > 1:
                runs[-1] = (*runs[-1][:3], b"".join(joined))
            runs.append(piece)
            joined = [data]
            former, stream_of = rank, stream
        else:
            joined.append(data)
    if len(joined) > 1:
        runs[-1] = (*runs[-1][:3], b"".join(joined))
    return runs


def _cut(run: Piece, room: int, *, empty: bool) -> tuple[Piece, Piece]:
    """Split a run that does not fit: after the last line that does, else before it.

    Args:
        run: what is to be written.
        room: bytes that the segment still takes.
        empty: whether there is nothing in the segment yet; then something must be put there.
    """
    t, rank, stream, data = run
    at = data.rfind(b"\n", 0, max(room, 0)) + 1
    if not at and empty:
        at = max(room, 1)
    return (t, rank, stream, data[:at]), (t, rank, stream, data[at:])
