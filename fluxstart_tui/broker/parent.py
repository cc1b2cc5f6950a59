"""The broker above this one in the tree (flux-core: modules/overlay/parent.c, overlay.c)."""

from __future__ import annotations

import os

from fluxstart_tui.broker import compactjson, endpoints
from fluxstart_tui.broker.children import CONTROL_DISCONNECT
from fluxstart_tui.broker.connection import Connection
from fluxstart_tui.broker.services import ServiceError, unpack
from fluxstart_tui.rfc import message
from fluxstart_tui.rfc.message import MessageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.broker.boot import Card
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rfc.message import Message

_RETRY_SECONDS = 0.02


class Parent:
    """The link to the broker above.

    Args:
        reactor: drives the socket.
        log: takes messages in the name of `overlay`.
        rank: this broker's rank.
        uuid: identifies this broker while it runs.
        card: this broker's business card; its key is what the parent wants to see.
        name: the parent as the log has it, `HOST (rank R)`.
    """

    def __init__(
        self, reactor: Reactor, log: Log, rank: int, uuid: str, card: Card, name: str
    ) -> None:
        self._reactor = reactor
        self._log = log
        self._rank = rank
        self._uuid = uuid
        self._card = card
        self._name = name
        self._connection: Connection | None = None
        self._greeted = False
        self._said_goodbye = False
        self._pending: dict[int, Callable[[Message], None]] = {}
        self._matchtag = 0
        self.on_joined: Callable[[], None] = _nothing
        """Called when the parent has taken us."""
        self.on_lost: Callable[[], None] = _nothing
        """Called when the parent has sent us away or has broken the protocol.

        That it has vanished goes unnoticed, as with flux-broker, whose ZeroMQ sockets try to
        reconnect for ever and tell nobody.
        """

    def connect(self, uri: str) -> None:
        """Connect and say hello."""
        self._log.debug(f"connecting to {uri}", "overlay")
        self._try_connect(uri)

    def _try_connect(self, uri: str) -> None:
        try:
            sock = endpoints.connect(uri)
        except OSError:
            # The parent is not there yet, or more siblings are than its backlog takes at once.
            self._reactor.call_later(_RETRY_SECONDS, lambda: self._try_connect(uri))
            return
        self._connection = Connection(self._reactor, sock, self._receive, _nothing)
        hello = {
            "rank": self._rank,
            "uuid": self._uuid,
            "hostname": self._card.host,
            "pubkey": self._card.pubkey,
        }
        self.ask("overlay.hello", hello, self._welcomed)

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

    def _send(self, topic: str, payload: bytes | None, flags: int, matchtag: int) -> None:
        if self._connection is not None and not self._said_goodbye:
            self._connection.send(
                message.request(
                    topic,
                    payload,
                    nodeid=self._rank,
                    matchtag=matchtag,
                    flags=flags | message.UPSTREAM,
                )
            )

    def goodbye(self, done: Callable[[], None]) -> None:
        """Take leave; call `done` when the parent knows, or when there is nobody to tell."""
        if not self._greeted:
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
        if self._connection is not None:
            self._connection.close()

    def _welcomed(self, response: Message) -> None:
        if response.errnum:
            reason = response.text or os.strerror(response.errnum)
            self._log.err(f"overlay.hello: {reason}", "overlay")
            self._lose()
            return
        self._greeted = True
        self._log.debug(f"hello {self._name} {unpack(response).get('uuid')}", "overlay")
        self.on_joined()

    def _receive(self, arrived: Message) -> None:
        if arrived.type == message.RESPONSE:
            done = self._pending.get(arrived.matchtag)
            if done is None:
                return
            # A stream ends with its first error, anything else with its first response.
            if arrived.errnum or not arrived.flags & message.STREAMING:
                del self._pending[arrived.matchtag]
            try:
                done(arrived)
            except (ServiceError, MessageError):
                self._lose(f"{self._name} sent a malformed response")
        elif arrived.type == message.CONTROL and arrived.aux1 == CONTROL_DISCONNECT:
            self._lose(f"{self._name} sent disconnect control message")

    def _lose(self, why: str | None = None) -> None:
        self.close()
        self._greeted = False
        if why is not None and not self._said_goodbye:
            self._log.crit(why, "overlay")
        self.on_lost()


def _encode(payload: object) -> bytes | None:
    return None if payload is None else message.text_payload(compactjson.dumps(payload))


def _nothing() -> None:
    pass
