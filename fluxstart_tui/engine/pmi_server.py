"""Serve PMI-1 to the brokers over their sockets."""

from __future__ import annotations

import os

from fluxstart_tui.rfc import pmi1

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.reactor import Reactor

_CHUNK = 65536


class PmiServer:
    """The sockets around a `pmi1.Server`; whatever a client sends or does, the others go on.

    Args:
        reactor: the engine's loop.
        size: number of brokers.
        mapping: PMI_process_mapping, or "" for none.
        messages: where violations are reported.
        aborted: called with a rank and its message when it asks to end the program.
        trace: print each request and reply as `flux start -vv` does.
    """

    def __init__(
        self,
        reactor: Reactor,
        size: int,
        mapping: str,
        messages: Messages,
        aborted: Callable[[int, str], None],
        *,
        trace: bool = False,
    ) -> None:
        self._reactor = reactor
        self._messages = messages
        self._abort = aborted
        self._fds: dict[int, int] = {}
        self._unsent: dict[int, bytearray] = {}
        self._finalized: set[int] = set()
        self._core = pmi1.Server(
            size,
            [("PMI_process_mapping", mapping)] if mapping else [],
            self,
            self._trace if trace else None,
        )

    @property
    def ranks(self) -> set[int]:
        """Ranks whose conversation is open: neither finalized nor ended otherwise."""
        return set(self._fds)

    def add(self, rank: int, fd: int) -> None:
        """Serve a broker on our end of its socket, which must not block; takes the descriptor."""
        self._fds[rank] = fd
        self._reactor.add_reader(fd, lambda: self._readable(rank, fd))

    def close(self, rank: int) -> None:
        """End the conversation with a rank, if it is open; a broker waiting in PMI fails then."""
        fd = self._fds.pop(rank, None)
        if fd is not None:
            self._unsent.pop(rank, None)
            self._core.drop(rank)
            self._reactor.remove_reader(fd)
            self._reactor.remove_writer(fd)
            os.close(fd)

    def close_all(self) -> None:
        """Release every broker that is still in PMI."""
        for rank in list(self._fds):
            self.close(rank)

    def _readable(self, rank: int, fd: int) -> None:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # ECONNRESET: it died with a reply unread
            data = b""
        if not data:
            self.close(rank)
            return
        try:
            self._core.receive(rank, data)
        except pmi1.ProtocolError as error:
            self._messages.say(f"{rank}: PMI protocol error: {error}")
            self.close(rank)

    def reply(self, client: int, data: bytes) -> None:
        """Send bytes to a rank (pmi1.Effects)."""
        fd = self._fds.get(client)
        if fd is None:
            return
        if client in self._unsent:
            self._unsent[client] += data
            return
        try:
            sent = os.write(fd, data)
        except BlockingIOError:
            sent = 0
        except OSError:  # it is gone; reading will tell
            return
        if sent < len(data):
            # One that does not read its replies gets no further requests served meanwhile.
            self._unsent[client] = bytearray(data[sent:])
            self._reactor.remove_reader(fd)
            self._reactor.add_writer(fd, lambda: self._writable(client, fd))

    def _writable(self, rank: int, fd: int) -> None:
        try:
            sent = os.write(fd, self._unsent[rank])
        except BlockingIOError:
            return
        except OSError:
            self.close(rank)
            return
        del self._unsent[rank][:sent]
        if not self._unsent[rank]:
            del self._unsent[rank]
            if rank in self._finalized:
                self.close(rank)
                return
            self._reactor.remove_writer(fd)
            self._reactor.add_reader(fd, lambda: self._readable(rank, fd))

    def finalized(self, client: int) -> None:
        """End the conversation of a rank that has finalized, once it has its replies."""
        if client in self._unsent:
            self._finalized.add(client)
        else:
            self.close(client)

    def aborted(self, client: int, code: int, message: bytes) -> None:  # noqa: ARG002
        """Pass an abort on (pmi1.Effects); flux start does not use its exit code either."""
        self._abort(client, pmi1.printable(message).decode("ascii"))

    def _trace(self, rank: int, side: str, line: bytes) -> None:
        self._messages.raw(b"%d: " % rank + pmi1.trace_line(side, line))
