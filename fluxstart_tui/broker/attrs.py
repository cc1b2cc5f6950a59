"""Broker attributes (flux-broker-attributes(7)); names and flags as in flux-core's attr.c."""

from __future__ import annotations

import errno

from fluxstart_tui.broker.errors import StartError, UsageError
from fluxstart_tui.rfc import fsd
from fluxstart_tui.rpc.errors import RpcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.rpc.services import Request

IMMUTABLE = 1
"""The value never changes once it is set, so clients may cache it."""

READONLY = 2
RUNTIME = 4
UNUSED = 8
"""Known, accepted, and without effect in this broker."""

_FLAGS = {
    "rank": READONLY | IMMUTABLE,
    "size": READONLY | IMMUTABLE,
    "version": READONLY,
    "rundir": 0,
    "rundir-cleanup": IMMUTABLE,
    "statedir": UNUSED,
    "statedir-cleanup": IMMUTABLE | UNUSED,
    "security.owner": READONLY | IMMUTABLE,
    "local-uri": IMMUTABLE,
    "parent-uri": READONLY | IMMUTABLE,
    "instance-level": READONLY | IMMUTABLE,
    "jobid": READONLY | IMMUTABLE,
    "jobid-path": READONLY | IMMUTABLE,
    "parent-kvs-namespace": READONLY | IMMUTABLE,
    "hostlist": IMMUTABLE,
    "hostname": IMMUTABLE,
    "broker.mapping": READONLY | IMMUTABLE,
    "broker.critical-ranks": IMMUTABLE | UNUSED,
    "broker.boot-method": IMMUTABLE,
    "broker.pid": READONLY | IMMUTABLE,
    "broker.quorum": IMMUTABLE,
    "broker.quorum-warn": IMMUTABLE,
    "broker.shutdown-warn": IMMUTABLE,
    "broker.shutdown-timeout": IMMUTABLE,
    "broker.cleanup-timeout": 0,
    "broker.unload-builtins-timeout": 0,
    "broker.rc1_path": 0,
    "broker.rc3_path": 0,
    "broker.rc2_none": 0,
    "broker.rc2_pgrp": 0,
    "broker.exit-restart": RUNTIME | UNUSED,
    "broker.module-nopanic": RUNTIME | UNUSED,
    "broker.starttime": READONLY | IMMUTABLE,
    "broker.sd-notify": UNUSED,
    "broker.sd-stop-timeout": IMMUTABLE | UNUSED,
    "broker.exit-norestart": 0,
    "broker.recovery-mode": 0,
    "broker.uuid": READONLY | IMMUTABLE,
    "conf.shell_initrc": RUNTIME | UNUSED,
    "conf.shell_pluginpath": RUNTIME | UNUSED,
    "config.path": IMMUTABLE,
    "tbon.topo": 0,
    "tbon.descendants": READONLY,
    "tbon.level": READONLY,
    "tbon.maxlevel": READONLY,
    "tbon.endpoint": READONLY,
    "tbon.parent-endpoint": READONLY,
    "tbon.zmqdebug": UNUSED,
    "tbon.zmq_io_threads": UNUSED,
    "tbon.child_rcvhwm": UNUSED,
    "tbon.prefertcp": 0,
    "tbon.interface-hint": RUNTIME | IMMUTABLE,
    "tbon.torpid_min": 0,
    "tbon.torpid_max": 0,
    "tbon.tcp_user_timeout": UNUSED,
    "tbon.connect_timeout": UNUSED,
    "tbon.fanout": 0,
    "log-ring-size": IMMUTABLE,
    "log-forward-level": IMMUTABLE,
    "log-critical-level": IMMUTABLE,
    "log-filename": 0,
    "log-syslog-enable": IMMUTABLE | UNUSED,
    "log-syslog-level": IMMUTABLE | UNUSED,
    "log-stderr-mode": IMMUTABLE,
    "log-stderr-level": RUNTIME,
    "log-level": IMMUTABLE,
    "content.backing-module": UNUSED,
    "content.hash": IMMUTABLE | UNUSED,
    "content.dump": RUNTIME | UNUSED,
    "content.restore": RUNTIME | UNUSED,
    "cron.directory": UNUSED,
}

_FLAGS_BY_PREFIX = {
    "fault.": 0,
    "test.": RUNTIME,
    "test-ro.": READONLY,
    "test-nr.": 0,
    "test-im.": IMMUTABLE,
    "test-rd.": RUNTIME,
    "vendor.": RUNTIME | IMMUTABLE,
}
"""Families of names that flux-core keeps for its tests and for plugins, and that of faults.py."""


def flags_of(name: str) -> int | None:
    """Return the flags of an attribute, None if there is no such attribute."""
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
        flags = flags_of(name)
        if flags is None:
            raise UsageError(f"{name}: unknown attribute")
        if flags & READONLY:
            raise UsageError(f"{name}: attribute may not be set on the command line")
        # As in flux-core, what is immutable can be set once.
        if flags & IMMUTABLE and name in self._values:
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

    def remove(self, name: str) -> None:
        """Remove an attribute, if there is one of that name."""
        self._values.pop(name, None)

    def names(self) -> list[str]:
        """Return the names of all attributes, those without a value included."""
        return list(self._values)

    def answer_get(self, request: Request) -> None:
        """Answer attr.get."""
        name = request.unpack().get("name")
        if not isinstance(name, str):
            raise RpcError(errno.EPROTO)
        value = self._values.get(name)
        if value is None:
            raise RpcError(errno.ENOENT)
        request.respond({"value": value, "flags": (flags_of(name) or 0) & IMMUTABLE})

    def family(self, prefix: str) -> dict[str, str]:
        """Return the attributes whose names begin so, without what they begin with."""
        found = ((name, value) for name, value in self._values.items() if name.startswith(prefix))
        return {name.removeprefix(prefix): value or "" for name, value in found}

    def without_effect(self) -> list[str]:
        """Name the attributes that are set and mean nothing to this broker."""
        return [name for name in self._values if (flags_of(name) or 0) & UNUSED]

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
