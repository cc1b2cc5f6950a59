"""Who am I, and who can tell me who the others are (flux-core: broker/bootstrap.c, upmi.c).

Failures and traces bear flux-broker's words.
"""

from __future__ import annotations

import errno
import os
import stat

from fluxstart_tui import compactjson
from fluxstart_tui.broker.errors import BuiltinsError, StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_METHODS = "config simple single"
_TRACE_MAX = 1023
Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
"""The 85 characters of ZeroMQ RFC 32, none of which JSON has to escape."""


class Identity:
    """What the first part of the bootstrap finds out."""

    def __init__(self, method: str = "single", rank: int = 0, size: int = 1) -> None:
        self.method = method
        self.rank = rank
        self.size = size
        self.kvsname = method
        """The job, as the server names it; a singleton is named after its method."""
        self.level: str | None = None
        """Depth below other Flux instances; None outside of Flux."""
        self.mapping: str | None = None
        """Which ranks share a host, as the server has it; None if it does not say."""


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
        digits += [Z85[number // 85**power % 85] for power in (4, 3, 2, 1, 0)]
    return "".join(digits)


class Trace:
    """Tells on stderr how the bootstrap goes, if FLUX_PMI_DEBUG is set to whatever.

    Args:
        environ: where that is looked up.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.wanted = "FLUX_PMI_DEBUG" in environ
        self.method: str | None = None
        """Who the events are of; None until that has been found out."""

    def __call__(self, event: str) -> None:
        """Tell of an event, cut as flux-broker cuts it."""
        if not self.wanted:
            return
        line = f"{self.method or 'flux-pmi-client'}: {event}".encode(errors="surrogateescape")
        try:
            os.write(2, b"bootstrap: %b\n" % line[:_TRACE_MAX])
        except OSError:
            return


def find_server(
    environ: Mapping[str, str], method: str | None, trace: Trace, *, configured: bool
) -> tuple[Identity, int | None]:
    """Find out how to boot: rank, size and the server's descriptor, None for a singleton.

    Args:
        environ: PMI_FD, PMI_RANK, PMI_SIZE and FLUX_PMI_CLIENT_METHODS are looked up here.
        method: broker.boot-method, None to try one after the other.
        trace: told what is tried.
        configured: whether the configuration says who we are.

    Raises:
        StartError: the method that was asked for is not to be had, or none is.
    """
    if method is not None:
        try:
            return _probe(method, environ, trace, configured=configured)
        except _UnavailableError as error:
            raise StartError(f"bootstrap: {error}") from None
    why = ""
    for name in environ.get("FLUX_PMI_CLIENT_METHODS", _METHODS).split(" "):
        if not name:
            continue
        trace.method = None
        trace(f"trying '{name}'")
        try:
            found = _probe(name, environ, trace, configured=configured)
        except _UnavailableError as error:
            why = str(error)
            trace(why)
        else:
            trace("selected")
            return found
    raise StartError(f"bootstrap: {why}")


class _UnavailableError(Exception):
    """A method is not to be had; the text says why."""


def _probe(
    name: str, environ: Mapping[str, str], trace: Trace, *, configured: bool
) -> tuple[Identity, int | None]:
    """Prepare the method `NAME[:PATH]`; we have none that is loaded from a path."""
    method = name.partition(":")[0]
    if method not in _METHODS.split(" "):
        raise _UnavailableError(f"plugin matching '{name}' not found")
    trace.method = method
    if method == "config":
        if configured:
            return Identity("config"), None
        raise _UnavailableError("bootstrap configuration not found")
    if method == "single":
        return Identity(), None
    for variable in ("PMI_FD", "PMI_RANK", "PMI_SIZE"):
        if variable not in environ:
            raise _UnavailableError(f"{variable} not found in environ")
    try:
        fd, rank, size = (int(environ[f"PMI_{name}"]) for name in ("FD", "RANK", "SIZE"))
    except ValueError:
        fd = rank = size = -1
    if fd < 0 or rank < 0 or size < 1:
        # No call has failed, and flux-broker gives errno's text all the same.
        raise _UnavailableError("create context: Success")
    try:
        usable = rank < size and stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError as error:
        raise _UnavailableError(f"create context: {error.strerror}") from None
    if not usable:
        raise _UnavailableError(f"create context: {os.strerror(errno.EINVAL)}")
    return Identity("simple", rank, size), fd


def introduce_alone(identity: Identity, trace: Trace, initialized: Callable[[], None]) -> None:
    """Find out what there is to find out without a server: nothing."""
    me = identity
    trace(f"initialize: rank={me.rank} size={me.size} name={me.kvsname}: success")
    initialized()
    trace("get key=flux.instance-level: key not found")
