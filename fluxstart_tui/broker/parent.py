"""The broker above this one in the tree (flux-core: modules/overlay/parent.c, overlay.c)."""

from __future__ import annotations

import errno
import os

from fluxstart_tui import compactjson
from fluxstart_tui.broker import endpoints
from fluxstart_tui.broker.children import CONTROL_DISCONNECT, CONTROL_HEARTBEAT, CONTROL_STATUS
from fluxstart_tui.broker.router import Tracker
from fluxstart_tui.rfc import message
from fluxstart_tui.rfc.message import MessageError
from fluxstart_tui.rpc.connection import Connection
from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.rpc.services import Request, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.broker.boot import Card
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rfc.message import Message

_RETRY_SECONDS = 0.02
_RECONNECT_SECONDS = 1.0


class Parent:
    """The link to the broker above.

    Args:
        reactor: drives the socket.
        log: takes messages in the name of `overlay`.
        router: takes what the parent asks for and answers.
        card: this broker's business card; its key is what the parent wants to see.
        rank: the parent's rank.
        host: the parent's host.
        status: tells how our subtree is.
    """

    def __init__(
        self,
        reactor: Reactor,
        log: Log,
        router: Router,
        card: Card,
        rank: int,
        host: str,
        status: Callable[[], int],
    ) -> None:
        self._reactor = reactor
        self._log = log
        self._router = router
        self._card = card
        self._parent_rank = rank
        self._name = f"{host} (rank {rank})"
        self._status = status
        self._uuid = ""
        """The parent's; empty until it has taken us."""
        self._connection: Connection | None = None
        self._greeted = False
        self._said_goodbye = False
        self._closed = False
        self._pending: dict[int, Callable[[Message], None]] = {}
        self._matchtag = 0
        self.pending = Tracker()
        """Requests of others that went up."""
        self.sent = 0.0
        """When the parent was told something."""
        self.on_joined: Callable[[], None] = _nothing
        """Called when the parent has taken us."""
        self.on_lost: Callable[[], None] = _nothing
        """Called when the parent has sent us away or has broken the protocol.

        That it has vanished goes unnoticed, as with flux-broker, whose ZeroMQ sockets try to
        reconnect for ever and tell nobody. Who takes its place sends us away: it does not know us.
        """

    @property
    def rpcs(self) -> int:
        """How many requests wait for the parent's answers."""
        return len(self._pending) + len(self.pending)

    def connect(self, uri: str) -> None:
        """Connect and say hello."""
        self._log.debug(f"connecting to {uri}", "overlay")
        self._try_connect(uri, _RETRY_SECONDS)

    def _try_connect(self, uri: str, pause: float) -> None:
        if self._closed:
            return
        try:
            sock = endpoints.connect(uri)
        except OSError:
            # The parent is not there yet, or more siblings are than its backlog takes at once.
            self._reactor.call_later(pause, lambda: self._try_connect(uri, pause))
            return
        self._connection = Connection(
            self._reactor, sock, self._receive, lambda _: self._try_again(uri)
        )
        if self._greeted:
            self.show()
            return
        hello = {
            "rank": self._router.rank,
            "uuid": self._router.uuid,
            "status": self._status(),
            "hostname": self._card.host,
            "pubkey": self._card.pubkey,
        }
        self.ask("overlay.hello", hello, self._welcomed)

    def _try_again(self, uri: str) -> None:
        """Connect to a parent that has vanished, should it come back."""
        self._reactor.call_later(
            _RECONNECT_SECONDS, lambda: self._try_connect(uri, _RECONNECT_SECONDS)
        )

    def ask(
        self,
        topic: str,
        payload: object,
        done: Callable[[Message], None],
        *,
        streaming: bool = False,
    ) -> None:
        """Send a request; `done` is called with each response."""
        self._matchtag += 1
        self._pending[self._matchtag] = done
        flags = message.STREAMING if streaming else 0
        self._send(topic, _encode(payload), flags, self._matchtag)

    def tell(self, topic: str, payload: object) -> None:
        """Send a request that wants no response."""
        self._send(topic, _encode(payload), message.NORESPONSE, message.MATCHTAG_NONE)

    def forward_log(self, record: bytes) -> None:
        """Pass a log record up."""
        self._send("log.append", record, message.NORESPONSE, message.MATCHTAG_NONE)

    def show(self) -> None:
        """Show that we are there."""
        self._post(message.control(CONTROL_HEARTBEAT, 0))

    def report(self, status: int) -> None:
        """Tell how our subtree is; hello does if it is still to be said."""
        self._post(message.control(CONTROL_STATUS, status))

    def forward(self, request: Message) -> int:
        """Send a request up; return an errno if that is impossible."""
        connected = self._connection is not None and self._connection.open
        if not connected or not self._greeted or self._said_goodbye:
            return errno.EHOSTUNREACH
        self.pending.sent(request)
        self._post(request)
        return 0

    def _send(self, topic: str, payload: bytes | None, flags: int, matchtag: int) -> None:
        sent = message.request(
            topic,
            payload,
            nodeid=self._router.rank,
            matchtag=matchtag,
            flags=flags | message.UPSTREAM,
        )
        sent.userid, sent.rolemask = os.getuid(), message.ROLE_OWNER
        self._post(sent)

    def _post(self, sent: Message) -> None:
        if self._connection is not None and not self._said_goodbye:
            self.sent = self._reactor.now()
            self._connection.send(sent)

    def goodbye(self, done: Callable[[], None]) -> None:
        """Take leave; call `done` when the parent knows, or when there is nobody to tell."""
        if not self._greeted:
            if self._closed:
                reason = os.strerror(errno.EHOSTUNREACH)
                self._log.err(f"error sending overlay.goodbye: {reason}", "overlay")
            done()
            return
        self.on_lost = done

        def answered(_: Message) -> None:
            self.on_lost = _nothing
            done()

        self.ask("overlay.goodbye", None, answered)
        self._said_goodbye = True

    def close(self) -> None:
        """Hang up."""
        self._closed = True
        if self._connection is not None:
            self._connection.close()

    def _welcomed(self, response: Message) -> None:
        if response.errnum:
            reason = response.text or os.strerror(response.errnum)
            self._log.err(f"overlay.hello: {reason}", "overlay")
            self._lose()
            return
        uuid = unpack(response).get("uuid")
        self._greeted = True
        self._log.debug(f"hello parent {self._parent_rank} {uuid}", "overlay")
        self._uuid = str(uuid)
        self._router.links[self._uuid] = self._post
        self.on_joined()

    def _receive(self, arrived: Message) -> None:
        if arrived.type == message.RESPONSE:
            if arrived.routes:
                self.pending.answered(arrived)
                self._router.send(arrived)
                return
            done = self._pending.get(arrived.matchtag)
            if done is None:
                return
            # A stream ends with its first error, anything else with its first response.
            if arrived.errnum or not arrived.flags & message.STREAMING:
                del self._pending[arrived.matchtag]
            try:
                done(arrived)
            except (RpcError, MessageError):
                self._lose(f"{self._name} sent a malformed response")
        elif arrived.type == message.REQUEST and self._greeted:
            arrived.rolemask &= ~message.ROLE_LOCAL
            self._router.request(arrived)
        elif arrived.type == message.CONTROL and arrived.aux1 == CONTROL_DISCONNECT:
            self._lose(f"{self._name} sent disconnect control message")

    def _lose(self, why: str | None = None) -> None:
        self.close()
        self._greeted = False
        if why is not None and not self._said_goodbye:
            self._log.crit(why, "overlay")
        self._router.lose(self._uuid)
        for request in self.pending.purge():
            Request(request, self._router).fail(errno.EHOSTUNREACH, "overlay disconnect")
        self.on_lost()


def _encode(payload: object) -> bytes | None:
    return None if payload is None else message.text_payload(compactjson.dumps(payload))


def _nothing() -> None:
    pass
