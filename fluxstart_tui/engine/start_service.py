"""The start service, on RUNDIR/start: what flux start answers, and methods of our own.

Payloads are JSON objects. IDSET is an RFC 22 string or `all`. The first four are flux start's, to
the byte (flux-start.c: htab); errors are EPROTO for a payload that is none, ESRCH for a rank that
does not exist, and:

    start.status   -> {"procs": [{"pid": N}, ...]}, by rank, -1 for one that does not run
    start.run      {"rank": N} -> none once it runs. EEXIST: it runs already
    start.kill     {"rank": N, "signum": N} -> none, whether it runs or not. EINVAL: signal 0
    start.wait     {"rank": N} -> {"exit_rc": N} when it has ended (128 + signal), at once if it
                   does not run, 0 if it never did. EEXIST: somebody waits already

Ours explain an error with a text; EINVAL stands for a value that makes no sense, ENOTSUP for what
this instance does not have (no session, no terminal):

    start.info     -> {"protocol": 1, "methods": [topic...], ...}, and what `Control.info` says
    start.signal   {"ranks": IDSET, "signum": N} -> {"ranks": IDSET}, those that ran
    start.timer    {"action": "extend", "seconds": N} -> {"remaining": N}, |
                   {"action": "cancel"} -> none | {"action": "fire"} -> {"ranks": IDSET}, killed
    start.watch    (streaming) -> {"journal": N, "segment": N, "records": N} at once and when the
                   session has grown, ended with ENODATA
    start.cancel   {"matchtag": N}, no response: end the sender's start.watch of that matchtag
    start.input    {"data": TEXT} | {"data": TEXT, "encoding": "base64"} -> none once it is written
                   to the terminal. EAGAIN: too much waits for that
    start.resize   {"rows": N, "cols": N} -> none
    start.continue {} -> none: SIGCONT to a stopped program that no shell continues. EINVAL: none is
                   all three: the terminal of rank 0, or with "rank": N of that rank
    start.pmi      {"hold": IDSET | "barrier"} | {"release": IDSET | "barrier"} ->
                   {"ranks": IDSET, "barrier": BOOL}, all that is held then; releasing `all` is
                   meant to include the barrier
    start.shutdown -> none, once an orderly end has begun
"""

from __future__ import annotations

import errno
import os

from fluxstart_tui.engine.start_methods import SIGNAL_MAX, Methods, integer
from fluxstart_tui.engine.start_watch import Watchers
from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.rpc.server import Client, Server
from fluxstart_tui.rpc.services import Services

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket import socket

    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.start_control import Control
    from fluxstart_tui.reactor import Reactor
    from fluxstart_tui.rfc.message import Message
    from fluxstart_tui.rpc.services import Request

PROTOCOL = 1
_REQUEST_MAX = 4 << 20
"""Longest request in bytes."""

_TYPES = {message.RESPONSE: "response", message.EVENT: "event", message.CONTROL: "control"}
_QUIET = (errno.EPIPE, errno.EPROTO, errno.ECONNRESET)
"""Ways for a client to go that flux start does not explain (librouter/usock_service.c)."""


class StartService:
    """Answers on the start socket; it keeps nobody alive.

    Args:
        reactor: the engine's loop.
        listener: the listening socket; its owner closes it, after the service.
        control: what can be done to the instance.
        messages: prints lines for the user.
        verbose: whether comings and goings are printed.
        ui: pid of the UI that the instance is tied to, 0 if none.
    """

    def __init__(
        self,
        reactor: Reactor,
        listener: socket,
        control: Control,
        messages: Messages,
        *,
        verbose: bool,
        ui: int = 0,
    ) -> None:
        self._control = control
        self._messages = messages
        self._verbose = verbose
        self._waits: dict[int, Request] = {}
        self._watchers = Watchers(reactor, control.position)
        self._services = services = Services(
            "Unknown service method '{}'", rolemask=message.ROLE_OWNER
        )
        services.add("start.status", self._status)
        services.add("start.run", self._run)
        services.add("start.kill", self._kill)
        services.add("start.wait", self._wait)
        services.add("disconnect", self._disconnect)
        services.add("start.info", self._info)
        services.add("start.watch", self._watch)
        services.add("start.cancel", self._cancel)
        self._methods = Methods(control, ui)
        self._methods.register(services)
        self._server = Server(
            reactor,
            listener,
            services,
            joined=self._joined,
            left=self._left,
            dropped=self._dropped,
            size_max=_REQUEST_MAX,
        )

    def exited(self, rank: int) -> None:
        """Take note that a broker has ended: who waits for it is answered."""
        request = self._waits.pop(rank, None)
        if request is None:
            return
        if request.live:
            request.respond({"exit_rc": self._control.exit_rc(rank)})
        else:
            self._messages.say(f"error responding to wait request: {os.strerror(errno.ENOENT)}")

    def grew(self) -> bool:
        """Take note, in the loop's thread, that the session has grown: who watches it is told.

        Returns:
            Whether anybody does.
        """
        return self._watchers.grew()

    def close(self) -> None:
        """Tell watchers the last of it and hang up."""
        self._watchers.close()
        self._server.close()

    def _joined(self, client: Client) -> None:
        self._trace(f"hi {client.uuid:.5}")

    def _left(self, client: Client, errnum: int) -> None:
        if errnum not in _QUIET:
            self._trace(f"client={client.uuid:.5} userid={os.getuid()}: {os.strerror(errnum)}")
        self._trace(f"bye {client.uuid:.5}")
        self._trace(f"disconnect from {client.uuid:.5}")
        self._watchers.remove(client)

    def _dropped(self, client: Client, arrived: Message) -> None:
        self._trace(f"drop {_TYPES.get(arrived.type, 'unknown')} from {client.uuid:.5}")

    def _trace(self, text: str) -> None:
        if self._verbose:
            self._messages.say(text)

    def _status(self, request: Request) -> None:
        pids = map(self._control.pid, range(self._control.size))
        request.respond({"procs": [{"pid": pid} for pid in pids]})

    def _run(self, request: Request) -> None:
        rank = self._rank(request)
        if self._control.pid(rank) >= 0:
            raise RpcError(errno.EEXIST)
        try:
            self._control.start(rank)
        except OSError as error:
            # flux start would exit here, and leave the other brokers to themselves.
            raise RpcError(error.errno or errno.EIO, f"flux_exec: {error.strerror}") from None
        request.respond()

    def _kill(self, request: Request) -> None:
        payload = request.unpack()
        rank, signum = integer(payload, "rank"), integer(payload, "signum")
        if not 0 <= rank < self._control.size:
            raise RpcError(errno.ESRCH)
        if self._control.pid(rank) >= 0:
            if signum == 0:
                raise RpcError(errno.EINVAL)
            if 0 < signum <= SIGNAL_MAX:
                self._control.signal(frozenset((rank,)), signum, self._methods.wanted_by(request))
        request.respond()

    def _wait(self, request: Request) -> None:
        rank = self._rank(request)
        former = self._waits.get(rank)
        # In flux start somebody who has gone keeps all others from waiting.
        if former is not None and former.live:
            raise RpcError(errno.EEXIST)
        if self._control.pid(rank) < 0:
            request.respond({"exit_rc": self._control.exit_rc(rank)})
        else:
            self._waits[rank] = request

    def _rank(self, request: Request) -> int:
        rank = integer(request.unpack(), "rank")
        if not 0 <= rank < self._control.size:
            raise RpcError(errno.ESRCH)
        return rank

    def _disconnect(self, request: Request) -> None:
        self._trace(f"disconnect from {_client(request).uuid:.5}")

    def _info(self, request: Request) -> None:
        methods = [topic for topic in self._services.topics if topic.startswith("start.")]
        own = {"protocol": PROTOCOL, "methods": methods}
        request.respond({**self._control.info(), **own})

    def _watch(self, request: Request) -> None:
        self._watchers.add(request, _client(request))

    def _cancel(self, request: Request) -> None:
        self._watchers.remove(_client(request), integer(request.unpack(), "matchtag"))


def _client(request: Request) -> Client:
    assert isinstance(request.origin, Client)
    return request.origin
