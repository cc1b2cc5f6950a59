"""Write to stdout and stderr without ever waiting for whoever reads them."""

from __future__ import annotations

import errno
import os
import select
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

_DIRECT = 4096
"""A pipe that polls as writable takes this many bytes (PIPE_BUF) without blocking."""


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
        self._queue: deque[bytes] = deque()
        self._thread: threading.Thread | None = None
        self._changed: threading.Condition
        self._closing = False
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self.backlog = 0
        """Bytes that wait to be written."""
        self.error: int | None = None
        """The errno that made writing impossible; what comes afterwards is dropped."""

    def write(self, data: bytes) -> None:
        """Write all of `data`, now or later, in order."""
        if self.error is not None:
            return
        if self._thread is None and len(data) <= _DIRECT and self._writable():
            try:
                data = data[os.write(self._fd, data) :]
            except OSError as error:
                self.error = error.errno
                return
            if not data:
                return
        if self._thread is None:
            import threading  # only who needs the thread pays for the import

            self._changed = threading.Condition()
            self._thread = threading.Thread(target=self._write_out, daemon=True)
            self._thread.start()
        with self._changed:
            self._queue.append(data)
            self.backlog += len(data)
            self._changed.notify()

    def _writable(self) -> bool:
        return any(mask & select.POLLOUT for _, mask in self._poll.poll(0))

    def _write_out(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    if self._closing:
                        return
                    self._changed.wait()
                data = self._queue.popleft()
            size = len(data)
            view = memoryview(data)
            while view and self.error is None:
                try:
                    view = view[os.write(self._fd, view) :]
                except BlockingIOError:  # somebody else has set the descriptor non-blocking
                    self._poll.poll()
                except OSError as error:
                    self.error = error.errno
            with self._changed:
                self.backlog -= size
                small = self.backlog < (1 << 20)
            if small:
                self._drained()

    def close(self, timeout: float | None = None) -> None:
        """Wait until all is written, at most `timeout` seconds; the descriptor stays open."""
        if self._thread is not None:
            with self._changed:
                self._closing = True
                self._changed.notify()
            self._thread.join(timeout)

    @property
    def reader_gone(self) -> bool:
        """Whether nobody reads any more, as opposed to a device that is full or broken."""
        return self.error == errno.EPIPE
