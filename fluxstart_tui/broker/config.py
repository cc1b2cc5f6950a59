"""Bootstrap by configuration: `[bootstrap]` in TOML (flux-config-bootstrap(5), conf_bootstrap.c).

The rest of the configuration has no effect in this broker.
"""

from __future__ import annotations

import errno
import os

from fluxstart_tui.broker.errors import BuiltinsError, StartError
from fluxstart_tui.rfc import hostlist

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KEYS = {
    "hosts": list,
    "curve_cert": str,
    "default_port": int,
    "default_bind": str,
    "default_connect": str,
    "enable_ipv6": bool,
}
_HOST_KEYS = ("host", "bind", "connect", "parent")
_TYPES = {list: "array", str: "string", int: "integer", bool: "boolean", dict: "object"}
_PATH_MAX = 108
_READABLE_BY_OTHERS = 0o044
_PORT_MAX = 65535


class ConfigError(Exception):
    """The configuration makes no sense; the text is what flux-broker says of it."""


def load(path: str) -> dict[str, object]:
    """Read a TOML file, or all of them in a directory.

    Raises:
        StartError: that is not possible.
    """
    import tomllib  # only where there is a configuration

    paths = [path]
    merged: dict[str, object] = {}
    try:
        if os.path.isdir(path):
            names = sorted(name for name in os.listdir(path) if name.endswith(".toml"))
            paths = [f"{path}/{name}" for name in names]
        for one in paths:
            with open(one, "rb") as file:
                merged |= tomllib.load(file)
    except OSError as error:
        what = "stat: " if error.filename == path else ""
        raise StartError(f"Config file error: {what}{error.filename}: {error.strerror}") from None
    except ValueError as error:
        raise StartError(f"Config file error: {one}: {error}") from None
    return merged


def load_extra(value: str) -> dict[str, object]:
    """Read what `--conf` names, unless it is KEY=VALUE, which has no effect here.

    Raises:
        StartError: it is a file that can not be read, or is no TOML.
    """
    import tomllib

    if "=" in value:
        return {}
    try:
        with open(value, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise StartError(f"--conf: {value}: {error.strerror}") from None
    except ValueError as error:
        raise StartError(f"--conf: {value}: {error}") from None


class Members:
    """The brokers that the configuration names, by rank.

    Args:
        table: what stands under `[bootstrap]`.
        hostname: the host we are.

    Raises:
        ConfigError: it makes no sense, or we are not in it.
    """

    def __init__(self, table: object, hostname: str) -> None:
        fields = _check(table, _KEYS)
        port = fields.get("default_port", -1)
        if isinstance(port, int) and not (port == -1 or 0 <= port <= _PORT_MAX):
            raise ConfigError("default_port must be in the range of 0-65535")
        listed = fields.get("hosts")
        entries = _expand(listed if isinstance(listed, list) and listed else [{"host": hostname}])
        self.hosts = list(entries)
        if hostname not in entries:
            raise ConfigError(f"{hostname} not found in hosts")
        self.rank = self.hosts.index(hostname)
        uris = []
        for index, (host, entry) in enumerate(entries.items()):
            try:
                _check_parent(host, entry.get("parent"), entries)
                uris.append([
                    _uri(key, entry.get(key, fields.get(f"default_{key}")), host, port)
                    for key in ("bind", "connect")
                ])  # fmt: skip
            except ConfigError as error:
                raise ConfigError(f"invalid hosts[{index}]: {error}") from None
        self._uris = uris
        certificate = fields.get("curve_cert")
        if len(entries) > 1 and certificate is None:
            raise ConfigError("curve_cert must be defined for size > 1")
        self._certificate = certificate if isinstance(certificate, str) else None
        if "parent" in entries[self.hosts[0]]:
            raise ConfigError(f"rank 0 ({self.hosts[0]}) may not have a parent in a tree topology")
        self.parents = [
            self.hosts.index(entry["parent"]) if "parent" in entry else 0
            for entry in entries.values()
        ]

    def bind_uri(self) -> str:
        """Return where we await our children.

        Raises:
            BuiltinsError: the configuration does not say.
        """
        uri = self._uris[self.rank][0]
        if uri is None:
            raise BuiltinsError(f"bind URI is undefined for rank {self.rank}", errnum=errno.ENOENT)
        return uri

    def connect_uris(self, rank: int) -> list[str]:
        """Return where a broker is to be found: nowhere or at one place."""
        uri = self._uris[rank][1]
        return [] if uri is None else [uri]

    def public_key(self) -> str:
        """Return the key that all brokers share, an empty one for a singleton without.

        Raises:
            BuiltinsError: the certificate cannot be read.
        """
        if self._certificate is None:
            return ""
        text = f"Error loading certificate: {self._certificate}"
        try:
            with open(self._certificate, encoding="utf-8", errors="replace") as file:
                if os.fstat(file.fileno()).st_mode & _READABLE_BY_OTHERS:
                    raise BuiltinsError(f"{text}: readable by group/other", errnum=errno.EPERM)
                for line in file:
                    name, _, value = line.partition("=")
                    if name.strip() == "public-key":
                        return value.strip().strip('"')
        except OSError as error:
            raise BuiltinsError(f"{text}: {error.strerror}", errnum=error.errno or 0) from None
        raise BuiltinsError(f"{text}: there is no public-key in it")


def _check(table: object, keys: Mapping[str, type]) -> dict[str, object]:
    if not isinstance(table, dict):
        raise ConfigError(f"Expected object, got {_TYPES.get(type(table), 'real')}")
    for key, kind in keys.items():
        value = table.get(key)
        if value is not None and type(value) is not kind:
            if kind is list:
                raise ConfigError("must be array type")
            got = _TYPES.get(type(value), "real")
            raise ConfigError(f"Expected {_TYPES[kind]}, got {got}")
    unknown = [key for key in table if key not in keys]
    if unknown:
        raise ConfigError(f"{len(unknown)} object item(s) left unpacked: {', '.join(unknown)}")
    return table


def _expand(listed: Iterable[object]) -> dict[str, dict[str, str]]:
    """Return the entry of each host; what is said of one in several places is put together."""
    entries: dict[str, dict[str, str]] = {}
    for index, one in enumerate(listed):
        try:
            fields = {
                key: value
                for key, value in _check(one, dict.fromkeys(_HOST_KEYS, str)).items()
                if isinstance(value, str)
            }
            if "host" not in fields:
                raise ConfigError("Object item not found: host")
            try:
                hosts = hostlist.decode(fields["host"])
            except ValueError:
                raise ConfigError("host key is not a valid RFC 29 hostlist") from None
        except ConfigError as error:
            raise ConfigError(f"invalid hosts[{index}]: {error}") from None
        for host in hosts:
            entries[host] = fields | entries.get(host, {})
    return entries


def _check_parent(host: str, parent: str | None, entries: Mapping[str, object]) -> None:
    if parent == host:
        raise ConfigError("parent key refers to self")
    if parent is not None and parent not in entries:
        raise ConfigError("parent key refers to unknown host")


def _uri(key: str, template: object, host: str, port: object) -> str | None:
    """Fill in a URI: %h is the host, %p the port."""
    if not isinstance(template, str):
        return None
    parts = [part.replace("%h", host).replace("%p", str(port)) for part in template.split("%%")]
    uri = "%".join(parts)
    if "://" not in uri:
        raise ConfigError(f"{key} key {uri} has no URI scheme")
    if ":*" in uri:
        raise ConfigError(f"{key} key {uri} contains 0MQ port wildcard")
    scheme, _, rest = uri.partition("://")
    if scheme not in ("ipc", "tcp"):
        raise ConfigError(f"{key} key {uri} URI scheme must be tcp or ipc")
    if not rest:
        what = "socket path" if scheme == "ipc" else "address"
        raise ConfigError(f"{key} key {uri} {what} is empty")
    if scheme == "ipc" and len(rest) > _PATH_MAX:
        raise ConfigError(f"{key} key {uri} socket path must not exceed 108 bytes")
    return uri
