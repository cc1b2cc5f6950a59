"""Write a session: header, journal, spool. One thread does it, so no disk ever holds up the engine.

The engine only appends to a queue. What the disk does - be full, fail, hang - ends the recording
and nothing else.
"""

from __future__ import annotations

import _thread  # threading has more than is needed, and takes a millisecond to import
import math
from collections import deque

from fluxstart_tui.session.files import Files
from fluxstart_tui.session.output import STREAMS, losses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fluxstart_tui.session.events import Event
    from fluxstart_tui.session.output import Piece

    Lock = _thread.LockType

_PAUSE, _REST = 0.01, 0.25
"""Seconds between two writes while little comes: if somebody follows, and if nobody does. Each
takes the engine's thread from those whom it serves, and a boot is the worst time for that."""
_HURRY = 1 << 20
"""Bytes that are written at once, and that do not wait for the pause to end."""
_MUCH = 8 << 20
"""Bytes that begin it."""
_TTY = STREAMS.index("tty")
"""Is written without a pause: somebody types and waits for the echo."""
_OVERHEAD = 150
"""Bytes of memory that a queued item takes beside its data, about."""


class Recorder:
    """Writes one session; `event`, `data` and `close` are for the engine's thread alone.

    Nothing raises: where a session can not be written, `error` says why and the rest is dropped.

    Args:
        directory: an existing directory in which there is no session; it is made private.
        header: what goes into session.json.
        limit: bytes of output that are kept (output.Spool).
        grown: called in the writing thread after each write; it must not raise.
        backlog_max: bytes of memory that output which waits for the disk may take.
        at_once: write from the start; else `begin`, a terminal, much output or the end does it.
    """

    def __init__(
        self,
        directory: str,
        header: Mapping[str, object],
        *,
        limit: int,
        grown: Callable[[], None] = lambda: None,
        backlog_max: int = 64 << 20,
        at_once: bool = True,
    ) -> None:
        self.error: str | None = None
        """Why something is not recorded any more, in the words of the system."""
        self.followed = False
        """Whether somebody looks at what is written; to be set from outside."""
        self.position = (0, 0, 0)
        """What can be read now: bytes of the journal, number of the newest segment, its records."""
        self._grown = grown
        self._queue: deque[tuple[float, Event] | Piece] = deque()
        self.put: Callable[[Piece], None] = self._queue.append
        """Records output that is known to be little, as `data` does, and faster until the writing
        has begun: what brokers say to each other comes by the ten thousand in a tenth of a second,
        while all of them wait."""
        # The engine's thread alone writes _added, the other alone _taken: their difference, the
        # memory that is waiting, needs no lock.
        self._added = self._taken = 0
        self._early = 0  # how many of those that wait do not count: they were there at `begin`
        self._alarm: float = _MUCH  # how much must wait for the thread to be woken
        self._backlog_max = self._accepted = backlog_max
        self._refused: dict[tuple[int, int], int] = {}
        self._t = 0.0
        self._closing = False
        self._abandoned = False  # by `close`: what still waits is not written any more
        self._done: Lock | None = None  # taken for as long as the thread runs
        try:
            self._files = Files(directory, header, limit)
        except OSError as error:
            self._drop(error.strerror or str(error))
            return
        if at_once:
            self.begin()

    def begin(self) -> None:
        """Begin to write, if that has not been done; a boot is slower beside a second thread."""
        if self._done is not None or self._accepted < 0:
            return
        self.put = lambda piece: self.data(*piece)
        self._early, self._added = len(self._queue), 0
        self._bell = _thread.allocate_lock()  # taken but while the thread is called
        self._bell.acquire()
        done = _thread.allocate_lock()
        done.acquire()
        try:
            _thread.start_new_thread(self._run, (done,))
        except RuntimeError as error:  # too many threads or too little memory
            self._files.close(0.0)
            self._drop(str(error))
            return
        self._done = done

    def _drop(self, why: str) -> None:
        """Record nothing: it can not be written."""
        self._accepted = -1
        self.error = why
        self.put = lambda _piece: None
        self._queue.clear()

    def event(self, t: float, event: Event) -> None:
        """Record an event that happened at `t` seconds since the session's start."""
        if self._accepted < 0:
            return
        self._t = t
        self._queue.append((t, event))
        self._added += _OVERHEAD
        waiting = self._added - self._taken
        if self._refused and waiting <= self._accepted:
            self._report_refused()
        if waiting >= self._alarm:
            self._alarm = math.inf
            self._ring()

    def data(self, t: float, rank: int, stream: int, data: bytes) -> None:
        """Record output, in the order of the calls.

        Args:
            t: seconds since the session's start.
            rank: whose output.
            stream: index into output.STREAMS.
            data: the bytes.
        """
        size = len(data) + _OVERHEAD
        waiting = self._added - self._taken + size
        if waiting > self._accepted:
            self._refuse(rank, stream, len(data))
            return
        self._queue.append((t, rank, stream, data))
        self._added += size
        if waiting >= self._alarm or (stream == _TTY and self._alarm < math.inf):
            self._alarm = math.inf
            self._ring()
        if self._refused:
            self._t = t
            self._report_refused()

    def _ring(self) -> None:
        if self._done is None:
            self.begin()
            return
        try:
            self._bell.release()
        except RuntimeError:  # it rings already
            pass

    def _refuse(self, rank: int, stream: int, size: int) -> None:
        if self._accepted >= 0:
            # Half of the backlog must be gone before more is taken: one report for many losses.
            self._accepted = self._backlog_max // 2
            self._refused[rank, stream] = self._refused.get((rank, stream), 0) + size

    def _report_refused(self) -> None:
        refused, self._refused = self._refused, {}
        self._accepted = self._backlog_max
        for loss in losses(refused, "speed"):
            self.event(self._t, loss)

    def close(self, patience: float = 5.0) -> None:
        """Write what waits and close the files; calls that come afterwards do nothing.

        Args:
            patience: seconds after which a disk that hangs is left alone.
        """
        if self._accepted < 0:
            return
        self._report_refused()
        self.begin()
        if self._done is None:
            return
        self._closing = True
        self._ring()
        if not self._done.acquire(timeout=patience):
            self._abandoned = True
            self.error = self.error or "the disk does not answer"
        self._accepted = -1

    # What follows runs in the writing thread.

    def _run(self, done: Lock) -> None:
        try:
            self._write_out()
        finally:
            done.release()

    def _write_out(self) -> None:
        t = 0.0
        while True:
            last = self._closing
            while self._queue and not self._abandoned:
                t = self._write()
            if last or self._abandoned:
                break
            self._alarm = _HURRY
            if not self._closing:
                self._bell.acquire(timeout=_PAUSE if self.followed else _REST)
            self._alarm = 0
            # Whoever adds to the queue looks at the alarm afterwards: no wakeup is lost.
            if not self._queue and not self._closing:
                self._bell.acquire()
            self._alarm = math.inf
        self._files.close(t)
        self._tell()

    def _write(self) -> float:
        """Write some of what waits; return the time of its newest piece."""
        pieces: list[Piece] = []
        timed: list[tuple[float, Event]] = []
        size = early = 0
        while self._queue and size < _HURRY:
            item = self._queue.popleft()
            size += _OVERHEAD
            if len(item) == 4:
                pieces.append(item)
                size += len(item[3])
            else:
                timed.append(item)
            if self._early:
                self._early -= 1
                early = size
        self._files.write(pieces, timed)
        self._taken += size - early
        self._tell()
        return item[0]

    def _tell(self) -> None:
        self.position = self._files.position
        self.error = self._files.error or self.error
        self._grown()
