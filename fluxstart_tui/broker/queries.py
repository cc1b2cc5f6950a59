"""What can be asked of any service and of the broker (flux-core: libflux/method.c, broker.c)."""

from __future__ import annotations

import errno
import os
import resource

from fluxstart_tui.broker.router import MODULES
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fluxstart_tui.broker.local import Connector
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.broker.runat import Runat
    from fluxstart_tui.rpc.services import Request

_RUNNING = 1
"""State of a module that has been loaded."""

_UUID_SHOWN = 8
_CMD_MAX = 63
_WHO = {
    None: resource.RUSAGE_SELF,
    "self": resource.RUSAGE_SELF,
    "children": resource.RUSAGE_CHILDREN,
    "thread": resource.RUSAGE_THREAD,
}


def serve_methods(router: Router, service: str) -> None:
    """Answer what every service answers."""

    def ping(request: Request) -> None:
        fields = request.unpack()
        arrived = request.message
        if arrived.payload is None:
            raise RpcError(errno.EPROTO)
        # A module is one hop further, and goes by its broker's name.
        hops = [router.uuid] * (2 if service in MODULES else 1)
        route = [one[:_UUID_SHOWN] for one in (*hops, *(arrived.routes or ()))]
        request.respond(
            fields
            | {
                "route": "!".join(reversed(route)),
                "userid": arrived.userid,
                "rolemask": arrived.rolemask,
                "rank": router.rank,
            }
        )

    def clear(request: Request) -> None:
        router.received.pop(service, None)
        request.respond()

    def stats(request: Request) -> None:
        request.unpack()
        count = router.received[service][0]
        # All is answered, and nothing is asked for.
        sent = {"request": 0, "response": count, "event": 0, "control": 0}
        got = {"request": count, "response": 0, "event": 0, "control": 0}
        request.respond({"tx": sent, "rx": got})

    router.add(f"{service}.ping", ping)
    router.add(f"{service}.rusage", _get_usage)
    router.add(f"{service}.stats-clear", clear)
    if service not in ("groups", "overlay", "connector-local"):
        router.add(f"{service}.stats-get", stats)


def serve_connector(router: Router, connector: Connector) -> None:
    """Answer what can be asked of connector-local."""

    def stats(request: Request) -> None:
        request.unpack()
        clients = [
            {
                "uuid": uuid,
                "userid": os.getuid(),
                "pid": client.pid,
                "rxbacklog": client.backlog,
            }
            for uuid, client in connector.clients.items()
        ]
        request.respond(
            {
                "server": {"clients": clients, "connects": connector.connects},
                "allow_guest_user": False,
                "allow_root_owner": False,
            }
        )

    router.add("connector-local.stats-get", stats)
    serve_methods(router, "connector-local")


class Queries:
    """Answers what can be asked of the broker itself.

    Args:
        router: gets the handlers.
        environ: the broker's environment.
        config: its configuration.
        runat: its commands.
    """

    def __init__(
        self,
        router: Router,
        environ: Mapping[str, str],
        config: Mapping[str, object],
        runat: Runat,
    ) -> None:
        self._router = router
        self._environ = environ
        self._config = config
        self._runat = runat
        self._loaded = router.now()
        for service in ("broker", "config", "rexec", "groups"):
            serve_methods(router, service)
        handlers: dict[str, Callable[[Request], None]] = {
            "broker.getenv": self._get_environment,
            "module.list": self._list_modules,
            "config.get": self._get_config,
            "rexec.list": self._list_processes,
        }
        for topic, handler in handlers.items():
            router.add(topic, handler)

    def _get_environment(self, request: Request) -> None:
        names = request.unpack().get("names")
        if names is None:
            raise RpcError(errno.EPROTO)
        found = {
            name: self._environ[name]
            for name in (names if isinstance(names, list) else ())
            if isinstance(name, str) and name in self._environ
        }
        request.respond({"env": found})

    def _list_modules(self, request: Request) -> None:
        request.unpack()
        now = self._router.now()
        request.respond(
            {
                "mods": [
                    {
                        "name": name,
                        "path": "builtin",
                        "idle": int(now - self._router.received.get(name, (0, self._loaded))[1]),
                        "status": _RUNNING,
                        "services": [name],
                        "sendqueue": 0,
                        "recvqueue": 0,
                    }
                    for name in MODULES
                ]
            }
        )

    def _get_config(self, request: Request) -> None:
        request.unpack()
        request.respond(self._config)

    def _list_processes(self, request: Request) -> None:
        processes = []
        for name, pid, words in self._runat.running():
            command = words[0]
            if command == "flux" and len(words) > 1:
                command = f"{command} {words[1]}"[:_CMD_MAX]
            processes.append({"pid": pid, "cmd": command, "label": name, "state": "R"})
        request.respond({"rank": self._router.rank, "procs": processes})


def _get_usage(request: Request) -> None:
    who = request.unpack().get("who")
    if not isinstance(who, str):
        who = None
    if who not in _WHO:
        raise RpcError(errno.EINVAL, f"{who} is unsupported")
    usage = resource.getrusage(_WHO[who])
    names = (name for name in dir(usage) if name.startswith("ru_"))
    request.respond({name.removeprefix("ru_"): getattr(usage, name) for name in names})
