"""Pass the brokers' output on: prefixed with their ranks (`--label-io`), recorded, or both."""

from __future__ import annotations

import os

from fluxstart_tui.engine.record import STDERR, STDOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.output import Buffer, Output
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.reactor import Reactor

_CHUNK = 65536
"""Bytes a read: what a pipe holds. Larger pieces cost more, since malloc(3) hands their memory back
to the system each time."""

_BACKLOG_MAX = 2 << 20
"""Bytes that may wait for a slow reader before the brokers have to wait too."""

LINE_MAX = 65536
"""Bytes of an unfinished line that are held back; then it is broken."""


class Labeler:
    """Turn a byte stream into labelled whole lines. Pure.

    Args:
        label: what each line begins with.
    """

    def __init__(self, label: bytes) -> None:
        self._label = label
        self._between = b"\n" + label
        self._held = b""

    def feed(self, data: bytes) -> list[Buffer]:
        """Take bytes and return what can be written of them: nothing, or whole lines.

        It comes in pieces since putting them together would take longer than labelling them.
        """
        end = data.rfind(b"\n") + 1
        if end == 0:
            self._held += data
            return self._break_held() if len(self._held) >= LINE_MAX else []
        lines = data if end == len(data) else data[:end]
        if self._held:
            lines = self._held + lines
        self._held = data[end:]
        if _has_long_line(lines):
            lines = b"\n".join(_pieces(line) for line in lines[:-1].split(b"\n")) + b"\n"
        out = self._labelled(lines)
        return out + self._break_held() if len(self._held) >= LINE_MAX else out

    def _labelled(self, lines: bytes) -> list[Buffer]:
        followed = lines.replace(b"\n", self._between)
        return [self._label, memoryview(followed)[: -len(self._label)]]

    def _break_held(self) -> list[Buffer]:
        whole = len(self._held) - len(self._held) % LINE_MAX
        head, self._held = self._held[:whole], self._held[whole:]
        return self._labelled(_pieces(head) + b"\n")

    def finish(self) -> list[Buffer]:
        """Return the unfinished line, if any, ended by a newline."""
        held, self._held = self._held, b""
        return self._labelled(held + b"\n") if held else []


def _has_long_line(lines: bytes) -> bool:
    at = 0
    while len(lines) - at > LINE_MAX:
        # The last newline within reach of the longest line: it is found at once, near the end.
        end = lines.rfind(b"\n", at, at + LINE_MAX + 1)
        if end < 0:
            return True
        at = end + 1
    return False


def _pieces(line: bytes) -> bytes:
    return b"\n".join(line[at : at + LINE_MAX] for at in range(0, max(len(line), 1), LINE_MAX))


class Unlabelled:
    """Pass a byte stream on as it comes. Pure."""

    def feed(self, data: bytes) -> list[Buffer]:
        """Take bytes and return what can be written of them."""
        return [data]

    def finish(self) -> list[Buffer]:
        """Return what is left."""
        return []


class Relay:
    """Read the brokers' stdout and stderr from pipes, write them to ours and record them.

    Args:
        reactor: the engine's loop.
        record: takes the bytes as they come, if a session is written.
        size: number of brokers; labels are right-aligned to the widest rank.
        labelled: lines are to be prefixed with ranks.
        outputs: our stdout and stderr, in this order; the same object if they are one file, since
            two writers would mix their lines.
        messages: where a failing output is reported, once.
    """

    def __init__(
        self,
        reactor: Reactor,
        record: Record,
        size: int,
        outputs: tuple[Output, Output],
        messages: Messages,
        *,
        labelled: bool,
    ) -> None:
        self._reactor = reactor
        self._data = record.data if record.recorder is not None else None
        self._width = len(str(size - 1)) if labelled else 0
        self._outputs = outputs
        self._messages = messages
        self._streams: dict[int, tuple[Labeler | Unlabelled, Output, int, int]] = {}
        self._paused: set[int] = set()
        self._reported: set[int] = set()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        reactor.add_reader(self._wake, self._resume)
        self.failed = False
        """Whether output was lost to anything but a reader that went away."""

    def drained(self) -> None:
        """Tell, from any thread, that an output has room again."""
        os.eventfd_write(self._wake, 1)

    def add(self, rank: int, fds: tuple[int, int]) -> None:
        """Relay what comes from these two pipes, stdout's and stderr's read ends."""
        label = b"%*d: " % (self._width, rank)
        for fd, output, stream in zip(fds, self._outputs, (STDOUT, STDERR), strict=True):
            os.set_blocking(fd, False)
            labeler = Labeler(label) if self._width else Unlabelled()
            self._streams[fd] = (labeler, output, rank, stream)
            self._reactor.add_reader(fd, self._reader(fd))

    def _reader(self, fd: int) -> Callable[[], None]:
        def read() -> None:
            self._read(fd)

        return read

    def _read(self, fd: int) -> bool:
        """Relay what is there; tell whether there may be more."""
        labeler, output, rank, stream = self._streams[fd]
        if output.error is not None and not self._lost(output):
            self._close(fd)
            return False
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            output.write(*labeler.finish())
            self._close(fd)
            return False
        if self._data is not None:
            self._data(rank, stream, data)
        output.write(*labeler.feed(data))
        if output.backlog > _BACKLOG_MAX:
            self._reactor.remove_reader(fd)
            self._paused.add(fd)
        return True

    def _lost(self, output: Output) -> bool:
        """Say that output is lost; return whether the brokers' output is still to be taken."""
        if output.reader_gone:
            return False  # then the brokers get SIGPIPE, as if they wrote there themselves
        if id(output) not in self._reported and output.error is not None:
            self._reported.add(id(output))
            self.failed = True
            name = "stdout" if output is self._outputs[0] else "stderr"
            self._messages.say(f"write error on {name}: {os.strerror(output.error)}")
        return True

    def _resume(self) -> None:
        os.eventfd_read(self._wake)
        for fd in [fd for fd in self._paused if self._streams[fd][1].backlog < _BACKLOG_MAX]:
            self._paused.discard(fd)
            self._reactor.add_reader(fd, self._reader(fd))

    def _close(self, fd: int) -> None:
        self._reactor.remove_reader(fd)
        self._paused.discard(fd)
        del self._streams[fd]
        os.close(fd)

    def finish(self) -> None:
        """Relay what the brokers have left in their pipes, and stop.

        The pipes may have other writers, such as a background process of the initial program; they
        are not waited for.
        """
        for fd in list(self._streams):
            for _ in range(17):  # a pipe holds up to 1 MiB; who still writes is not waited for
                if fd not in self._streams or not self._read(fd):
                    break
            if fd in self._streams:
                labeler, output = self._streams[fd][:2]
                output.write(*labeler.finish())
                self._close(fd)

    def report(self) -> None:
        """Say what has been lost; to be called when all that could be written has been."""
        for output in self._outputs:
            if output.error is not None:
                self._lost(output)
