"""Serve PMI-1 to the brokers over their sockets."""

from __future__ import annotations

import os

from fluxstart_tui.engine.record import PMI_CLIENT, PMI_SERVER
from fluxstart_tui.engine.start_control import Held
from fluxstart_tui.rfc import idset, pmi1
from fluxstart_tui.session import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.reactor import Reactor

_CHUNK = 65536


class PmiServer:
    """The sockets around a `pmi1.Server`; whatever a client sends or does, the others go on.

    Args:
        reactor: the engine's loop.
        size: number of brokers.
        mapping: PMI_process_mapping, or "" for none.
        messages: where violations are reported.
        record: told of the phases of each conversation, and of its bytes if a session is written.
        aborted: called with a rank and its message when it asks to end the program.
        trace: print each request and reply as `flux start -vv` does.
    """

    def __init__(
        self,
        reactor: Reactor,
        size: int,
        mapping: str,
        messages: Messages,
        record: Record,
        aborted: Callable[[int, str], None],
        *,
        trace: bool = False,
    ) -> None:
        self._reactor = reactor
        self._messages = messages
        self._record = record
        self._recorder = record.recorder
        self._t = 0.0  # seconds, as recorded: when what is being answered came
        self._abort = aborted
        self._fds: dict[int, int] = {}
        self._unsent: dict[int, bytearray] = {}
        self._finalized: set[int] = set()
        self._held: set[int] = set()
        self._barrier_held = False
        self._phases: dict[int, str] = {}
        self._entered: dict[int, int] = {}
        self._barriers = 0
        self.on_phase: Callable[[int, str], None] = lambda _rank, _phase: None
        """Called when a rank enters a phase of its conversation (events.PMI_PHASES)."""
        self._core = pmi1.Server(
            size,
            [("PMI_process_mapping", mapping)] if mapping else [],
            self,
            self._trace if trace else None,
        )

    @property
    def held(self) -> Held:
        """What is held on somebody's wish."""
        return Held(frozenset(self._held), self._barrier_held)

    @property
    def ranks(self) -> set[int]:
        """Ranks whose conversation is open: neither finalized nor ended otherwise."""
        return set(self._fds)

    def add(self, rank: int, fd: int) -> None:
        """Serve a broker on our end of its socket, which must not block; takes the descriptor."""
        self._fds[rank] = fd
        self._phases.pop(rank, None)
        self._entered.pop(rank, None)
        self._listen(rank, fd)

    def _listen(self, rank: int, fd: int) -> None:
        if rank not in self._held:
            self._reactor.add_reader(fd, lambda: self._readable(rank, fd))

    def close(self, rank: int) -> None:
        """End the conversation with a rank, if it is open; a broker waiting in PMI fails then."""
        fd = self._fds.pop(rank, None)
        if fd is not None:
            self._unsent.pop(rank, None)
            self._finalized.discard(rank)
            self._core.drop(rank)
            self._reactor.remove_reader(fd)
            self._reactor.remove_writer(fd)
            os.close(fd)
            if self._phases.get(rank) not in (None, "finalize"):
                self.entered(rank, "closed")

    def close_all(self) -> None:
        """Release every broker that is still in PMI."""
        for rank in list(self._fds):
            self.close(rank)

    def hold(self, ranks: Iterable[int]) -> None:
        """Take nothing more from these ranks until they are released."""
        for rank in ranks:
            self._held.add(rank)
            if rank in self._fds:
                self._reactor.remove_reader(self._fds[rank])
        self._tell_held()

    def release(self, ranks: Iterable[int]) -> None:
        """Go on serving these ranks."""
        for rank in self._held & set(ranks):
            self._held.discard(rank)
            if rank in self._fds and rank not in self._unsent:
                self._listen(rank, self._fds[rank])
        self._tell_held()

    def hold_barrier(self, *, held: bool) -> None:
        """Keep barriers from completing, or let them."""
        self._barrier_held = held
        self._t = self._record.now()
        self._tell_held()
        self._core.hold_barrier(held)

    def _tell_held(self) -> None:
        self._record.event(events.Hold(idset.encode(self._held), self._barrier_held))

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
        if self._recorder is not None:
            # All brokers wait meanwhile: what is called is looked up in the way that is fastest.
            clock, put = self._record.clock, self._recorder.put
            self._t = clock() - self._record.start
            put((self._t, rank, PMI_CLIENT, data))
        try:
            self._core.receive(rank, data)
        except pmi1.ProtocolError as error:
            self._messages.say(f"{rank}: PMI protocol error: {error}")
            self._record.event(events.Violation(rank, str(error)))
            self.close(rank)

    def reply(self, client: int, data: bytes) -> None:
        """Send bytes to a rank (pmi1.Effects)."""
        fd = self._fds.get(client)
        if fd is None:
            return
        if self._recorder is not None:
            put = self._recorder.put
            put((self._t, client, PMI_SERVER, data))
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
            self._listen(rank, fd)

    def entered(self, client: int, phase: str) -> None:
        """Tell of a phase that a rank has entered (pmi1.Effects)."""
        barrier = phase == "barrier"
        if barrier:
            self._entered[client] = self._entered.get(client, 0) + 1
        if barrier or self._phases.get(client) != phase:
            self._phases[client] = phase
            self._record.event(events.Pmi(client, phase, self._entered.get(client, 0)))
            self.on_phase(client, phase)

    def released(self) -> None:
        """Tell of a barrier that is complete (pmi1.Effects)."""
        self._barriers += 1
        self._record.event(events.Barrier(self._barriers))
        for rank, phase in self._phases.items():
            if phase == "barrier":
                self._phases[rank] = "get"

    def finalized(self, client: int) -> None:
        """End the conversation of a rank that has finalized, once it has its replies."""
        if client in self._unsent:
            self._finalized.add(client)
        else:
            self.close(client)

    def aborted(self, client: int, code: int, message: bytes) -> None:
        """Pass an abort on (pmi1.Effects); flux start does not use its exit code either."""
        text = pmi1.printable(message).decode("ascii")
        self._record.event(events.Abort(client, code, text))
        self._abort(client, text)

    def _trace(self, rank: int, side: str, line: bytes) -> None:
        self._messages.raw(b"%d: " % rank + pmi1.trace_line(side, line))
