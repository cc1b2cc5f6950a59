"""Whether endpoints that brokers advertise can be reached from this host, by connecting to them."""

from __future__ import annotations

import os
import re
import selectors
import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE = 3.0
"""Seconds after which an endpoint has not answered (a firewall drops, or nobody is there)."""

_ENDPOINT = re.compile(r"tcp://(?:\[(?:::ffff:)?([\w.:%-]+)\]|([\w.-]+)):(\d{1,5})$")


def reach(uris: Iterable[str], patience: float = PATIENCE) -> dict[str, str]:
    """Connect to endpoints, all at once, and hang up.

    Args:
        uris: tbon.endpoint of brokers; what is not TCP on an address is left out.
        patience: seconds that there are.

    Returns:
        For each `reached`, `not answered in 3 s`, or the system's reason.
    """
    found: dict[str, str] = {}
    with selectors.DefaultSelector() as selector:
        for uri in dict.fromkeys(uris):
            _begin(uri, selector, found)
        end = time.monotonic() + patience
        while selector.get_map() and (rest := end - time.monotonic()) > 0:
            for key, _ in selector.select(rest):
                assert isinstance(key.fileobj, socket.socket)
                error = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                found[key.data] = os.strerror(error) if error else "reached"
                selector.unregister(key.fileobj)
                key.fileobj.close()
        for key in list(selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            found[key.data] = f"not answered in {patience:g} s"
            key.fileobj.close()
    return found


def _begin(uri: str, selector: selectors.BaseSelector, found: dict[str, str]) -> None:
    endpoint = _ENDPOINT.match(uri)
    if endpoint is None:
        return
    host, port = endpoint[1] or endpoint[2], int(endpoint[3])
    try:
        # A name would have to be looked up, which no limit holds for.
        where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return
    family, kind, _, _, address = where[0]
    one = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        one.connect(address)
    except BlockingIOError:
        pass
    except OSError as error:
        found[uri] = error.strerror or str(error)
        one.close()
        return
    selector.register(one, selectors.EVENT_WRITE, uri)
