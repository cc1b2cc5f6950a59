"""Settings of the tree: attributes tbon.* and the configuration's [tbon] (overlay/ovconf.c).

What they are in the end can be asked of attr.get, whether or not it means anything to this broker.
"""

from __future__ import annotations

import errno

from fluxstart_tui.broker.errors import BuiltinsError, mismatch
from fluxstart_tui.rfc import fsd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluxstart_tui.broker.attrs import Attributes

HINT = "tbon.interface-hint"
DEFAULT_HINTS = ("default-route", "hostname")
"""Interface hints that are neither the name of an interface nor a network."""

_ERROR = "Config file error [tbon]: "
_TIMEOUTS = (("tcp_user_timeout", 20.0), ("connect_timeout", 30.0))
_NUMBERS = (("zmqdebug", 0), ("child_rcvhwm", 0), ("zmq_io_threads", 1))
_TORPID = (("torpid_min", 5.0), ("torpid_max", 30.0))


def configure(attrs: Attributes, config: Mapping[str, object], environ: Mapping[str, str]) -> None:
    """Set the attributes; those of the command line have precedence over the configuration.

    Raises:
        BuiltinsError: a setting makes no sense.
    """
    table = config.get("tbon", {})
    _number(attrs, "prefertcp", 0)
    hint = _lookup(table, "interface-hint", str)
    if hint is None:
        named = "hostname" if "FLUX_IPADDR_HOSTNAME" in environ else "default-route"
        hint = environ.get("FLUX_IPADDR_INTERFACE", named)
    attrs.setdefault(HINT, str(hint))
    topo = _lookup(table, "topo", str)
    if topo is None:
        topo = "custom" if isinstance(config.get("bootstrap"), dict) else "kary:32"
    fanout = attrs.get("tbon.fanout")
    attrs.setdefault("tbon.topo", str(topo) if fanout is None else f"kary:{fanout}")
    _configure_torpid(attrs, table)
    for name, default in _TIMEOUTS:
        seconds = _duration(_lookup(table, name, str), f"Config file error parsing tbon.{name}")
        given = _duration(attrs.get(f"tbon.{name}"), f"Error parsing tbon.{name} attribute")
        chosen = next(one for one in (given, seconds, default) if one is not None)
        attrs.set(f"tbon.{name}", fsd.format(chosen))
    for name, number in _NUMBERS:
        found = _lookup(table, name, int)
        _number(attrs, name, number if found is None else found)
    rcvhwm = attrs.get("tbon.child_rcvhwm") or ""
    if rcvhwm.startswith("-") or rcvhwm == "1":
        raise BuiltinsError("tbon.child_rcvhwm must be 0 (unlimited) or >= 2")
    if int(attrs.get("tbon.zmq_io_threads") or 0) < 1:
        raise BuiltinsError("tbon.zmq_io_threads must be >= 1")


def _configure_torpid(attrs: Attributes, table: object) -> None:
    found = [_lookup(table, name, str) for name, _ in _TORPID]
    values = []
    for (name, default), text in zip(_TORPID, found, strict=True):
        seconds = _duration(text, f"Config file error parsing tbon.{name}")
        given = _duration(attrs.get(f"tbon.{name}"), f"error parsing tbon.{name} attribute")
        values.append(next(one for one in (given, seconds, default) if one is not None))
    least, most = values
    # That errno is what some call before has left behind; flux-broker logs it.
    if least == 0:
        raise BuiltinsError("tbon.torpid_min must be nonzero", errnum=errno.ENOENT)
    if most != 0 and least >= most:
        raise BuiltinsError("tbon.torpid_min must be less than torpid_max", errnum=errno.ENOENT)
    for (name, _), seconds in zip(_TORPID, values, strict=True):
        attrs.set(f"tbon.{name}", fsd.format(seconds))


def _lookup(table: object, name: str, kind: type) -> object:
    """Return an entry of [tbon], None if there is none."""
    if not isinstance(table, dict):
        raise BuiltinsError(_ERROR + mismatch(dict, table))
    value = table.get(name)
    if value is not None and type(value) is not kind:
        raise BuiltinsError(_ERROR + mismatch(kind, value))
    return value


def _number(attrs: Attributes, name: str, default: object) -> None:
    text = attrs.get(f"tbon.{name}")
    try:
        attrs.set(f"tbon.{name}", str(default if text is None else int(text)))
    except ValueError:
        raise BuiltinsError(f"tbon.{name} value must be an integer") from None


def _duration(text: object, failure: str) -> float | None:
    if text is None:
        return None
    try:
        return fsd.parse(str(text))
    except ValueError:
        raise BuiltinsError(failure) from None
