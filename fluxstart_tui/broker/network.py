"""What connects a broker: its local socket and the tree (flux-core: its built-in modules).

These are connector-local, overlay (overlay.c, boot_pmi.c, boot_config.c) and groups.
"""

from __future__ import annotations

import errno

from fluxstart_tui.broker import boot, endpoints, topology
from fluxstart_tui.broker.boot import Card
from fluxstart_tui.broker.children import Children
from fluxstart_tui.broker.faults import FINALIZED, SILENT, UNCONNECTED
from fluxstart_tui.broker.groups import Groups
from fluxstart_tui.broker.local import Connector
from fluxstart_tui.broker.router import MODULES
from fluxstart_tui.broker.tbon import DEFAULT_HINTS, HINT
from fluxstart_tui.rfc import fsd, hostlist, message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.bootstrap import Bootstrap
    from fluxstart_tui.broker.endpoints import Cliques
    from fluxstart_tui.broker.faults import Faults
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.parent import Parent
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.broker.topology import Topology
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rfc.message import Message

LOCAL_SCHEME = "local://"
_LOOK_SECONDS = 5.0
_LOOPBACK = "lo"


class Network:
    """The links of one broker, from `load` to `unload`.

    Args:
        reactor: drives the sockets.
        log: takes messages in the names of the modules.
        attrs: say where to listen and in which topology; are told what has come of it.
        router: has answered what whoever is connected asks for.
        faults: strike on the way.
        bootstrap: knows who we are, and finds out who the others are.
        cliques: who shares a host.
        cards: takes the business cards of all brokers.
        configure: completes the settings of the tree.
    """

    def __init__(
        self,
        reactor: Reactor,
        log: Log,
        attrs: Attributes,
        router: Router,
        faults: Faults,
        bootstrap: Bootstrap,
        cliques: Cliques,
        cards: dict[int, Card],
        configure: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._log = log
        self._attrs = attrs
        self._router = router
        self._faults = faults
        self._bootstrap = bootstrap
        self._rank = router.rank = bootstrap.identity.rank
        self._cliques = cliques
        self._cards = cards
        self._configure = configure
        self._local: Connector | None = None
        self._tree: Topology
        self._children: Children | None = None
        self._parent: Parent | None = None
        self.on_loaded: Callable[[Children, Parent | None, Groups], None]
        """Called when everybody is known, before we connect to the parent."""

    def load(self) -> None:
        """Listen, and exchange business cards.

        Raises:
            BuiltinsError: that is not possible.
        """
        me, attrs = self._bootstrap.identity, self._attrs
        for name in MODULES:
            self._log.debug(f"insmod {name}")
        uri = attrs.get("local-uri") or ""
        self._local = Connector(self._reactor, self._router, uri.removeprefix(LOCAL_SCHEME))
        for who in ("guest-user", "root-owner"):
            self._log.debug(f"allow-{who}=false", "connector-local")
        self._configure()
        members = self._bootstrap.members
        parents = None if members is None else members.parents
        tree = topology.configure(attrs, me.rank, me.size, parents)
        self._tree = tree
        self._children = Children(self._reactor, self._log, self._router, tree, self._cards)
        key = boot.new_key() if members is None else members.public_key()
        card = Card(attrs.get("hostname") or "", [], key)
        below = tree.children(me.rank)
        if below:
            path = f"{attrs.get('rundir')}/tbon-{me.rank}"
            if members is None:
                hint = attrs.get(HINT) or ""
                if hint not in DEFAULT_HINTS:
                    from fluxstart_tui.broker import interfaces  # few name one

                    interfaces.check(hint)
                uris = endpoints.to_bind(
                    self._cliques, me.rank, below, path, prefer_tcp=self._prefer_tcp
                )
                if hint != _LOOPBACK and uris[0].startswith(endpoints.TCP):
                    self._log.debug(
                        f"{HINT}={hint} has no effect: TCP stays on {_LOOPBACK}", "overlay"
                    )
                card.uris += [self._children.listen(uri) for uri in uris]
            else:
                self._children.listen(members.bind_uri())
                card.uris += members.connect_uris(me.rank)
            attrs.set("tbon.endpoint", next(iter(card.uris), None))
        self._bootstrap.exchange(card, tree, self._cards, lambda: self._connect(tree))

    @property
    def _prefer_tcp(self) -> bool:
        return self._attrs.get("tbon.prefertcp") not in (None, "0")

    def _connect(self, tree: Topology) -> None:
        """Go on, now that everybody is known."""
        assert self._children is not None
        rank, attrs, cards, faults = self._rank, self._attrs, self._cards, self._faults
        faults.strike(FINALIZED)
        if "hostlist" not in attrs:
            size = self._bootstrap.identity.size
            attrs.set("hostlist", hostlist.encode([cards[one].host for one in range(size)]))
        above = tree.parent(rank)
        tell = None
        if above is not None:
            from fluxstart_tui.broker.parent import Parent  # rank 0 needs none

            host = cards[above].host
            name = f"{host} (rank {above})"
            near = self._cliques.share(rank, above) and not self._prefer_tcp
            uri = endpoints.to_connect(cards[above].uris, name, prefer_ipc=near)
            attrs.set("tbon.parent-endpoint", uri)
            children = self._children
            self._parent = Parent(
                self._reactor, self._log, self._router, cards[rank], above, host,
                lambda: children.status,
            )  # fmt: skip
            tell = self._parent.tell
            children.on_status = self._parent.report
        self._router.onward = self._send_on
        groups = Groups(self._reactor, self._router, tree, self._bootstrap.identity.size, tell)
        self._watch_torpidity(groups)
        self.on_loaded(self._children, self._parent, groups)
        if self._parent is not None:
            if faults.has(SILENT):
                self._parent.on_joined = lambda: None
            if not faults.has(UNCONNECTED):
                self._parent.connect(attrs.get("tbon.parent-endpoint") or "")

    def _send_on(self, request: Message) -> int:
        """Send a request up or down; return an errno if that is impossible (overlay.c)."""
        assert self._children is not None
        upstream, nodeid = request.flags & message.UPSTREAM, request.nodeid
        if not (upstream and nodeid == self._rank):
            child = self._tree.hop(self._rank, nodeid)
            if child is not None:
                return self._children.send(child, request)
        return errno.EHOSTUNREACH if self._parent is None else self._parent.forward(request)

    def _watch_torpidity(self, groups: Groups) -> None:
        """See now and then who has not been heard of for long."""
        children, parent = self._children, self._parent
        assert children is not None
        every = min(_LOOK_SECONDS, fsd.parse(self._attrs.get("tbon.torpid_min") or "inf"))

        def look() -> None:
            if self._children is None:
                return
            from fluxstart_tui.broker import torpid  # most instances do not live that long

            torpid.look(
                self._reactor.now(), self._log, self._attrs, self._cards, children, parent, groups
            )
            self._reactor.call_later(every, look)

        self._reactor.call_later(every, look)

    def provide(self) -> None:
        """Answer requests about the tree and the connector, should there be any."""
        router = self._router

        def overlay() -> None:
            from fluxstart_tui.broker.overlay import Overlay
            from fluxstart_tui.broker.queries import serve_methods

            assert self._children is not None
            Overlay(router, self._children, self._tree, lambda: self._parent)
            serve_methods(router, "overlay")

        def connector() -> None:
            from fluxstart_tui.broker.queries import serve_connector

            assert self._local is not None
            serve_connector(router, self._local)

        router.provide(overlay, "overlay")
        router.provide(connector, "connector-local")

    def unload(self) -> None:
        """Hang up everywhere."""
        if self._children is not None:
            self._children.close()
            self._children = None
        if self._parent is not None:
            self._parent.close()
            self._parent = None
        if self._local is not None:
            self._local.close()
            self._local = None
        self._bootstrap.close()
