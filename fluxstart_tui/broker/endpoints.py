"""Where brokers find each other (flux-core: overlay/boot_pmi.c, libtaskmap/taskmap.c).

Brokers of one clique meet at unix sockets, others by TCP. As all are on one host, TCP is that of
the loopback device: nobody else can reach it, and a broker that wants to go further is stopped.
"""

from __future__ import annotations

import os
from _socket import (
    AF_INET,
    AF_UNIX,
    IPPROTO_TCP,
    SO_REUSEADDR,
    SOCK_CLOEXEC,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
    socket,
)

from fluxstart_tui.broker.errors import BuiltinsError, StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

IPC = "ipc://"
TCP = "tcp://"
_LOOPBACK = "127.0.0.1"
_MAPPED = "::ffff:"
_ANY_PORT = "*"


class Cliques:
    """Which ranks share a host, as the process mapping of the launcher has it.

    Args:
        mapping: a task map in any notation, None or empty if the launcher gives none.
        size: number of ranks.

    Raises:
        StartError: it is malformed.
    """

    def __init__(self, mapping: str | None, size: int) -> None:
        self.blocks: Sequence[tuple[int, int, int, int]] = ()
        if size == 1 or mapping == f"(vector,(0,1,{size}))":
            # All there is on most days, and read without what it takes to read the rest.
            self.blocks = ((0, 1, size, 1),)
        elif mapping:
            from fluxstart_tui.rfc import taskmap

            try:
                self.blocks = taskmap.decode(mapping).blocks
            except taskmap.TaskMapError as error:
                raise StartError(f"bootstrap: PMI_process_mapping: {error}") from None

    def share(self, one: int, other: int) -> bool:
        """Return whether two ranks are known to share a host."""
        host = self._host(one)
        return host is not None and host == self._host(other)

    def _host(self, rank: int) -> int | None:
        for first, hosts, each, repeat in self.blocks:
            count = hosts * each * repeat
            if rank < count:
                return first + rank // each % hosts
            rank -= count
        return None


def to_bind(
    cliques: Cliques, rank: int, children: Sequence[int], path: str, *, prefer_tcp: bool
) -> list[str]:
    """Return the URIs at which a broker awaits its children.

    Args:
        cliques: who needs TCP.
        rank: this broker.
        children: those below it.
        path: where its unix socket goes.
        prefer_tcp: whether TCP is wanted, needed or not.
    """
    near = sum(cliques.share(rank, child) for child in children)
    uris = []
    if prefer_tcp or near < len(children):
        uris.append(f"{TCP}{_LOOPBACK}:{_ANY_PORT}")
    if near and not prefer_tcp:
        uris.append(IPC + path)
    return uris


def to_connect(uris: Sequence[str], name: str, *, prefer_ipc: bool) -> str:
    """Choose among the URIs on the business card of a parent.

    Args:
        uris: what there is.
        name: the parent as the log has it.
        prefer_ipc: whether a unix socket can be reached.

    Raises:
        BuiltinsError: there is none that we could use.
    """
    local = [uri for uri in uris if uri.startswith(IPC)] if prefer_ipc else []
    for uri in local or uris:
        if not uri.startswith(IPC) and _address(uri) is None:
            raise BuiltinsError(
                f"{name} is at {uri}: the embedded broker does not connect to other hosts"
            )
        return uri
    raise BuiltinsError(f"{name} has no URI on its business card")


def listen(uri: str, backlog: int) -> tuple[socket, str]:
    """Listen at a URI; return the socket, and the URI with the port that it got.

    Raises:
        BuiltinsError: the socket cannot be made.
    """
    local = uri.startswith(IPC)
    listener = socket(AF_UNIX if local else AF_INET, SOCK_STREAM | SOCK_CLOEXEC)
    try:
        if local:
            listener.bind(uri.removeprefix(IPC))
        else:
            listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            port = uri.rpartition(":")[2]
            # Whatever address is asked for, nobody else is to get in.
            listener.bind((_LOOPBACK, 0 if port == _ANY_PORT else int(port)))
        listener.listen(backlog)
    except (OSError, ValueError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise BuiltinsError(f"error binding to {uri}: {reason}") from None
    listener.setblocking(False)
    if not local:
        uri = f"{TCP}[{_MAPPED}{_LOOPBACK}]:{listener.getsockname()[1]}"
    return listener, uri


def connect(uri: str) -> socket:
    """Connect to a URI that `to_connect` has chosen.

    Raises:
        OSError: nobody is there, or too many others are.
    """
    address = _address(uri)
    sock = socket(AF_INET if address else AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
    try:
        if address:
            # On loopback, this does not wait.
            sock.connect(address)
        else:
            sock.setblocking(False)
            sock.connect(uri.removeprefix(IPC))
    except OSError:
        sock.close()
        raise
    if address:
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    return sock


def _address(uri: str) -> tuple[str, int] | None:
    """Return address and port of a TCP URI on this host's loopback device, None for others."""
    host, _, port = uri.removeprefix(TCP).rpartition(":")
    host = host.strip("[]").removeprefix(_MAPPED)
    if host == "localhost":
        host = _LOOPBACK
    numeral = port.isascii() and port.isdigit() and len(port) < 6
    if not (uri.startswith(TCP) and host.startswith("127.") and numeral):
        return None
    return (host, int(port)) if int(port) < 1 << 16 else None


def remove(path: str) -> None:
    """Remove a socket if it is there."""
    try:
        os.unlink(path)
    except OSError:
        return
