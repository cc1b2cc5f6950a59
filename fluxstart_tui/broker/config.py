"""The configuration's [bootstrap] (flux-config-bootstrap(5); flux-core: conf_bootstrap.c)."""

from __future__ import annotations

import errno
import os

from fluxstart_tui.broker.errors import BuiltinsError, mismatch
from fluxstart_tui.rfc import hostlist

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KEYS = {
    "hosts": object,
    "curve_cert": str,
    "default_port": int,
    "default_bind": str,
    "default_connect": str,
    "enable_ipv6": bool,
}
_HOST_KEYS = dict.fromkeys(("host", "bind", "connect", "parent"), str)
_PATH_MAX = 108
_READABLE_BY_OTHERS = 0o044
_PORT_MAX = 65535
_DOMAIN_MAX = 253
_LABEL_MAX = 63


class ConfigError(Exception):
    """The configuration makes no sense; the text is what flux-broker says of it."""


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
        listed = fields.get("hosts", [])
        if not isinstance(listed, list):
            raise ConfigError("must be array type")
        entries = _expand(listed)
        uris = []
        for index, (host, entry) in enumerate(entries.items()):
            try:
                _check_host(host, entry, entries)
                uris.append([
                    _uri(key, entry.get(key, fields.get(f"default_{key}")), host, port)
                    for key in ("bind", "connect")
                ])  # fmt: skip
            except ConfigError as error:
                raise ConfigError(f"invalid hosts[{index}]: {error}") from None
        if not listed:
            # A singleton needs no name that others could look up, and nowhere to be found.
            entries, uris = {hostname: {}}, [[None, None]]
        if hostname not in entries:
            raise ConfigError(f"{hostname} not found in hosts")
        self.hosts = list(entries)
        self.rank = self.hosts.index(hostname)
        self._uris = uris
        certificate = fields.get("curve_cert")
        if len(entries) > 1 and certificate is None:
            raise ConfigError("curve_cert must be defined for size > 1")
        self._certificate = certificate if isinstance(certificate, str) else None
        if "parent" in entries[self.hosts[0]]:
            raise ConfigError(f"rank 0 ({self.hosts[0]}) may not have a parent in a tree topology")
        self.parents = [
            self.hosts.index(str(entry["parent"])) if "parent" in entry else 0
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
        raise ConfigError(mismatch(dict, table))
    for key, kind in keys.items():
        value = table.get(key)
        if value is not None and kind is not object and type(value) is not kind:
            raise ConfigError(mismatch(kind, value))
    unknown = [key for key in table if key not in keys]
    if unknown:
        raise ConfigError(f"{len(unknown)} object item(s) left unpacked: {', '.join(unknown)}")
    return table


def _expand(listed: Iterable[object]) -> dict[str, dict[str, object]]:
    """Return the entry of each host; what is said of one in several places is put together."""
    entries: dict[str, dict[str, object]] = {}
    for index, one in enumerate(listed):
        try:
            if not isinstance(one, dict):
                raise ConfigError(mismatch(dict, one))
            if "host" not in one:
                raise ConfigError("Object item not found: host")
            _check({"host": one["host"]}, {"host": str})
            try:
                hosts = hostlist.decode(one["host"])
            except ValueError:
                raise ConfigError("host key is not a valid RFC 29 hostlist") from None
        except ConfigError as error:
            raise ConfigError(f"invalid hosts[{index}]: {error}") from None
        for host in hosts:
            entries[host] = one | entries.get(host, {})
    return entries


def _check_host(host: str, entry: object, entries: Mapping[str, object]) -> None:
    parent = _check(entry, _HOST_KEYS).get("parent")
    if parent == host:
        raise ConfigError("parent key refers to self")
    if parent is not None and parent not in entries:
        raise ConfigError("parent key refers to unknown host")
    try:
        _check_domain(os.fsencode(host))
    except ConfigError as error:
        raise ConfigError(f"{host} {error}") from None


def _check_domain(name: bytes) -> None:
    """Check a domain name (RFC 1035); empty labels are let pass, as in flux-core."""
    if not 1 <= len(name) <= _DOMAIN_MAX:
        raise ConfigError(f"domain must be 1-{_DOMAIN_MAX} characters")
    for label in name.split(b"."):
        if len(label) > _LABEL_MAX:
            raise ConfigError(f"must be 1-{_LABEL_MAX} characters")
        if label.startswith(b"-") or label.endswith(b"-"):
            raise ConfigError("domain label must not start or end with '-'")
        for at in range(len(label)):
            one = label[at : at + 1]
            if not (one.isalnum() or one == b"-"):
                raise ConfigError(
                    f"domain label contains invalid character '{os.fsdecode(one)}' (0x{one.hex()})"
                )


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
