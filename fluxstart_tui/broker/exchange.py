"""What is said to a PMI-1 server, in flux-broker's order and words (flux-core: boot_pmi.c, upmi.c).

The conversation is written down as generators that yield requests and are sent replies, see
`pmi_client.Script`. flux start reads lines from a stream, and so does our engine: what they are
asked need not wait for what they have answered. Other servers get one request at a time.
"""

from __future__ import annotations

from fluxstart_tui.broker.boot import Z85, Card
from fluxstart_tui.broker.errors import BuiltinsError, StartError
from fluxstart_tui.rfc import pmi1

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.boot import Identity, Trace
    from fluxstart_tui.broker.pmi_client import Script

    Reply = Generator[bytes, list[bytes], bytes]

_STREAMING_KVSNAME = "-"
"""What flux start calls the KVS, and no other launcher does."""

_GETS_AT_ONCE = 128
"""The replies to so many fit into a socket's buffer, so the server need not keep them."""

_Z85 = Z85.encode()


class _PmiError(Exception):
    """A request failed; the text says which, and the meaning of its return code."""

    def __init__(self, request: str, key: str, code: int) -> None:
        super().__init__(f"simple: {request}{' ' if key else ''}{key}: {pmi1.strerror(code)}")
        self.key = key


class Conversation:
    """All that is said over PMI, from the first request to the last.

    Args:
        identity: rank and size are known, the rest is found out.
        trace: told how each request went.
    """

    def __init__(self, identity: Identity, trace: Trace) -> None:
        self._identity = identity
        self._trace = trace

    def introduce(self, attrs: Attributes, initialized: Callable[[], None]) -> Script:
        """Ask who I am, then call `initialized`, then ask what the launcher has put into the KVS.

        Raises:
            StartError: the server does not answer as it should.
        """
        me = self._identity
        try:
            init = pmi1.request("init", pmi_version="1", pmi_subversion="1")
            line = yield from self._call("initialize", init, "response_to_init")
            version = pmi1.integer(line, b"pmi_version"), pmi1.integer(line, b"pmi_subversion")
            if version != (1, 1):
                raise self._failure("initialize")
            yield from self._call("initialize", pmi1.request("get_maxes"), "maxes")
            name = pmi1.request("get_my_kvsname")
            line = yield from self._call("initialize", name, "my_kvsname")
        except _PmiError as error:
            raise StartError(f"bootstrap: {error}") from None
        me.kvsname = (pmi1.word(line, b"kvsname") or b"").decode(errors="surrogateescape")
        self._trace(f"initialize: rank={me.rank} size={me.size} name={me.kvsname}: success")
        initialized()
        me.level = yield from self._find("flux.instance-level")
        if me.level is not None and attrs.get("tbon.interface-hint") is None:
            hint = yield from self._find("flux.tbon-interface-hint")
            if hint is not None:
                attrs.set("tbon.interface-hint", hint)
        if me.size > 1:
            if me.level is not None:
                me.mapping = yield from self._find("flux.taskmap")
            if me.mapping is None:
                me.mapping = yield from self._find("PMI_process_mapping")

    def exchange(
        self,
        card: Card,
        parent: int | None,
        children: Iterable[int],
        cards: dict[int, Card],
    ) -> Script:
        """Publish my card and collect those of all ranks in `cards`.

        Those of the children are there before any child can be through with its own exchange.

        Raises:
            BuiltinsError: the server does not answer as it should, or a card is unreadable.
        """
        me = self._identity
        near = [*(() if parent is None else (parent,)), *children]
        doing = "bootstrap.iam"
        try:
            yield from self._put(str(me.rank), card.encode())
            doing = "bootstrap.barrier"
            yield from self._barrier()
            doing = "bootstrap.whois: error fetching bizcard for rank {key}"
            yield from self._collect(near, cards)
            doing = "bootstrap.barrier"
            yield from self._barrier()
            doing = "bootstrap.finalize"
            far = [rank for rank in range(me.size) if rank not in cards]
            yield from self._collect(far, cards, alike=card)
        except _PmiError as error:
            raise BuiltinsError(f"{doing.format(key=error.key)}: {error}") from None
        yield from self.finalize()

    def finalize(self) -> Script:
        """Take leave of the server.

        Raises:
            BuiltinsError: it does not answer as it should.
        """
        try:
            yield from self._call("finalize", pmi1.request("finalize"), "finalize_ack")
        except _PmiError as error:
            raise BuiltinsError(f"bootstrap.finalize: {error}") from None
        self._trace("finalize: success")

    def _call(self, event: str, request: bytes, reply: str, key: str = "") -> Reply:
        [line] = yield request
        self._check(event, line, reply, key)
        return line

    def _check(self, event: str, line: bytes, reply: str, key: str) -> None:
        try:
            code = pmi1.expect(line, reply)
        except pmi1.ProtocolError:
            code = pmi1.FAIL
        if code != pmi1.SUCCESS:
            raise self._failure(event, key, code)

    def _failure(self, event: str, key: str = "", code: int = pmi1.FAIL) -> _PmiError:
        self._trace(f"{event}{' key=' if key else ''}{key}: {pmi1.strerror(code)}")
        return _PmiError(event, key, code)

    def _put(self, key: str, value: str) -> Script:
        request = pmi1.request("put", kvsname=self._identity.kvsname, key=key, value=value)
        yield from self._call("put", request, "put_result", key)
        self._trace(f"put key={key} value={value}: success")

    def _barrier(self) -> Script:
        yield from self._call("barrier", pmi1.request("barrier_in"), "barrier_out")
        self._trace("barrier: success")

    def _value(self, key: str, line: bytes) -> str:
        """Return the value that a reply to a get brings."""
        self._check("get", line, "get_result", key)
        found = pmi1.text(line, b"value")
        if found is None:
            raise self._failure("get", key)
        value = found.decode(errors="surrogateescape")
        self._trace(f"get key={key} value={value}: success")
        return value

    def _find(self, key: str) -> Generator[bytes, list[bytes], str | None]:
        [line] = yield pmi1.request("get", kvsname=self._identity.kvsname, key=key)
        try:
            return self._value(key, line)
        except _PmiError:
            return None

    def _collect(
        self, ranks: Sequence[int], cards: dict[int, Card], alike: Card | None = None
    ) -> Script:
        """Get the cards of some ranks.

        Args:
            ranks: whose.
            cards: takes them.
            alike: stands for all leaves on its host, which mostly are all there are: of these
                cards only the host matters, and to decode a thousand of them takes a while.
        """
        head = b""
        if alike is not None and not self._trace.wanted:
            text = Card(alike.host, [], "").encode().encode()
            head = b"cmd=get_result rc=0 value=" + text.removesuffix(b'"}')
        name = self._identity.kvsname
        get = pmi1.request("get", kvsname=name.replace("%", "%%"), key="%d")
        at_once = _GETS_AT_ONCE if name == _STREAMING_KVSNAME else 1
        for start in range(0, len(ranks), at_once):
            some = ranks[start : start + at_once]
            lines = yield b"".join([get % rank for rank in some])
            for rank, line in zip(some, lines, strict=True):
                if (
                    alike is not None
                    and head
                    and line.startswith(head)
                    and line[len(head) :].translate(None, _Z85) == b'"'
                    and line.endswith(b'"}')
                ):
                    cards[rank] = alike
                else:
                    cards[rank] = Card.decode(rank, self._value(str(rank), line))
