"""Write to stdout and stderr without ever waiting for whoever reads them."""

from __future__ import annotations

import errno
import os
import select
import stat
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    Buffer = bytes | memoryview

_DIRECT = 4096
"""A pipe that polls as writable takes this many bytes (PIPE_BUF) without blocking; a terminal or a
socket promises nothing of the kind."""

_NEWLINE = ord("\n")

_BATCH = 64
"""Pieces that go into one writev(2)."""

_ERASE = b"\r\x1b[K"
"""Go to the beginning of a terminal's line, and erase it (ECMA-48: EL)."""

_SMALL = 1 << 20
"""Bytes of backlog below which more is welcome."""


def same_file(first: int, second: int) -> bool:
    """Tell whether two descriptors lead to the same file, pipe or terminal."""
    a, b = os.fstat(first), os.fstat(second)
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)


def _never_blocks(fd: int) -> bool:
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


class Output:
    """One of our own output descriptors.

    Short texts are written at once where that can not block; everything else goes through a thread
    that is started when it is first needed, so that a reader who pauses stalls neither PMI nor the
    exit timer. The descriptor is never set non-blocking: others share it.

    Args:
        fd: the descriptor.
        drained: called in the writing thread whenever the backlog has become small again.
    """

    def __init__(self, fd: int, drained: Callable[[], None] = lambda: None) -> None:
        self._fd = fd
        self._drained = drained
        self._queue: deque[Buffer] = deque()
        self._thread: threading.Thread | None = None
        self._changed: threading.Condition
        self._closing = False
        self._direct = _never_blocks(fd)
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self.backlog = 0
        """Bytes that wait to be written."""
        self.error: int | None = None
        """The errno that made writing impossible; what comes afterwards is dropped."""
        self.between_lines = True
        """Whether what was written last has ended its line."""
        self._status = b""

    def status(self, text: bytes) -> None:
        """Show a line on a terminal until something is written; not behind an unfinished one."""
        if text != self._status and self.between_lines:
            self._put(_ERASE, text)
            self._status = text

    def write(self, *pieces: Buffer) -> None:
        """Write all the pieces, now or later, in order and next to each other."""
        if self._status:
            pieces = (_ERASE, *pieces)
            self._status = b""
        if pieces and pieces[-1]:
            self.between_lines = pieces[-1][-1] == _NEWLINE
        self._put(*pieces)

    def _put(self, *pieces: Buffer) -> None:
        size = sum(map(len, pieces))
        if self.error is not None or not size:
            return
        if self._thread is None and self._direct and size <= _DIRECT and self._writable():
            self._write_all(list(pieces))
            return
        if self._thread is None:
            import threading  # only who needs the thread pays for the import

            self._changed = threading.Condition()
            self._thread = threading.Thread(target=self._write_out, daemon=True)
            self._thread.start()
        with self._changed:
            self._queue.extend(pieces)
            self.backlog += size
            self._changed.notify()

    def _writable(self) -> bool:
        return any(mask & select.POLLOUT for _, mask in self._poll.poll(0))

    def _write_all(self, pieces: list[Buffer]) -> None:
        while pieces and self.error is None:
            try:
                written = os.writev(self._fd, pieces)
            except BlockingIOError:  # somebody else has set the descriptor non-blocking
                self._poll.poll()
                continue
            except OSError as error:
                self.error = error.errno
                return
            while pieces and written >= len(pieces[0]):
                written -= len(pieces.pop(0))
            if written:
                pieces[0] = memoryview(pieces[0])[written:]

    def _write_out(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    if self._closing:
                        return
                    self._changed.wait()
                pieces = [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]
            size = sum(map(len, pieces))
            self._write_all(pieces)
            with self._changed:
                self.backlog -= size
                small = self.backlog < _SMALL
            if small:
                self._drained()

    def close(self) -> None:
        """Wait until all is written; the descriptor stays open."""
        if self._thread is not None:
            with self._changed:
                self._closing = True
                self._changed.notify()
            self._thread.join()

    @property
    def reader_gone(self) -> bool:
        """Whether nobody reads any more, as opposed to a device that is full or broken."""
        return self.error == errno.EPIPE
