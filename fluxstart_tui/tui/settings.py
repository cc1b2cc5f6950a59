"""The user's own settings of the UI: a TOML file, read before the screen opens."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from fluxstart_tui.tui.keymap import Keymap

FILE = "FLUXSTART_TUI_CONFIG"
"""The variable that names another file, which has to exist then."""

THEMES = ("dark", "light", "ansi")
VIEWS = ("brokers", "output", "pmi", "tree", "timeline", "log", "terminal", "launch", "detail")
TIMES = ("no", "absolute", "relative", "delta")
COLUMNS: tuple[str, ...] = (
    "host", "pid", "state", "for", "PMI", "CPU%", "RSS", "thr", "fds", "exit",
)  # fmt: skip
"""What the table of brokers may show beside the rank."""

_CHOICES = {"view": VIEWS, "times": TIMES}
_FLAGS = ("wrap", "follow")
_SIZE = re.compile(r"[0-9]{1,15}([KMGT]i?)?B?")
_FEW = 20
"""So many names fit into a line that says which there are."""
_LARGEST = 1 << 20
"""Bytes of the file: much more than anybody writes, little enough to be read at once."""


class SettingsError(ValueError):
    """The file can not be used; the text is one line that says why."""


class Settings(NamedTuple):
    """All of them; the defaults are those of the program."""

    theme: str = ""
    """One of THEMES; "" if it is left to the terminal."""
    view: str = "brokers"
    """The view that is shown first."""
    times: str = "no"
    """How the Output view shows times: one of TIMES."""
    wrap: bool = False
    """Whether it wraps long lines."""
    follow: bool = True
    """Whether it follows what comes."""
    columns: tuple[str, ...] = COLUMNS
    """Columns of the table of brokers, in this order, after the rank."""
    options: tuple[str, ...] = ()
    """Options for the engine; the command line comes after them."""
    keys: Mapping[str, tuple[str, ...]] = {}
    """Keys of actions that are not the usual ones, in their normal form."""

    @property
    def keymap(self) -> Keymap:
        """The keys of all actions."""
        from fluxstart_tui.tui.keymap import Keymap

        return Keymap(self.keys)


def path(environ: Mapping[str, str]) -> str:
    """Return where the file is."""
    if environ.get(FILE):
        return environ[FILE]
    home = environ.get("XDG_CONFIG_HOME") or ""
    if not os.path.isabs(home):  # as the XDG Base Directory Specification has it
        home = os.path.expanduser("~/.config")
    return os.path.join(home, "fluxstart-tui", "config.toml")


def load(environ: Mapping[str, str]) -> Settings:
    """Read the file; without one everything is as usual.

    Raises:
        SettingsError: it can not be read, or something in it is wrong.
    """
    name = path(environ)
    try:
        with open(name, "rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise SettingsError("is too large for a file of settings")
        return parse(data)
    except FileNotFoundError as error:
        if not environ.get(FILE):
            return Settings()
        raise SettingsError(f"{name}: {error.strerror}") from None
    except OSError as error:
        raise SettingsError(f"{name}: {error.strerror}") from None
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from None


def parse(data: bytes) -> Settings:
    """Return the settings that a file's content gives.

    Raises:
        SettingsError: something in it is wrong.
    """
    import tomllib  # 5 ms, which most have no use for

    try:
        tables = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"not TOML: {_plain(' '.join(str(error).split()))}") from None
    return from_tables(tables)


def from_tables(tables: Mapping[str, Any]) -> Settings:
    """Return the settings that are in TOML's tables.

    Raises:
        SettingsError: something in them is wrong.
    """
    found: dict[str, Any] = {}
    for key, value in tables.items():
        if key == "theme":
            found[key] = _choice(key, value, THEMES)
        elif key == "defaults":
            found |= _defaults(_table(key, value))
        elif key == "keys":
            found[key] = _keys(_table(key, value))
        else:
            raise _unknown(key, ("theme", "defaults", "keys"))
    return Settings(**found)


def _defaults(table: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    options: list[str] = []
    for name, value in table.items():
        key = f"defaults.{name}"
        if name in _CHOICES:
            found[name] = _choice(key, value, _CHOICES[name])
        elif name in _FLAGS:
            if not isinstance(value, bool):
                raise SettingsError(f"{key}: {_shown(value)} is neither true nor false")
            found[name] = value
        elif name == "columns":
            found[name] = tuple(_choice(key, one, COLUMNS) for one in _list(key, value))
        elif name == "record-limit":
            if not (isinstance(value, str) and _SIZE.fullmatch(value)):
                raise SettingsError(f"{key}: {_shown(value)} is no size such as '500MiB' or '4G'")
            options.append(f"--{name}={value}")
        elif name == "keep":
            if type(value) is not int or not 0 < value < 1 << 31:
                raise SettingsError(f"{key}: {_shown(value)} is no number of sessions")
            options.append(f"--{name}={value}")
        else:
            names = (*_CHOICES, *_FLAGS, "columns", "record-limit", "keep")
            raise _unknown(key, [f"defaults.{one}" for one in names])
    return {**found, "options": tuple(options)}


def _keys(table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return keys by action; the keys' names need Textual, which costs, so only if there are any.

    Raises:
        SettingsError: an action or a key is unknown, or a key would have two meanings.
    """
    from fluxstart_tui.tui import keymap

    known = keymap.defaults()
    found: dict[str, tuple[str, ...]] = {}
    for action, value in _flat(table):
        key = f"keys.{action}"
        if action not in known:
            raise _unknown(key, [f"keys.{one}" for one in known])
        words = [value] if isinstance(value, str) else _list(key, value)
        found[action] = tuple(dict.fromkeys(_key(key, word) for word in words))
    for action, pressed, other in keymap.Keymap(found).clashes():
        name = keymap.written(pressed)
        raise SettingsError(f"keys.{action}: '{name}' is the key of {other} in the same view")
    return found


def _key(key: str, word: object) -> str:
    from fluxstart_tui.tui import keymap

    try:
        if isinstance(word, str):
            return keymap.normal(word)
    except ValueError:
        pass
    raise SettingsError(f"{key}: there is no key {_shown(word)}; keys are such as 'f', '?', 'f5',"
                        " 'ctrl+x', 'pageup'")  # fmt: skip


def _flat(table: dict[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict) and not above:
            yield from _flat(value, f"{name}.")
        else:
            yield f"{above}{name}", value


def _table(key: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"{key}: {_shown(value)} is no table: write [{key}]")
    return value


def _list(key: str, value: object) -> list[object]:
    if not (isinstance(value, list) and value):
        raise SettingsError(f"{key}: {_shown(value)} is neither a text nor a list of some")
    return value


def _choice(key: str, value: object, known: tuple[str, ...]) -> str:
    if not (isinstance(value, str) and value in known):
        raise SettingsError(f"{key}: {_shown(value)} is none of {', '.join(known)}")
    return value


def _unknown(key: str, known: Sequence[str]) -> SettingsError:
    from difflib import get_close_matches

    close = get_close_matches(key, known, 1)
    hint = f"is it {close[0]}?" if close else f"there are {', '.join(known)}"
    if not close and len(known) > _FEW:
        hint = "--print-config lists all"
    return SettingsError(f"{_plain(key)}: there is no such setting; {hint}")


def _shown(value: object) -> str:
    """Return a value as a short text without control characters."""
    text = repr(value) if not isinstance(value, (dict, list)) else f"a {type(value).__name__}"
    return _plain(text if len(text) <= 40 else text[:39] + "…")


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)[:200]
