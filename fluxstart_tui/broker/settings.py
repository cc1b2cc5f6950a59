"""Attributes on demand, attr.get apart (flux-core: broker/attr.c)."""

from __future__ import annotations

import errno

from fluxstart_tui.broker.attrs import IMMUTABLE, RUNTIME, flags_of
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.router import Router
    from fluxstart_tui.rpc.services import Request

_REDIRECTED = "test-rd."
"""Attributes that a service of flux-core's tests has to agree to; there is none."""


class Settings:
    """Answers attr.list, attr.set and attr.rm.

    Args:
        router: gets the handlers.
        log: follows log-stderr-level.
        attrs: the attributes.
    """

    def __init__(self, router: Router, log: Log, attrs: Attributes) -> None:
        self._log = log
        self._attrs = attrs
        router.add("attr.list", self._list)
        router.add("attr.set", self._set)
        router.add("attr.rm", self._remove)

    def _list(self, request: Request) -> None:
        request.respond({"names": self._attrs.names()})

    def _set(self, request: Request) -> None:
        fields = request.unpack()
        name, value, force = (fields.get(key) for key in ("name", "value", "force"))
        if not (isinstance(name, str) and isinstance(value, str) and force in (None, True, False)):
            raise RpcError(errno.EPROTO)
        flags = flags_of(name)
        if flags is None:
            raise RpcError(errno.ENOENT, "unknown attribute")
        if name in self._attrs and not force and not flags & RUNTIME:
            raise RpcError(errno.EINVAL, "attribute may not be updated")
        if not force:
            if name == "log-stderr-level":
                from fluxstart_tui.broker.log_requests import set_attribute

                set_attribute(self._log, name, value)
            elif name.startswith(_REDIRECTED):
                raise RpcError(errno.ENOSYS, "No service matching testrd.setattr is registered")
        if name in self._attrs and flags & IMMUTABLE:
            raise RpcError(errno.EPERM)
        self._attrs.set(name, value)
        request.respond()

    def _remove(self, request: Request) -> None:
        name = request.unpack().get("name")
        if not isinstance(name, str):
            raise RpcError(errno.EPROTO)
        if name in self._attrs and (flags_of(name) or 0) & IMMUTABLE:
            raise RpcError(errno.EPERM)
        self._attrs.remove(name)
        request.respond()
