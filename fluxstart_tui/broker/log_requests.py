"""What is asked of the log beside log.dmesg: records of clients, counts, levels (broker/log.c)."""

from __future__ import annotations

import errno

from fluxstart_tui.broker.log import DEBUG
from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.rpc.services import Request


class LogRequests:
    """Answers the rarer requests to the log, and takes records of clients.

    Args:
        router: gets the handlers.
        log: has the records.
    """

    def __init__(self, router: Router, log: Log) -> None:
        self._log = log
        router.add("log.clear", self._clear)
        router.add("log.append", self._append)
        router.add("log.stats-get", self._get_stats)
        router.add("log.setattr", self._set)

    def _clear(self, request: Request) -> None:
        self._log.ring.clear()
        request.respond()

    def _append(self, request: Request) -> None:
        self._log.receive(request.message.payload or b"")
        if request.message.matchtag != message.MATCHTAG_NONE:
            request.respond()

    def _get_stats(self, request: Request) -> None:
        request.unpack()
        log = self._log
        request.respond(
            {
                "ring-used": len(log.ring),
                "count": log.count,
                "local": log.local,
                "remote": log.remote,
            }
        )

    def _set(self, request: Request) -> None:
        fields = request.unpack()
        name, value = fields.get("name"), fields.get("value")
        if not isinstance(name, str) or not isinstance(value, str):
            raise RpcError(errno.EPROTO)
        set_attribute(self._log, name, value)
        request.respond()


def set_attribute(log: Log, name: str, value: str) -> None:
    """Change an attribute of the log.

    Raises:
        RpcError: it is not to be changed, or the value makes no sense.
    """
    if name != "log-stderr-level":
        raise RpcError(errno.EINVAL, "unknown log attribute")
    level = strtol(value)
    if level > DEBUG:
        raise RpcError(errno.EINVAL, "invalid level")
    log.set_stderr_level(level)


def strtol(text: str) -> int:
    """Return the number at the start of a text, 0 if there is none, as C's strtol."""
    text = text.lstrip(" \t\n\v\f\r")
    digits = text[text[:1] in ("+", "-") :]
    count = next((at for at, one in enumerate(digits) if one not in "0123456789"), len(digits))
    number = int(digits[:count][:20] or "0")
    return -number if text.startswith("-") else number
