"""PMI requests per second of the server, with 1024 clients that have one request in flight each.

Server and clients are two processes, each with its own processor if there are two. Target: at
least 60,000 requests per second.
"""

from __future__ import annotations

import os
import resource
import select
import socket
import sys
import time

from fluxstart_tui.engine.errors import Messages
from fluxstart_tui.engine.output import Output
from fluxstart_tui.engine.pmi_server import PmiServer
from fluxstart_tui.engine.record import Record
from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import pmi1

SIZE = 1024
GETS = 200
CARD = '{"host":"node","uri":["ipc:///tmp/flux-XXXXXX/tbon-0"],"pubkey":"%s"}' % ("k" * 40)


def serve(ends: list[socket.socket]) -> None:
    """Be the server until every client has finalized; tell its own CPU seconds."""
    reactor = Reactor()
    server = PmiServer(
        reactor,
        SIZE,
        "(vector,(0,1,1024))",
        Messages("bench", Output(2)),
        Record(reactor.now),
        lambda _r, _m: None,
    )
    for rank, end in enumerate(ends):
        end.setblocking(False)
        server.add(rank, end.detach())
    while server.ranks:
        reactor.run_once()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"server CPU {used.ru_utime + used.ru_stime:.2f} s", flush=True)


def drive(fds: list[int]) -> tuple[int, float]:
    """Be all the clients; return the number of requests and the seconds they took."""
    script = [pmi1.request("put", kvsname="-", key="%d", value=CARD), b"cmd=barrier_in\n"]
    script += [pmi1.request("get", kvsname="-", key=str(key)) for key in range(GETS)]
    script += [b"cmd=barrier_in\n", b"cmd=finalize\n"]
    epoll = select.epoll()
    at = dict.fromkeys(fds, 0)
    for fd in fds:
        epoll.register(fd, select.EPOLLIN)
    started = time.perf_counter()
    for rank, fd in enumerate(fds):
        os.write(fd, script[0].replace(b"%d", b"%d" % rank))
    read, write, last = os.read, os.write, len(script) - 1
    left = len(fds)
    while left:
        for fd, _ in epoll.poll():
            read(fd, 4096)
            step = at[fd] = at[fd] + 1
            if step <= last:
                write(fd, script[step])
            else:
                epoll.unregister(fd)
                left -= 1
    return len(fds) * len(script), time.perf_counter() - started


def main() -> None:
    """Fork the server and drive it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    pairs = [socket.socketpair() for _ in range(SIZE)]
    if os.fork() == 0:
        for client, _ in pairs:
            client.close()
        serve([end for _, end in pairs])
        sys.exit()
    for _, end in pairs:
        end.close()
    requests, seconds = drive([client.fileno() for client, _ in pairs])
    os.wait()
    print(f"PMI: {requests / seconds:,.0f} requests/s ({requests:,} in {seconds:.2f} s)")


if __name__ == "__main__":
    main()
