"""Read a session, recorded or live. Whatever its files hold, nothing here is harmed by it."""

from __future__ import annotations

import os

from fluxstart_tui.session import events, state
from fluxstart_tui.session.header import (
    JOURNAL,
    SessionError,
    is_live,
    open_regular,
    read_header,
)
from fluxstart_tui.session.output_reader import SpoolReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.session.events import Event
    from fluxstart_tui.session.state import InstanceState

__all__ = ["Session", "SessionError", "is_live"]

LINE_MAX = 4 << 20
"""Longer lines of a journal are no events; a sample of 10,000 ranks has a quarter of a million."""
_BLOCK = 256 << 10


class _Lines:
    """The whole lines of a file that may still grow; too long ones are left out.

    Args:
        path: the file, which need not be there yet.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._offset = 0
        self._parts: list[bytes] = []  # of a line that is not whole yet
        self._length = 0

    def read(self) -> Iterator[bytes]:
        """Yield the lines that have become whole since."""
        if self._fd < 0:
            try:
                self._fd = open_regular(self._path)
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
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


def _decoded(lines: _Lines) -> Iterator[tuple[float, Event]]:
    for line in lines.read():
        timed = events.decode(line)
        if timed is not None:
            yield timed


class Session:
    """A session that is read.

    Args:
        path: its directory.

    Raises:
        SessionError: it is none.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.header = read_header(path)
        """What session.json holds; a field may be missing or of any type."""
        self.output = SpoolReader(path)
        size = self.header.get("size")
        if type(size) is not int or not 0 <= size <= state.RANK_MAX:
            size = 0
        self._lines = _Lines(os.path.join(path, JOURNAL))
        self._state = state.InstanceState(size)
        self._begun = False

    @property
    def live(self) -> bool:
        """Whether it is still recorded."""
        return is_live(self.path)

    @property
    def state(self) -> InstanceState:
        """The sum of all events until now when it is first asked, then of what `poll` returned.

        A view takes the state once and then both the events of each poll and their sum.
        """
        if not self._begun:
            self._begun = True
            self._state = state.advance(self._state, _decoded(self._lines))
        return self._state

    def events(self) -> Iterator[tuple[float, Event]]:
        """Yield all events from the first until now, whatever was read before."""
        lines = _Lines(os.path.join(self.path, JOURNAL))
        yield from _decoded(lines)
        lines.close()

    def poll(self) -> list[tuple[float, Event]]:
        """Return the events that came since the last poll or since `state` was first asked."""
        self._begun = True
        timed = list(_decoded(self._lines))
        self._state = state.advance(self._state, timed)
        return timed

    def close(self) -> None:
        """Close the files."""
        self._lines.close()
        self.output.close()
