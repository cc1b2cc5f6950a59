"""A small epoll loop: descriptors, timers and signals in one thread.

The engine and the embedded broker both run on it. asyncio would do the same work for 35 ms more
of CPU at start, which is more than a broker's whole boot may cost, and for several microseconds
more on each of the two million PMI requests of a 1024-broker instance.
"""

from __future__ import annotations

import heapq
import math
import os
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from types import FrameType
else:  # the same, without the 5 ms of CPU that signal's enumerations take to import
    import _signal as signal

_READ = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP
_DAY = 86400.0
_WRITE = select.EPOLLOUT | select.EPOLLHUP | select.EPOLLERR


class Timer:
    """A callback due at a time of the reactor's clock; `cancel()` makes it never fire."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Make the timer never fire; harmless when it has fired already."""
        self.callback = None

    def __lt__(self, other: Timer) -> bool:
        return self.when < other.when


class Reactor:
    """Call back when descriptors are ready, times have come or signals have arrived.

    Callbacks run one after another in the thread that called `run`. An exception in a callback
    leaves `run`: the owner cleans up.

    Args:
        clock: seconds as a float that never go back; tests inject their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = clock
        self._epoll = select.epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        self._writers: dict[int, Callable[[], None]] = {}
        self._timers: list[Timer] = []
        self._signals: dict[int, Callable[[], None]] = {}
        self._wakeup: tuple[int, int] | None = None
        self._stopped = False

    def add_reader(self, fd: int, callback: Callable[[], None]) -> None:
        """Call `callback` whenever `fd` can be read, is at its end or has failed."""
        known = fd in self._readers or fd in self._writers
        self._readers[fd] = callback
        self._register(fd, known)

    def remove_reader(self, fd: int) -> None:
        """Forget the reader of `fd`, if any; call it before the descriptor is closed."""
        if self._readers.pop(fd, None) is not None:
            self._register(fd, known=True)

    def add_writer(self, fd: int, callback: Callable[[], None]) -> None:
        """Call `callback` whenever `fd` can be written to or has failed."""
        known = fd in self._readers or fd in self._writers
        self._writers[fd] = callback
        self._register(fd, known)

    def remove_writer(self, fd: int) -> None:
        """Forget the writer of `fd`, if any."""
        if self._writers.pop(fd, None) is not None:
            self._register(fd, known=True)

    def _register(self, fd: int, known: bool) -> None:
        mask = 0
        if fd in self._readers:
            mask |= select.EPOLLIN | select.EPOLLRDHUP
        if fd in self._writers:
            mask |= select.EPOLLOUT
        if mask == 0:
            self._epoll.unregister(fd)
            return
        if known:
            try:
                self._epoll.modify(fd, mask)
                return
            except FileNotFoundError:
                pass  # it was closed without a word, and is another one now
        self._epoll.register(fd, mask)

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` once, `delay` seconds from now; never if `delay` is infinite."""
        timer = Timer(self.now() + delay, callback)
        if delay < math.inf:
            heapq.heappush(self._timers, timer)
        return timer

    def on_signal(self, signum: int, callback: Callable[[], None]) -> None:
        """Call `callback` in the loop, once for every delivery of `signum` that is seen.

        Must be called in the main thread; `close` restores the former disposition to default.
        """
        if self._wakeup is None:
            self._wakeup = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            self.add_reader(self._wakeup[0], self._dispatch_signals)
            signal.set_wakeup_fd(self._wakeup[1], warn_on_full_buffer=False)
        self._signals[signum] = callback
        signal.signal(signum, _ignore_here)

    def _dispatch_signals(self) -> None:
        assert self._wakeup is not None
        for signum in os.read(self._wakeup[0], 4096):
            callback = self._signals.get(signum)
            if callback is not None:
                callback()

    def stop(self) -> None:
        """Make `run` return once the callbacks of this round are done."""
        self._stopped = True

    def run(self) -> None:
        """Run callbacks until `stop` is called."""
        self._stopped = False
        while not self._stopped:
            self.run_once()

    def run_once(self, limit: float = math.inf) -> None:
        """Wait for at most `limit` seconds for something to do, and do it."""
        timers = self._timers
        while timers and timers[0].callback is None:
            heapq.heappop(timers)
        if timers:
            limit = min(limit, max(0.0, timers[0].when - self.now()))
        try:
            # epoll counts milliseconds in an int: who waits for weeks looks up once a day.
            events = self._epoll.poll(min(limit, _DAY))
        except InterruptedError:
            events = []
        readers, writers = self._readers, self._writers
        for fd, mask in events:
            # A callback may have removed what a later event of the same round belongs to.
            if mask & _READ and (callback := readers.get(fd)) is not None:
                callback()
            if mask & _WRITE and (callback := writers.get(fd)) is not None:
                callback()
        if timers:
            now = self.now()
            while timers and timers[0].when <= now:
                callback = heapq.heappop(timers).callback
                if callback is not None:
                    callback()

    def close(self) -> None:
        """Give descriptors and signal dispositions back; the reactor is of no use afterwards."""
        for signum in self._signals:
            signal.signal(signum, signal.SIG_DFL)
        if self._wakeup is not None:
            signal.set_wakeup_fd(-1)
            for fd in self._wakeup:
                os.close(fd)
            self._wakeup = None
        self._epoll.close()


def _ignore_here(_signum: int, _frame: FrameType | None) -> None:
    """Take a signal: the wakeup descriptor has told the loop of it already."""
