"""Broker attributes (flux-broker-attributes(7)); names and flags as in flux-core's attr.c."""

from __future__ import annotations

import errno

from fluxstart_tui.broker.errors import StartError, UsageError
from fluxstart_tui.broker.services import ServiceError
from fluxstart_tui.rfc import fsd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.broker.services import Request

_IMMUTABLE = 1
"""The value never changes once it is set, so clients may cache it."""

_READONLY = 2
_RUNTIME = 4
_UNUSED = 8
"""Known, accepted, and without effect in this broker."""

_FLAGS = {
    "rank": _READONLY | _IMMUTABLE,
    "size": _READONLY | _IMMUTABLE,
    "version": _READONLY,
    "rundir": 0,
    "rundir-cleanup": _IMMUTABLE,
    "statedir": _UNUSED,
    "statedir-cleanup": _IMMUTABLE | _UNUSED,
    "security.owner": _READONLY | _IMMUTABLE,
    "local-uri": _IMMUTABLE,
    "parent-uri": _READONLY | _IMMUTABLE,
    "instance-level": _READONLY | _IMMUTABLE,
    "jobid": _READONLY | _IMMUTABLE,
    "jobid-path": _READONLY | _IMMUTABLE,
    "parent-kvs-namespace": _READONLY | _IMMUTABLE,
    "hostlist": _IMMUTABLE,
    "hostname": _IMMUTABLE,
    "broker.mapping": _READONLY | _IMMUTABLE,
    "broker.critical-ranks": _IMMUTABLE | _UNUSED,
    "broker.boot-method": _IMMUTABLE,
    "broker.pid": _READONLY | _IMMUTABLE,
    "broker.quorum": _IMMUTABLE,
    "broker.quorum-warn": _IMMUTABLE,
    "broker.shutdown-warn": _IMMUTABLE,
    "broker.shutdown-timeout": _IMMUTABLE,
    "broker.cleanup-timeout": _UNUSED,
    "broker.unload-builtins-timeout": _UNUSED,
    "broker.rc1_path": 0,
    "broker.rc3_path": 0,
    "broker.rc2_none": 0,
    "broker.rc2_pgrp": 0,
    "broker.exit-restart": _RUNTIME | _UNUSED,
    "broker.module-nopanic": _RUNTIME | _UNUSED,
    "broker.starttime": _READONLY | _IMMUTABLE,
    "broker.sd-notify": _UNUSED,
    "broker.sd-stop-timeout": _IMMUTABLE | _UNUSED,
    "broker.exit-norestart": 0,
    "broker.recovery-mode": 0,
    "broker.uuid": _READONLY | _IMMUTABLE,
    "conf.shell_initrc": _RUNTIME | _UNUSED,
    "conf.shell_pluginpath": _RUNTIME | _UNUSED,
    "config.path": _IMMUTABLE,
    "tbon.topo": 0,
    "tbon.descendants": _READONLY,
    "tbon.level": _READONLY,
    "tbon.maxlevel": _READONLY,
    "tbon.endpoint": _READONLY,
    "tbon.parent-endpoint": _READONLY,
    "tbon.zmqdebug": _UNUSED,
    "tbon.zmq_io_threads": _UNUSED,
    "tbon.child_rcvhwm": _UNUSED,
    "tbon.prefertcp": 0,
    "tbon.interface-hint": _RUNTIME | _IMMUTABLE | _UNUSED,
    "tbon.torpid_min": _UNUSED,
    "tbon.torpid_max": _UNUSED,
    "tbon.tcp_user_timeout": _UNUSED,
    "tbon.connect_timeout": _UNUSED,
    "tbon.fanout": 0,
    "log-ring-size": _IMMUTABLE | _UNUSED,
    "log-forward-level": _IMMUTABLE,
    "log-critical-level": _IMMUTABLE,
    "log-filename": 0,
    "log-syslog-enable": _IMMUTABLE | _UNUSED,
    "log-syslog-level": _IMMUTABLE | _UNUSED,
    "log-stderr-mode": _IMMUTABLE,
    "log-stderr-level": _RUNTIME,
    "log-level": _IMMUTABLE | _UNUSED,
    "content.backing-module": _UNUSED,
    "content.hash": _IMMUTABLE | _UNUSED,
    "content.dump": _RUNTIME | _UNUSED,
    "content.restore": _RUNTIME | _UNUSED,
    "cron.directory": _UNUSED,
}

_FLAGS_BY_PREFIX = {
    "fault.": 0,
    "test.": _RUNTIME,
    "test-ro.": _READONLY,
    "test-nr.": 0,
    "test-im.": _IMMUTABLE,
    "test-rd.": _RUNTIME,
    "vendor.": _RUNTIME | _IMMUTABLE,
}
"""Families of names that flux-core keeps for its tests and for plugins, and that of faults.py."""


def _flags(name: str) -> int | None:
    flags = _FLAGS.get(name)
    if flags is None:
        flags = _FLAGS_BY_PREFIX.get(name[: name.find(".") + 1])
    return flags


class Attributes:
    """The attributes of one broker."""

    def __init__(self) -> None:
        self._values: dict[str, str | None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def set_by_user(self, assignment: str) -> None:
        """Take `NAME=VALUE`, or `NAME` alone, from the command line.

        Raises:
            UsageError: there is no such attribute, or it is the broker's own to set.
        """
        name, equals, value = assignment.partition("=")
        flags = _flags(name)
        if flags is None:
            raise UsageError(f"{name}: unknown attribute")
        if flags & _READONLY:
            raise UsageError(f"{name}: attribute may not be set on the command line")
        # As in flux-core, what is immutable can be set once.
        if flags & _IMMUTABLE and name in self._values:
            raise UsageError(f"{name}: Operation not permitted")
        self._values[name] = value if equals else None

    def set(self, name: str, value: str | None) -> None:
        """Set an attribute, whatever its flags."""
        self._values[name] = value

    def setdefault(self, name: str, value: str) -> str | None:
        """Set an attribute unless the user did; return what it is then."""
        return self._values.setdefault(name, value)

    def get(self, name: str) -> str | None:
        """Return the value of an attribute, None if it is unset or has no value."""
        return self._values.get(name)

    def answer_get(self, request: Request) -> None:
        """Answer attr.get."""
        name = request.unpack().get("name")
        if not isinstance(name, str):
            raise ServiceError(errno.EPROTO)
        value = self._values.get(name)
        if value is None:
            raise ServiceError(errno.ENOENT)
        request.respond({"value": value, "flags": (_flags(name) or 0) & _IMMUTABLE})

    def family(self, prefix: str) -> dict[str, str]:
        """Return the attributes whose names begin so, without what they begin with."""
        found = ((name, value) for name, value in self._values.items() if name.startswith(prefix))
        return {name.removeprefix(prefix): value or "" for name, value in found}

    def without_effect(self) -> list[str]:
        """Name the attributes that are set and mean nothing to this broker."""
        return [name for name in self._values if (_flags(name) or 0) & _UNUSED]

    def duration(self, name: str, default: float | None) -> float | None:
        """Return a duration in seconds, None if it is `none`; set the default if it is unset.

        Raises:
            StartError: the value is no duration.
        """
        value = self.setdefault(name, "none" if default is None else fsd.format(default))
        if value == "none":
            return None
        try:
            return fsd.parse(value or "")
        except ValueError:
            raise StartError(f"Error parsing {name} attribute") from None
