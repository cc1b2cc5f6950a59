"""The socket to the PMI server, and the conversation that is held over it."""

from __future__ import annotations

import os

from fluxstart_tui.rfc import pmi1

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from fluxstart_tui.reactor import Reactor

    Script = Generator[bytes, list[bytes], None]
    """Yields requests, one or several whole lines; is sent as many replies, without newlines."""

_READ_SIZE = 65536


class Client:
    """Follows scripts: sends what they ask, and tells them the answers.

    It never blocks, so a broker that waits in a barrier still takes signals, and a server that
    does not read while it writes is read from.

    Args:
        reactor: drives the socket.
        fd: the socket, owned from now on.
    """

    def __init__(self, reactor: Reactor, fd: int) -> None:
        self._reactor = reactor
        self._fd = fd
        self._unsent = b""
        self._received = b""
        self._asked = 0
        self._missing = 0
        self._script: Script | None = None
        self._done: Callable[[], None]
        self._lost = False
        os.set_blocking(fd, False)

    def run(self, script: Script, done: Callable[[], None]) -> None:
        """Follow a script and call `done` at its end. What it raises leaves the reactor."""
        self._script = script
        self._done = done
        self._reactor.add_reader(self._fd, self._readable)
        self._advance(None)

    def close(self) -> None:
        """Close the connection; nothing is called back any more."""
        self._end()
        os.close(self._fd)

    def _end(self) -> None:
        self._reactor.remove_reader(self._fd)
        self._reactor.remove_writer(self._fd)
        self._script = None

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._received += data
        self._missing -= data.count(b"\n")
        self._lost = not data or len(self._received) > pmi1.LINE_MAX * self._asked
        if self._lost or self._missing <= 0:
            self._advance(self._take())

    def _take(self) -> list[bytes]:
        """Return one line for each request, an empty one where the server has gone before."""
        *lines, self._received = self._received.split(b"\n", self._asked)
        return lines + [b""] * (self._asked - len(lines))

    def _advance(self, replies: list[bytes] | None) -> None:
        """Tell the script the replies, None to start it, and send what it asks next."""
        script = self._script
        assert script is not None
        try:
            while True:
                requests = script.send(replies)  # type: ignore[arg-type] # None before the first
                self._asked = requests.count(b"\n")
                self._missing = self._asked - self._received.count(b"\n")
                if not self._lost:
                    self._write(requests)
                if not self._lost and self._missing > 0:
                    return
                replies = self._take()
        except StopIteration:
            self._end()
            self._done()

    def _write(self, data: bytes) -> None:
        try:
            sent = os.write(self._fd, data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lost = True
            return
        self._unsent = data[sent:]
        if self._unsent:
            self._reactor.add_writer(self._fd, self._writable)

    def _writable(self) -> None:
        self._reactor.remove_writer(self._fd)
        # Where this fails, reading tells.
        self._write(self._unsent)
