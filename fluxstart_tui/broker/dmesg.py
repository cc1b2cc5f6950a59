"""The log on demand: log.dmesg and its like (flux-core: broker/log.c)."""

from __future__ import annotations

import errno

from fluxstart_tui.broker.log import DEBUG
from fluxstart_tui.broker.router import respond_raw
from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.broker.log import Log, Record
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.rpc.services import Request


class Dmesg:
    """Answers requests for what has been logged, and takes records of clients.

    Args:
        router: gets the handlers.
        log: has the records.
    """

    def __init__(self, router: Router, log: Log) -> None:
        self._log = log
        self._followers = router.streams("log")
        router.add("log.dmesg", self._dmesg)
        router.add("log.cancel", self._followers.cancel)
        router.add("log.clear", self._clear)
        router.add("log.append", self._append)
        router.add("log.stats-get", self._get_stats)
        router.add("log.setattr", self._set)

    def _dmesg(self, request: Request) -> None:
        fields = request.unpack()
        follow, nobacklog = fields.get("follow"), fields.get("nobacklog", False)
        if not isinstance(follow, bool) or not isinstance(nobacklog, bool):
            raise RpcError(errno.EPROTO)
        if not request.streaming:
            raise RpcError(errno.EPROTO)
        if not nobacklog:
            for record in list(self._log.ring):
                respond_raw(request, self._log.format(record) + b"\0")
        if not follow:
            request.end()
            return
        self._followers.append(request)
        self._log.on_record = self._tell

    def _tell(self, record: Record | bytes) -> None:
        if not self._followers:
            self._log.on_record = None
            return
        payload = self._log.format(record) + b"\0"
        for request in list(self._followers):
            respond_raw(request, payload)

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
