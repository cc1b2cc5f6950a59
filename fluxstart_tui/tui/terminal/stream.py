"""The bytes of a rank's terminal out of a session, in portions that a frame can bear."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.output_reader import START, Position
from fluxstart_tui.session.output_segment import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.session.output_reader import Chunk, Follower, SpoolReader

TTY = STREAMS.index("tty")

WINDOW = 8 << 20
"""Bytes that are shown as they were; of what is further back only the modes matter, since the
scrollback holds less."""

_BEHIND = 1.0
"""Seconds without having caught up after which we look whether to skip."""

_MODES = re.compile(
    rb"\x1bc"  # everything as at the start
    rb"|\x1b[=>]"  # keypad
    rb"|\x1b\[[?>]?[0-9;]{1,40}[hl]"  # modes: alternate screen, mouse, bracketed paste...
    rb"|\x1b\][02];[^\x00-\x1f]{0,256}(?:\x07|\x1b\\)"  # title
)
_TORN = 512
"""Bytes that a sequence of these may have."""


class Portion(NamedTuple):
    """Bytes for the emulator."""

    t: float
    """When they came, in seconds since the session's start."""
    data: bytes


class Modes:
    """What is left of output that is not shown: the modes it has set."""

    def __init__(self) -> None:
        self._last: dict[bytes, bytes] = {}
        self._torn = b""

    def skim(self, data: bytes) -> None:
        """Look through output for modes."""
        data = self._torn + data
        end = 0
        for match in _MODES.finditer(data):
            sequence, end = match.group(), match.end()
            if sequence == b"\x1bc":
                self._last.clear()
                continue
            # Set or reset, the last of a mode counts; and so does the order, as far as it matters.
            key = sequence[:-1] if sequence[:2] == b"\x1b[" else sequence[:2]
            self._last.pop(key, None)
            self._last[key] = sequence
        rest = data[end:][-_TORN:]
        places = [at for at in (rest.rfind(b"\x1b]"), rest.rfind(b"\x1b")) if at >= 0]
        self._torn = rest[min(places) :] if places else b""

    def sequences(self) -> bytes:
        """Return output that sets these modes."""
        return b"".join(self._last.values())


class TtyStream:
    """Reads a rank's terminal output, from the beginning and while it grows.

    Args:
        spool: the session's output.
        rank: whose.
        window: bytes that are shown as they were, at the most, when there is more to catch up with.
    """

    def __init__(self, spool: SpoolReader, rank: int = 0, window: int = WINDOW) -> None:
        self._spool = spool
        self._rank = rank
        self._window = window
        self._follower: Follower = spool.follow(ranks={rank}, streams={TTY})
        self._full_from = window_start(spool, rank, window)
        self._modes: Modes | None = Modes() if self._full_from > START else None
        self._held: Chunk | None = None
        self._caught_up = time.monotonic()
        self.behind = False
        """Whether the last `read` has left something for the next one."""

    def read(self, seconds: float, until: float | None = None) -> Iterator[Portion]:
        """Yield what has come since.

        Args:
            seconds: after which it is left to the next call.
            until: time in the session that is not passed; None: all there is.
        """
        deadline = time.monotonic() + seconds
        self.behind = False
        for chunk in self._chunks():
            if until is not None and chunk.t > until:
                self._held = chunk
                break
            yield from self._portion(chunk)
            if time.monotonic() > deadline:
                self.behind = True
                break
        now = time.monotonic()
        if not self.behind:
            self._caught_up = now
        elif now - self._caught_up > _BEHIND:
            self._caught_up = now
            self._skip()

    def _chunks(self) -> Iterator[Chunk]:
        if self._held is not None:
            held, self._held = self._held, None
            yield held
        yield from self._follower.poll()

    def _portion(self, chunk: Chunk) -> Iterator[Portion]:
        if self._modes is None:
            yield Portion(chunk.t, chunk.data)
        elif chunk.position < self._full_from:
            self._modes.skim(chunk.data)
        else:
            modes, self._modes = self._modes, None
            # Shown from a line's or a sequence's beginning on, so that it starts with no fragment.
            starts = [at for at in (chunk.data.find(b"\n"), chunk.data.find(b"\x1b")) if at >= 0]
            yield Portion(chunk.t, b"\x1bc" + modes.sequences())
            yield Portion(chunk.t, chunk.data[min(starts) :] if starts else chunk.data)

    def _skip(self) -> None:
        """Begin anew near the end if there is more to catch up with than is ever shown."""
        start = window_start(self._spool, self._rank, self._window)
        if start > self._follower.position:
            self._full_from, self._modes = start, self._modes or Modes()


def window_start(spool: SpoolReader, rank: int, window: int) -> Position:
    """Return a place so many bytes of a rank's terminal output before its end, or the start."""
    size = 0
    for number in reversed(spool.numbers()):
        segment = spool.segment(number)
        if segment is None:
            continue
        total = segment.records()
        for first in range((total - 1) // BLOCK * BLOCK, -1, -BLOCK):
            count = min(BLOCK, total - first)
            if segment.unwanted(first, count, {TTY}, {rank}) is not None:
                continue
            entries = segment.entries(first, count)
            for at in range(len(entries) - 1, -1, -1):
                _, its, stream, length = entries[at]
                if its == rank and stream == TTY:
                    size += length
                    if size >= window:
                        return Position(number, first + at)
    return START
