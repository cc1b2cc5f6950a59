"""The broker's configuration, from --config-path and --conf (flux-core: libflux/conf.c).

Parsers are loaded where there is something to parse: few brokers have a configuration.
"""

from __future__ import annotations

import errno
import os

from fluxstart_tui import compactjson
from fluxstart_tui.broker.errors import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Table = dict[str, object]

_AT_LINE = " (at line "
_AT_END = " (at end of document)"
_BLANKS = " \t\n\r"


class _SyntaxError(Exception):
    """A text is not to be understood.

    Args:
        why: what is wrong with it.
        line: in which line, counted from 1.
    """

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


def load(path: str | None, updates: Iterable[str]) -> Table:
    """Read what the command line names.

    Args:
        path: a file, or a directory whose TOML files are read one after the other.
        updates: values of --conf: inline TOML or JSON, KEY=VALUE, or a file.

    Raises:
        StartError: one of them cannot be read or makes no sense.
    """
    table: Table = {}
    if path is not None:
        try:
            for one in _files(path):
                _read(table, one)
        except ValueError as error:
            raise StartError(f"Config file error: {error}") from None
    for value in updates:
        try:
            _update(table, value)
        except ValueError as error:
            raise StartError(f"--conf: {error}") from None
    return table


def _files(path: str) -> list[str]:
    try:
        os.stat(path)
    except OSError as error:
        raise ValueError(f"stat: {path}: {error.strerror}") from None
    if not os.path.isdir(path):
        return [path]
    try:
        names = sorted(name for name in os.listdir(path) if name.endswith(".toml"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    # as glob(3), which does not see hidden files
    return [f"{path}/{name}" for name in names if not name.startswith(".")]


def _read(table: Table, path: str) -> None:
    """Merge a file into a table."""
    is_json = path.endswith(".json")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except OSError as error:
        if is_json:
            raise ValueError(f"{path}:-1: unable to open {path}: {error.strerror}") from None
        raise ValueError(f"{path}: {error.strerror}") from None
    try:
        found = _parse_json(text) if is_json else _parse_toml(text)
    except _SyntaxError as error:
        raise ValueError(f"{path}:{error.line}: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path}: JSON must be an object")
    _merge(table, found)


def _update(table: Table, value: str) -> None:
    """Merge a value of --conf into a table."""
    inline = "\n" in value
    if value.startswith("{") or (inline and value.lstrip(_BLANKS).startswith("{")):
        try:
            found = _parse_json(value)
        except _SyntaxError as error:
            raise ValueError(f"inline JSON: {error}") from None
        assert isinstance(found, dict)
        _merge(table, found)
    elif inline:
        try:
            _merge(table, _parse_toml(value))
        except _SyntaxError as error:
            raise ValueError(f"line {error.line}: {error}") from None
    elif "=" in value:
        key, _, text = value.partition("=")
        if not key:
            raise ValueError("value must have a key in KEY=VAL")
        try:
            scalar = compactjson.loads(text)
        except ValueError:
            scalar = text
        _set(table, key, scalar)
    else:
        _read(table, value)


def _set(table: Table, key: str, value: object) -> None:
    """Set what a dotted key names."""
    *path, last = key.split(".")
    for name in path:
        if not name:
            raise ValueError(f"setting {key}: {os.strerror(errno.EINVAL)}")
        below = table.setdefault(name, {})
        if not isinstance(below, dict):
            # No memory is short, but that is what flux-broker says.
            raise ValueError(f"setting {key}: {os.strerror(errno.ENOMEM)}")
        table = below
    if not last:
        raise ValueError(f"setting {key}: {os.strerror(errno.EINVAL)}")
    table[last] = value


def _merge(table: Table, more: Table) -> None:
    """Put `more` into a table, and tables in it into those that are there."""
    for key, value in more.items():
        present = table.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        else:
            table[key] = value


def _parse_toml(text: str) -> Table:
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _SyntaxError("nested too deeply", 1) from None
    except ValueError as error:
        # The text is all that tells the place, before Python 3.14.
        why, at, place = str(error).rpartition(_AT_LINE)
        if at:
            raise _SyntaxError(why, int(place.partition(",")[0])) from None
        lines = max(1, len(text.splitlines()))
        raise _SyntaxError(str(error).removesuffix(_AT_END), lines) from None


def _parse_json(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except RecursionError:
        raise _SyntaxError("nested too deeply", 1) from None
    except json.JSONDecodeError as error:
        raise _SyntaxError(error.msg, error.lineno) from None
