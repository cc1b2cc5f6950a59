"""The bootstrap as the broker sees it, whichever the method (flux-core: broker/bootstrap.c)."""

from __future__ import annotations

from fluxstart_tui import compactjson
from fluxstart_tui.broker import boot
from fluxstart_tui.broker.boot import Card
from fluxstart_tui.broker.errors import StartError
from fluxstart_tui.broker.exchange import Conversation
from fluxstart_tui.broker.pmi_client import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.config import Members
    from fluxstart_tui.broker.faults import Faults
    from fluxstart_tui.broker.topology import Topology
    from fluxstart_tui.reactor import Reactor


class Bootstrap:
    """Finds out who we are, and then who the others are.

    Args:
        reactor: drives the conversation with a launcher, if there is one.
        environ: where launchers leave their traces.
        attrs: say which method is wanted, and are told which it was.
        faults: strike on the way.
        config: the configuration, which may say who is who.

    Raises:
        StartError: there is no such method, or it is not to be had.
    """

    def __init__(
        self,
        reactor: Reactor,
        environ: Mapping[str, str],
        attrs: Attributes,
        faults: Faults,
        config: Mapping[str, object],
    ) -> None:
        self._attrs = attrs
        self._faults = faults
        self._trace = boot.Trace(environ)
        method = attrs.get("broker.boot-method")
        table = config.get("bootstrap")
        self.identity, fd = boot.find_server(
            environ, method, self._trace, configured=table is not None
        )
        self.members: Members | None = None
        """The brokers that are configured, if that is how we boot."""
        if self.identity.method == "config":
            self._configure(table)
        attrs.set("broker.boot-method", self.identity.method)
        self._conversation = Conversation(self.identity, self._trace)
        self._client = None if fd is None else Client(reactor, fd)

    def _configure(self, table: object) -> None:
        from fluxstart_tui.broker.config import ConfigError, Members  # few boot by it

        me = self.identity
        try:
            members = self.members = Members(table, self._attrs.get("hostname") or "")
        except ConfigError as error:
            failure = f"initialize: Config file error [bootstrap]: {error}"
            self._trace(failure)
            raise StartError(f"bootstrap: config: {failure}") from None
        me.rank, me.size = members.rank, len(members.hosts)
        me.mapping = f"(vector,(0,{me.size},1))"

    def introduce(self, initialized: Callable[[], None], done: Callable[[], None]) -> None:
        """Complete the identity; call `initialized` once rank and size are sure, `done` at last."""
        if self._client is None:
            boot.introduce_alone(self.identity, self._trace, initialized)
            done()
        else:
            script = self._conversation.introduce(self._attrs, initialized)
            self._client.run(self._faults.over(script), done)

    def exchange(
        self, card: Card, tree: Topology, cards: dict[int, Card], done: Callable[[], None]
    ) -> None:
        """Show everybody our card and collect theirs; then hang up and call `done`."""

        def finished() -> None:
            self.close()
            done()

        rank = self.identity.rank
        if self._client is None or self.identity.size == 1:
            cards[rank] = card
        if self._client is None:
            if self.members is not None:
                self._read_cards(self.members, card, tree, cards)
            self._trace("finalize: success")
            done()
        elif self.identity.size == 1:
            self._client.run(self._conversation.finalize(), finished)
        else:
            near = tree.parent(rank), tree.children(rank)
            script = self._conversation.exchange(card, *near, cards)
            self._client.run(self._faults.over(script), finished)

    def _read_cards(
        self, members: Members, card: Card, tree: Topology, cards: dict[int, Card]
    ) -> None:
        """Make the cards that others would have; one key is common to all of them."""
        me = self.identity.rank
        above = tree.parent(me)
        first = [*([me] if tree.children(me) else ()), *(() if above is None else (above,))]
        for rank in dict.fromkeys((*first, *range(len(members.hosts)))):
            uris = members.connect_uris(rank)
            cards[rank] = Card(members.hosts[rank], uris, card.pubkey)
            shown = compactjson.dumps({"host": members.hosts[rank], "uri": uris})
            self._trace(f"get key={rank} value={shown}: success")

    def close(self) -> None:
        """Hang up; nothing is called back any more."""
        if self._client is not None:
            self._client.close()
            self._client = None
