"""The journal of a session, written and read; in memory once the disk takes no more."""

from __future__ import annotations

import os

from fluxstart_tui.session import events, memory, output
from fluxstart_tui.session.header import JOURNAL, open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.session.events import Event
    from fluxstart_tui.session.memory import Memory, MemoryReader

LINE_MAX = 4 << 20
"""Longer lines of a journal are no events; a sample of 10,000 ranks has a quarter of a million."""
_BLOCK = 256 << 10


def _part_name(number: int) -> str:
    """Return what the number-th part in memory is called; the part on disk is number 0."""
    return f"{JOURNAL}.{number}"


class Journal:
    """The writing side.

    Args:
        directory: an existing directory without a journal.
        spare: where the newest goes if the disk does not take it.

    Raises:
        OSError: it can not be made.
    """

    def __init__(self, directory: str, spare: Memory) -> None:
        self._spare = spare
        self._fd = os.open(os.path.join(directory, JOURNAL), output.CREATE, 0o600)
        self._number = 0
        self._size = 0  # of the part
        self.total = 0
        """Bytes that have been written."""

    def write(self, lines: bytes) -> OSError | None:
        """Write whole lines.

        Returns:
            Why they are not, or not all, on disk, the first time that this is so.

        Raises:
            OSError: there is no memory either.
        """
        failure = None
        rest = lines
        if self._number == 0:
            try:
                output.write_all(self._fd, lines)
            except OSError as error:
                failure = error
                rest = lines[self._taken(lines) :]
                self._next()
        elif self._size > memory.SEGMENT:
            self._next()
        if self._number:
            output.write_all(self._fd, rest)
        self._size += len(rest)
        self.total += len(lines)
        return failure

    def _taken(self, lines: bytes) -> int:
        """Return how many bytes of whole lines a disk has taken before it failed."""
        return lines.rfind(b"\n", 0, max(0, os.fstat(self._fd).st_size - self._size)) + 1

    def _next(self) -> None:
        number = self._number + 1
        fd = self._spare.create(memory.JOURNAL, number, _part_name(number))
        os.close(self._fd)
        self._fd, self._number, self._size = fd, number, 0

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


class JournalReader:
    """The reading side, which may still grow; what is no event is left out.

    Args:
        directory: the session's.
        spare: where its end may be.
    """

    def __init__(self, directory: str, spare: MemoryReader) -> None:
        self._path = os.path.join(directory, JOURNAL)
        self._spare = spare
        self._fd = -1
        self._number = 0
        self._begin()

    def _begin(self) -> None:
        self._offset = 0
        self._parts: list[bytes] = []  # of a line that is not whole yet
        self._length = 0

    def read(self) -> Iterator[tuple[float, Event]]:
        """Yield what has come since."""
        while True:
            # A next part that is seen before this one is read says that this one is finished.
            follows = self._next()
            for line in self._lines():
                timed = events.decode(line)
                if timed is not None:
                    yield timed
            if follows is None:
                return
            self.close()
            self._number = follows
            self._begin()

    def _next(self) -> int | None:
        """Return the number of the part behind this one, None if there is none."""
        texts = [n.removeprefix(f"{JOURNAL}.") for n in self._spare.names()]
        numbers = [int(text) for text in texts if text.isascii() and text.isdigit()]
        return min((number for number in numbers if number > self._number), default=None)

    def _open(self) -> int:
        return (
            self._spare.open(_part_name(self._number)) if self._number else open_regular(self._path)
        )

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines that have become whole since; too long ones are left out."""
        if self._fd < 0:
            try:
                self._fd = self._open()
            except OSError:
                return
        while block := self._block():
            self._offset += len(block)
            head, *rest = block.split(b"\n")
            self._keep(head)
            for text in rest:
                if self._length <= LINE_MAX:
                    yield b"".join(self._parts)
                self._parts, self._length = [], 0
                self._keep(text)

    def _keep(self, text: bytes) -> None:
        self._length += len(text)
        if self._length > LINE_MAX:
            self._parts = []
        elif text:
            self._parts.append(text)

    def _block(self) -> bytes:
        try:
            return os.pread(self._fd, _BLOCK, self._offset)
        except OSError:  # a broken disk: what could be read is there
            return b""

    def close(self) -> None:
        """Close the file; there is nothing more to be read."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()
