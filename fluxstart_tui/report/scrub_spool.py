"""Take credentials out of a spool.

A stream of a rank is searched as the whole that it is, however its bytes came: a secret may lie
across runs, with those of other ranks between them, and across segments.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from fluxstart_tui.report.secrets import LONGEST, Left
from fluxstart_tui.session.output import RECORD, STREAMS, segment_name
from fluxstart_tui.session.output_reader import SpoolReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.report.secrets import Finder, Secret

_BLOCK = 128 << 10
"""Bytes of a stream that are searched at once, about."""

_BYTE = re.compile(rb"[^\r\n]")
"""What is masked of a secret: lines stay lines."""

_NAME = 256
"""Characters before a secret by which it was known as one."""


class _Run(NamedTuple):
    """Bytes of a stream of a rank that lie together."""

    segment: int
    offset: int
    size: int


def scrub(directory: str, finder: Finder) -> list[Left]:
    """Put asterisks over secrets; bytes that no index covers go.

    Args:
        directory: of a session that nobody records.
        finder: what finds secrets, given bytes as characters of the same number.

    Returns:
        What was left out.

    Raises:
        OSError: the spool can not be read or written.
    """
    files: dict[int, int] = {}
    left: list[Left] = []
    windows: dict[tuple[int, int], _Window] = {}
    try:
        for number in SpoolReader(directory).numbers():
            name = os.path.join(directory, segment_name(number))
            files[number] = os.open(name, os.O_RDWR | os.O_CLOEXEC)
            for rank, stream, run in _runs(number, name, files[number]):
                key = (rank, stream)
                window = windows.setdefault(key, _Window(files, f"{rank}, {_stream(stream)}"))
                window.take(run)
                if window.fresh >= _BLOCK:
                    left += window.search(finder, final=False)
        for window in windows.values():
            left += window.search(finder, final=True)
    finally:
        for fd in files.values():
            os.close(fd)
    return left


def _stream(number: int) -> str:
    return STREAMS[number] if number < len(STREAMS) else f"stream {number}"


def _runs(number: int, name: str, fd: int) -> Iterator[tuple[int, int, _Run]]:
    """Yield the runs of a segment with their ranks and streams, long ones in pieces."""
    with open(f"{name}.idx", "rb") as file:
        index = file.read()
    size = os.fstat(fd).st_size
    offset = 0
    for _, rank, stream, length in RECORD.iter_unpack(
        index[: len(index) // RECORD.size * RECORD.size]
    ):
        end = min(offset + length, size)
        for begin in range(offset, end, _BLOCK):
            yield rank, stream, _Run(number, begin, min(_BLOCK, end - begin))
        offset = end
    os.ftruncate(fd, offset)


class _Window:
    """The newest bytes of a stream of a rank.

    Args:
        files: descriptors of segments by their numbers.
        whose: rank and stream, in words.
    """

    def __init__(self, files: dict[int, int], whose: str) -> None:
        self._files = files
        self._whose = whose
        self._runs: list[_Run] = []
        self.fresh = 0
        """Bytes that were not searched yet."""

    def take(self, run: _Run) -> None:
        """Take the next bytes."""
        self._runs.append(run)
        self.fresh += run.size

    def search(self, finder: Finder, *, final: bool) -> list[Left]:
        """Mask the secrets that are whole here, and forget what is before those that may not be.

        Args:
            finder: what finds secrets.
            final: whether no more bytes come.
        """
        pieces = [os.pread(self._files[run.segment], run.size, run.offset) for run in self._runs]
        text = b"".join(pieces).decode("latin-1")
        sure = len(text) if final else len(text) - LONGEST
        keep = sure
        left = []
        for one in finder(text):
            if one.end <= sure:
                left.append(self._mask(one))
            else:
                keep = min(keep, one.begin - _NAME)
        self._forget(max(0, keep))
        self.fresh = 0
        return left

    def _mask(self, secret: Secret) -> Left:
        place = ""
        at = 0
        for run in self._runs:
            begin, end = max(secret.begin - at, 0), min(secret.end - at, run.size)
            if begin < end:
                fd, offset = self._files[run.segment], run.offset + begin
                masked = _BYTE.sub(b"*", os.pread(fd, end - begin, offset))
                os.pwrite(fd, masked, offset)
                place = place or f"{segment_name(run.segment)}, byte {run.offset + begin}"
            at += run.size
        return Left(f"{place} (rank {self._whose})", secret.end - secret.begin, secret.what)

    def _forget(self, size: int) -> None:
        """Drop so many bytes at the beginning."""
        kept = []
        for segment, offset, length in self._runs:
            gone = min(size, length)
            size -= gone
            if gone < length:
                kept.append(_Run(segment, offset + gone, length - gone))
        self._runs = kept
