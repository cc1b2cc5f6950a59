"""The newest lines of a session, as many as fit: what a report holds of output and logs."""

from __future__ import annotations

import re
from typing import NamedTuple

from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.output_reader import Position
from fluxstart_tui.session.output_segment import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fluxstart_tui.session.output_reader import SpoolReader

SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""Of log records (RFC 5424), the worst first."""

_RECORDS = STREAMS.index("log")
OUTPUT = tuple(map(STREAMS.index, ("stdout", "stderr", "tty", "launcher")))
"""Streams of what brokers, programs and launchers print."""
LOG = (_RECORDS,)

_LINE = 2000
"""Characters of a line that are kept."""
_RANKS = 1 << 12
"""Of how many ranks equal lines are one."""
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)"
)
"""What a terminal does not show (ECMA-48): colors, cursor movements, a window's title."""


class Said(NamedTuple):
    """A line, said by all of some ranks one after the other."""

    t: float
    """When the first of them had said it."""
    ranks: tuple[int, ...]
    kind: str
    """Name of its stream (output.STREAMS), of a log record its severity."""
    text: str
    """Printable; what is not is escaped."""


class Newest(NamedTuple):
    """Lines in the order in which they became whole."""

    lines: list[Said]
    left_out: int
    """Bytes of older lines that are not among them."""


def newest(spool: SpoolReader, streams: Collection[int], size: int) -> Newest:
    """Return the newest lines of some streams.

    Args:
        spool: the output of a session.
        streams: indices into output.STREAMS.
        size: bytes of output that are read at most.
    """
    start, left_out = _start(spool, streams, size)
    lines: list[Said] = []
    for t, rank, stream, data in _lines(spool, start, streams):
        kind, text = _record(data) if stream == _RECORDS else (STREAMS[stream], shown(data))
        last = lines[-1] if lines else None
        if last and (last.kind, last.text) == (kind, text) and rank not in last.ranks[-_RANKS:]:
            lines[-1] = last._replace(ranks=(*last.ranks, rank))
        else:
            lines.append(Said(t, (rank,), kind, text))
    return Newest(lines, left_out)


def shown(data: bytes) -> str:
    """Return a line as a terminal would show it, with nothing in it that is not to be seen."""
    text = data[: 4 * _LINE].decode(errors="replace").rstrip("\r\n")
    if not text.isprintable():
        text = _SEQUENCE.sub("", text).rpartition("\r")[2].replace("\t", "    ")
        text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return text if len(text) <= _LINE else f"{text[:_LINE]}..."


def _record(data: bytes) -> tuple[str, str]:
    """Return severity and text of a log record `<PRI>1 TIME RANK APP PID - - TEXT`."""
    parts = data.split(b" ", 7)
    priority = parts[0][1 : parts[0].find(b">")]
    if len(parts) < 8 or not priority.isdigit() or len(priority) > 4:
        return "info", shown(data)
    return SEVERITIES[min(int(priority) >> 3, 7)], shown(parts[3] + b": " + parts[7])


def _start(spool: SpoolReader, streams: Collection[int], size: int) -> tuple[Position, int]:
    """Return where the newest bytes begin, and how many wanted ones are before that."""
    start, taken, left_out = spool.end, 0, 0
    for number, record, length in _runs_back(spool, streams):
        if not taken and length > size:  # the end of a run that is longer than all that is wanted
            start = Position(number, record, length - size)
            taken, left_out = size, length - size
        elif left_out or taken + length > size:
            left_out += length
        else:
            start = Position(number, record)
            taken += length
    return start, left_out


def _runs_back(spool: SpoolReader, streams: Collection[int]) -> Iterator[tuple[int, int, int]]:
    """Yield segment, record and length of each run that is wanted, the newest first."""
    for number in reversed(spool.numbers()):
        segment = spool.segment(number)
        for first in reversed(range(0, segment.records() if segment is not None else 0, BLOCK)):
            assert segment is not None
            entries = segment.entries(first, BLOCK)
            for at in reversed(range(len(entries))):
                _, _, stream, length = entries[at]
                if stream in streams:
                    yield number, first + at, length


def _lines(
    spool: SpoolReader, start: Position, streams: Collection[int]
) -> Iterator[tuple[float, int, int, bytes]]:
    rests: dict[tuple[int, int], tuple[float, bytes]] = {}
    for chunk in spool.chunks(start, streams=streams):
        key = chunk.rank, chunk.stream
        _, rest = rests.pop(key, (0.0, b""))
        *whole, rest = (rest + chunk.data).split(b"\n")
        for line in whole:
            yield chunk.t, *key, line
        if rest:
            rests[key] = chunk.t, rest[: 4 * _LINE]
    for (rank, stream), (t, rest) in rests.items():
        yield t, rank, stream, rest
