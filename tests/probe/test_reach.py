"""Endpoints are connected to and let go, in bounded time."""

from __future__ import annotations

import socket

from fluxstart_tui.probe.reach import reach


def test_endpoints() -> None:
    """One that listens, one where nobody does, and what can not be connected to by TCP."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        here = f"tcp://[::ffff:127.0.0.1]:{server.getsockname()[1]}"
        closed = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        found = reach([here, closed, "ipc:///tmp/x", "tcp://some.host:1", "tcp://", ""], 2.0)
    assert found == {here: "reached", closed: "Connection refused"}


def test_one_that_does_not_answer() -> None:
    """A backlog that is full drops what comes, as a firewall does."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        uri = f"tcp://127.0.0.1:{port}"
        assert reach([uri], 0.3) == {uri: "not answered in 0.3 s"}
        for one in waiting:
            one.close()
