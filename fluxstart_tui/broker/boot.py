"""Bootstrap by PMI-1: who am I, who are the others (flux-core: broker/bootstrap.c, boot_pmi.c).

The conversation with the server is written down as generators that yield requests and are sent
replies. A client runs them on the reactor, so that a broker that waits in a barrier still takes
signals. Failures bear flux-broker's words.
"""

from __future__ import annotations

import os

from fluxstart_tui.broker import compactjson
from fluxstart_tui.broker.errors import BuiltinsError, StartError
from fluxstart_tui.rfc import pmi1

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.reactor import Reactor

    Script = Generator[bytes, bytes, None]

_READ_SIZE = 65536
_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


class _PmiError(Exception):
    """A request failed; the text is the meaning of its return code."""


class Identity:
    """What the first part of the bootstrap finds out."""

    def __init__(self, method: str = "single", rank: int = 0, size: int = 1) -> None:
        self.method = method
        self.rank = rank
        self.size = size
        self.kvsname = ""
        self.level: str | None = None
        """Depth below other Flux instances; None outside of Flux."""


class Card:
    """A broker's business card: where its children find it, and the key it shows its parent."""

    def __init__(self, host: str, uris: list[str], pubkey: str) -> None:
        self.host = host
        self.uris = uris
        self.pubkey = pubkey

    def encode(self) -> str:
        """Return the card as a PMI value."""
        return compactjson.dumps({"host": self.host, "uri": self.uris, "pubkey": self.pubkey})

    @classmethod
    def decode(cls, rank: int, value: str) -> Card:
        """Read the card of `rank`.

        Raises:
            BuiltinsError: it is none.
        """
        try:
            fields = compactjson.loads(value)
        except ValueError as error:
            raise BuiltinsError(
                f"bootstrap.whois: error decoding rank {rank} business card: {error}"
            ) from None
        if isinstance(fields, dict):
            host, uris, pubkey = (fields.get(name) for name in ("host", "uri", "pubkey"))
            if isinstance(host, str) and isinstance(uris, list) and isinstance(pubkey, str):
                return cls(host, uris, pubkey)
        raise BuiltinsError(f"bootstrap.whois: error decoding rank {rank} business card")


def new_key() -> str:
    """Make 40 random characters of Z85 (ZeroMQ RFC 32), the form of a CURVE public key."""
    data = os.urandom(32)
    digits = []
    for at in range(0, 32, 4):
        number = int.from_bytes(data[at : at + 4], "big")
        digits += [_Z85[number // 85**power % 85] for power in (4, 3, 2, 1, 0)]
    return "".join(digits)


def _call(request: bytes, reply: str) -> Generator[bytes, bytes, bytes]:
    try:
        line = yield request
        code = pmi1.expect(line, reply)
    except pmi1.ProtocolError:
        raise _PmiError(pmi1.strerror(pmi1.FAIL)) from None
    if code != pmi1.SUCCESS:
        raise _PmiError(pmi1.strerror(code))
    return line


def _get(kvsname: str, key: str) -> Generator[bytes, bytes, str]:
    line = yield from _call(pmi1.request("get", kvsname=kvsname, key=key), "get_result")
    value = pmi1.text(line, b"value")
    if value is None:
        raise _PmiError(pmi1.strerror(pmi1.FAIL))
    return value.decode(errors="replace")


def _find(kvsname: str, key: str) -> Generator[bytes, bytes, str | None]:
    try:
        return (yield from _get(kvsname, key))
    except _PmiError:
        return None


def introduce(identity: Identity, attrs: Attributes) -> Generator[bytes, bytes, None]:
    """Ask who I am, and what the launcher has put into the KVS.

    Raises:
        StartError: the server does not answer as it should.
    """
    try:
        line = yield from _call(
            pmi1.request("init", pmi_version="1", pmi_subversion="1"), "response_to_init"
        )
        version = pmi1.integer(line, b"pmi_version"), pmi1.integer(line, b"pmi_subversion")
        if version != (1, 1):
            raise _PmiError(pmi1.strerror(pmi1.FAIL))
        yield from _call(pmi1.request("get_maxes"), "maxes")
        line = yield from _call(pmi1.request("get_my_kvsname"), "my_kvsname")
    except _PmiError as error:
        raise StartError(f"bootstrap: simple: initialize: {error}") from None
    name = identity.kvsname = (pmi1.word(line, b"kvsname") or b"").decode(errors="replace")
    identity.level = yield from _find(name, "flux.instance-level")
    if identity.level is not None and attrs.get("tbon.interface-hint") is None:
        hint = yield from _find(name, "flux.tbon-interface-hint")
        if hint is not None:
            attrs.set("tbon.interface-hint", hint)
    if identity.size > 1:
        mapping = None
        if identity.level is not None:
            mapping = yield from _find(name, "flux.taskmap")
        if mapping is None:
            yield from _find(name, "PMI_process_mapping")


def exchange(
    identity: Identity,
    card: Card,
    parent: int | None,
    children: Iterable[int],
    cards: dict[int, Card],
) -> Generator[bytes, bytes, None]:
    """Publish my card and collect those of all ranks in `cards`.

    Those of the children are there before any child can be through with its own exchange.

    Raises:
        BuiltinsError: the server does not answer as it should, or a card is unreadable.
    """
    name = identity.kvsname
    doing = "bootstrap.iam: simple: put {key}: {error}"
    key = str(identity.rank)
    try:
        yield from _call(
            pmi1.request("put", kvsname=name, key=key, value=card.encode()), "put_result"
        )
        doing = "bootstrap.barrier: simple: barrier: {error}"
        yield from _call(pmi1.request("barrier_in"), "barrier_out")
        doing = "bootstrap.whois: error fetching bizcard for rank {key}: simple: get {key}: {error}"
        for rank in (*(() if parent is None else (parent,)), *children):
            key = str(rank)
            cards[rank] = Card.decode(rank, (yield from _get(name, key)))
        doing = "bootstrap.barrier: simple: barrier: {error}"
        yield from _call(pmi1.request("barrier_in"), "barrier_out")
        doing = "bootstrap.finalize: simple: get {key}: {error}"
        for rank in range(identity.size):
            if rank not in cards:
                key = str(rank)
                cards[rank] = Card.decode(rank, (yield from _get(name, key)))
    except _PmiError as error:
        raise BuiltinsError(doing.format(key=key, error=error)) from None
    yield from finalize()


def finalize() -> Generator[bytes, bytes, None]:
    """Take leave of the server.

    Raises:
        BuiltinsError: it does not answer as it should.
    """
    try:
        yield from _call(pmi1.request("finalize"), "finalize_ack")
    except _PmiError as error:
        raise BuiltinsError(f"bootstrap.finalize: simple: finalize: {error}") from None


class Client:
    """The connection to the PMI server, and the script that is being followed over it."""

    def __init__(self, reactor: Reactor, fd: int) -> None:
        self._reactor = reactor
        self._fd = fd
        self._received = b""
        self._script: Script | None = None
        self._done: Callable[[], None]
        self._lost = False

    def run(self, script: Script, done: Callable[[], None]) -> None:
        """Follow a script and call `done` at its end. What it raises leaves the reactor."""
        self._script = script
        self._done = done
        self._reactor.add_reader(self._fd, self._readable)
        self._advance(None)

    def close(self) -> None:
        """Close the connection; nothing is called back any more."""
        if self._script is not None:
            self._reactor.remove_reader(self._fd)
            self._script = None
        os.close(self._fd)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ_SIZE)
        except OSError:
            data = b""
        self._received += data
        self._lost = not data or len(self._received) > pmi1.LINE_MAX
        while self._script is not None and (self._lost or b"\n" in self._received):
            line, _, self._received = self._received.partition(b"\n")
            self._advance(b"" if self._lost else line)

    def _advance(self, line: bytes | None) -> None:
        """Send the script a reply, an empty one if there is no server; None starts it."""
        script = self._script
        assert script is not None
        try:
            request = script.send(line)  # type: ignore[arg-type] # None before the first yield
            while not self._write(request):
                request = script.send(b"")
        except StopIteration:
            self._reactor.remove_reader(self._fd)
            self._script = None
            self._done()

    def _write(self, request: bytes) -> bool:
        try:
            while request and not self._lost:
                request = request[os.write(self._fd, request) :]
        except OSError:
            self._lost = True
        return not self._lost


def find_server(environ: Mapping[str, str], method: str | None) -> tuple[Identity, int | None]:
    """Find out how to boot: rank, size and the server's descriptor, None for a singleton.

    Args:
        environ: PMI_FD, PMI_RANK and PMI_SIZE are looked up here.
        method: broker.boot-method, None to try them all.

    Raises:
        StartError: the method that was asked for is not to be had.
    """
    if method not in (None, "simple", "single"):
        raise StartError(f"bootstrap: plugin matching '{method}' not found")
    if method != "single":
        why = ""
        for name in ("PMI_FD", "PMI_RANK", "PMI_SIZE"):
            if name not in environ:
                why = f"{name} not found in environ"
                break
        else:
            try:
                fd, rank, size = (int(environ[f"PMI_{name}"]) for name in ("FD", "RANK", "SIZE"))
                os.fstat(fd)
                if 0 <= rank < size:
                    return Identity("simple", rank, size), fd
                why = "create context: Invalid argument"
            except (ValueError, OSError):
                why = "create context: Invalid argument"
        if method is not None:
            raise StartError(f"bootstrap: {why}")
    return Identity(), None
