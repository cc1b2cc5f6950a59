"""A connected socket, driven by the reactor: bytes, or Flux messages."""

from __future__ import annotations

import errno
import math

from fluxstart_tui.rfc import message
from fluxstart_tui.rfc.message import Decoder, Message, MessageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable

    from fluxstart_tui.reactor import Reactor, Timer

_READ_SIZE = 65536


class Stream:
    """Bytes to and from one peer, neither of which ever blocks.

    Args:
        reactor: calls back when there is something to read or room to write.
        sock: the connected socket, owned from now on.
        on_data: called with what arrives; MessageError raised by it ends the connection.
        on_close: called once with an errno when the peer is gone (ECONNRESET), has broken the
            protocol (EPROTO) or does not read (ENOBUFS), but not when `close` was called here.
        backlog_max: unsent bytes beyond which a peer that does not read is dropped.
    """

    def __init__(
        self,
        reactor: Reactor,
        sock: socket,
        on_data: Callable[[bytes], None],
        on_close: Callable[[int], None],
        backlog_max: float = math.inf,
    ) -> None:
        self._reactor = reactor
        self._sock = sock
        self._fd = sock.fileno()
        self._on_data = on_data
        self._on_close = on_close
        self._backlog_max = backlog_max
        self._unsent = bytearray()
        self._overrun: Timer | None = None
        self.open = True
        self.on_drained: Callable[[], None] | None = None
        """Called whenever all that had to wait for the peer has been sent."""
        sock.setblocking(False)
        reactor.add_reader(self._fd, self._readable)

    @property
    def backlog(self) -> int:
        """How many bytes wait for the peer to read."""
        return len(self._unsent)

    def write(self, data: bytes) -> None:
        """Send bytes, sooner or later; silently not at all if the peer is gone."""
        if not self.open:
            return
        if not self._unsent:
            try:
                data = data[self._sock.send(data) :]
            except BlockingIOError:
                pass
            except OSError:
                # What the peer sent before it went is still to be read: the reader ends this.
                return
            if not data:
                return
            self._reactor.add_writer(self._fd, self._writable)
        self._unsent += data
        if len(self._unsent) > self._backlog_max:
            self._drop()
            # Not from here: the caller is in the middle of something.
            self._overrun = self._reactor.call_later(0, lambda: self._on_close(errno.ENOBUFS))

    def close(self) -> None:
        """End the conversation; what could not be sent yet is lost."""
        if self._overrun is not None:
            self._overrun.cancel()
        self._drop()

    def _drop(self) -> None:
        if self.open:
            self.open = False
            self._reactor.remove_reader(self._fd)
            self._reactor.remove_writer(self._fd)
            self._sock.close()
            self._unsent.clear()

    def _writable(self) -> None:
        try:
            del self._unsent[: self._sock.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()
        if not self._unsent:
            self._reactor.remove_writer(self._fd)
            if self.on_drained is not None:
                self.on_drained()

    def _readable(self) -> None:
        errnum = errno.ECONNRESET
        try:
            data = self._sock.recv(_READ_SIZE)
            if data:
                self._on_data(data)
                return
        except BlockingIOError:
            return
        except MessageError:
            errnum = errno.EPROTO
        except OSError as error:
            errnum = error.errno or errnum
        if self.open:
            self._drop()
            self._on_close(errnum)


class Connection(Stream):
    """Messages to and from one peer.

    Args:
        reactor: as of a stream.
        sock: as of a stream.
        on_message: called with each message that arrives.
        on_close: as of a stream.
        backlog_max: as of a stream.
        size_max: longest message taken from the peer.
    """

    def __init__(
        self,
        reactor: Reactor,
        sock: socket,
        on_message: Callable[[Message], None],
        on_close: Callable[[int], None],
        *,
        backlog_max: float = math.inf,
        size_max: int = message.SIZE_MAX,
    ) -> None:
        super().__init__(reactor, sock, self._feed, on_close, backlog_max)
        self._on_message = on_message
        self._decoder = Decoder(size_max)

    def send(self, sent: Message) -> None:
        """Send a message, sooner or later; silently not at all if the peer is gone."""
        self.write(message.encode_framed(sent))

    def _feed(self, data: bytes) -> None:
        for one in self._decoder.feed(data):
            if self.open:
                self._on_message(one)
