"""Where requests and responses go (flux-core: broker/broker.c, libflux/msglist.c, disconnect.c).

A request collects on its way the identities of whom it has passed, and its response goes back the
same way by taking them off again.
"""

from __future__ import annotations

import errno
import os

from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.services import Request, Services

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fluxstart_tui.rfc.message import Message

    Key = tuple[tuple[str, ...], int]

MODULES = ("config", "connector-local", "groups", "rexec", "overlay")
"""What flux-broker loads by itself, in its order."""

_SERVICES = frozenset(
    (
        *MODULES, "broker", "log", "attr", "heaptrace", "event", "service", "module", "bootstrap",
        "runat", "state-machine", "shutdown",
    )
)  # fmt: skip


def new_uuid() -> str:
    """Return a random UUID, as brokers and modules are named in routes."""
    digits = os.urandom(16).hex()
    return "-".join(digits[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))


def respond_raw(request: Request, payloads: Iterable[bytes]) -> None:
    """Answer with payloads that are no JSON, each in a response of its own."""
    answer = message.response(request.message, userid=os.getuid(), rolemask=message.ROLE_OWNER)
    routes = answer.routes or []
    for payload in payloads:
        answer.payload, answer.routes = payload, routes[:]  # which go on the way
        request.origin.send(answer)


class Streams(list[Request]):
    """Requests of one service that are answered again and again."""

    def __iter__(self) -> Iterator[Request]:
        """Go through those there are now: an answer may show that a neighbour is gone."""
        return iter(self[:])

    def disconnect(self, sender: str) -> None:
        """Forget those of a client that is gone."""
        self[:] = [one for one in self if (one.message.routes or ("",))[-1] != sender]

    def cancel(self, request: Request) -> None:
        """End the one that a client names by its matchtag."""
        tag, sender = request.unpack().get("matchtag"), request.message.routes
        for one in self:
            if one.message.matchtag == tag and one.message.routes == sender:
                self.remove(one)
                one.end()
                return


class Tracker:
    """What has been sent to a neighbour and is not answered to its end (librouter/rpc_track.c)."""

    def __init__(self) -> None:
        self._pending: dict[Key, Message] = {}

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def awaited(self) -> bool:
        """Whether there is a request, other than for a stream, that somebody waits for."""
        return any(not one.flags & message.STREAMING for one in self._pending.values())

    def sent(self, request: Message) -> None:
        """Take that a request is on its way."""
        if request.matchtag != message.MATCHTAG_NONE:
            if not request.flags & message.NORESPONSE:
                self._pending[_key(request)] = request
            return
        service, _, method = (request.topic or "").rpartition(".")
        if method == "disconnect" and request.routes:
            sender = request.routes[-1]
            self._pending = {
                key: one
                for key, one in self._pending.items()
                if key[0][-1:] != (sender,) or (one.topic or "").rpartition(".")[0] != service
            }

    def answered(self, response: Message) -> None:
        """Take a response: unless a stream goes on, it is the last."""
        if response.errnum or not response.flags & message.STREAMING:
            self._pending.pop(_key(response), None)

    def purge(self) -> list[Message]:
        """Return what will not be answered any more."""
        lost = list(self._pending.values())
        self._pending.clear()
        return lost


class Router(Services):
    """Has requests answered by this broker or sends them on, and brings responses back.

    Args:
        uuid: identifies this broker while it runs.
        clock: seconds that never go back.
    """

    def __init__(self, uuid: str, clock: Callable[[], float]) -> None:
        super().__init__()
        self.uuid = uuid
        self.now = clock
        self.rank = 0
        self.open = True
        self.online = False
        """Whether local clients may ask for everything: rc1 has begun."""
        self.links: dict[str, Callable[[Message], None]] = {}
        """Ways to the neighbours, by their identity: take responses."""
        self.onward: Callable[[Message], int] = lambda _: errno.EHOSTUNREACH
        """Sends a request over the tree; returns an errno if that is impossible."""
        self.received: dict[str, tuple[int, float]] = {}
        """By service, how many requests it has got and when the last."""
        self.responses = 0
        self._providers: dict[str, Callable[[], None]] = {}
        self._streams: dict[str, Streams] = {}

    def provide(self, provider: Callable[[], None], *services: str) -> None:
        """Have handlers added, once, when somebody asks services for what is not answered yet.

        Most services are asked for nothing in most runs, and so their code is not even loaded.
        """
        self._providers.update(dict.fromkeys(services, provider))

    def streams(self, service: str) -> Streams:
        """Return the streams of a service, which end with their clients."""
        return self._streams.setdefault(service, Streams())

    def request(self, arrived: Message) -> None:
        """Have a request answered here or elsewhere."""
        nodeid, upstream = arrived.nodeid, arrived.flags & message.UPSTREAM
        if nodeid == self.rank:
            here, onward = not upstream, bool(upstream)
        else:
            # Whoever is next offers the service; only rank 0 knows that nobody does.
            here = onward = bool(upstream) or nodeid == message.NODEID_ANY
            if onward:
                service = (arrived.topic or "").partition(".")[0]
                here = not self.rank or service in _SERVICES
        if here:
            self.dispatch(Request(arrived, self))
            return
        errnum = self.onward(arrived)
        if errnum:
            Request(arrived, self).fail(errnum)

    def dispatch(self, request: Request) -> None:
        """Have a request answered by this broker."""
        topic = request.message.topic or ""
        service, _, method = topic.partition(".")
        if service in _SERVICES:
            self.received[service] = self.received.get(service, (0, 0.0))[0] + 1, self.now()
            if method == "disconnect":
                self.streams(service).disconnect((request.message.routes or ("",))[-1])
                return
            if topic not in self._handlers:
                provider = self._providers.get(service)
                if provider is not None:
                    others = self._providers.items()
                    self._providers = {name: one for name, one in others if one is not provider}
                    provider()
            if topic not in self._handlers:
                request.fail(errno.ENOSYS, f"Unknown service method '{topic}'")
                return
        super().dispatch(request)

    def send(self, response: Message) -> None:
        """Bring a response on its way back; nobody may be there any more."""
        self.responses += 1
        routes = response.routes
        link = self.links.get(routes[0]) if routes else None
        if link is not None:
            link(response)

    def lose(self, neighbour: str) -> None:
        """Forget a neighbour and all who were reached through it."""
        self.links.pop(neighbour, None)
        for streams in self._streams.values():
            streams[:] = [one for one in streams if neighbour not in (one.message.routes or ())]


def _key(one: Message) -> Key:
    return tuple(one.routes or ()), one.matchtag
