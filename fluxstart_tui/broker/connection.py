"""A stream of Flux messages over a connected socket, driven by the reactor."""

from __future__ import annotations

from fluxstart_tui.rfc import message
from fluxstart_tui.rfc.message import Decoder, Message, MessageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable

    from fluxstart_tui.reactor import Reactor

_READ_SIZE = 65536


class Connection:
    """One peer.

    Args:
        reactor: calls back when there is something to read or room to write.
        sock: the connected socket, owned from now on.
        on_message: called with each message that arrives.
        on_close: called once when the peer is gone or has broken the protocol, but not when
            `close` was called here.
    """

    def __init__(
        self,
        reactor: Reactor,
        sock: socket,
        on_message: Callable[[Message], None],
        on_close: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._sock = sock
        self._fd = sock.fileno()
        self._on_message = on_message
        self._on_close = on_close
        self._decoder = Decoder()
        self._unsent = bytearray()
        self.open = True
        sock.setblocking(False)
        reactor.add_reader(self._fd, self._readable)

    def send(self, sent: Message) -> None:
        """Send a message, sooner or later; silently not at all if the peer is gone."""
        self.write(message.encode_framed(sent))

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
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

    def close(self) -> None:
        """End the conversation; what could not be sent yet is lost."""
        if self.open:
            self.open = False
            self._reactor.remove_reader(self._fd)
            self._reactor.remove_writer(self._fd)
            self._sock.close()

    def _writable(self) -> None:
        try:
            del self._unsent[: self._sock.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()
        if not self._unsent:
            self._reactor.remove_writer(self._fd)

    def _readable(self) -> None:
        try:
            data = self._sock.recv(_READ_SIZE)
            arrived = self._decoder.feed(data)
        except BlockingIOError:
            return
        except (OSError, MessageError):
            data, arrived = b"", []
        if not data:
            self.close()
            self._on_close()
            return
        for one in arrived:
            if self.open:
                self._on_message(one)
