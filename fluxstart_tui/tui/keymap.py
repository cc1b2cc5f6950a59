"""Which keys do what: as the views have it, as the user wants it, and how keys are written."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from textual.binding import BindingsMap
from textual.keys import KEY_NAME_REPLACEMENTS, REPLACED_KEYS, Keys, key_to_character

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from textual.app import App

_PLACE = re.compile(r"\{([a-z]+\.[a-z-]+)(\+?)\}")
_MODIFIERS = frozenset(("ctrl", "shift", "alt", "meta", "super", "hyper"))
_NAMED = frozenset(key.value for key in Keys)
_WRITTEN = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn",
    "home": "Home", "end": "End", "enter": "Enter", "escape": "Esc", "tab": "Tab",
    "space": "space", "backspace": "Backspace", "delete": "Del", "insert": "Ins",
}  # fmt: skip


def normal(key: str) -> str:
    """Return a key as Textual names it: `?` is question_mark, `ctrl+]` ctrl+right_square_bracket.

    Raises:
        ValueError: there is no such key.
    """
    *modifiers, name = key.split("+") if len(key) > 1 and key[-1] != "+" else [key]
    if len(name) == 1 and name.isprintable() and not name.isspace():
        if name.isalpha() and "shift" in modifiers:
            modifiers.remove("shift")
            name = name.upper()
        if not name.isalnum():
            name = unicodedata.name(name, name).lower().replace("-", "_").replace(" ", "_")
            name = KEY_NAME_REPLACEMENTS.get(name, name)
    elif not re.fullmatch("[a-z0-9_]+", name) or not (name in _NAMED or _character(name)):
        raise ValueError(key)
    if len(set(modifiers) & _MODIFIERS) < len(modifiers):
        raise ValueError(key)
    return "+".join([*modifiers, name])


def _character(name: str) -> str | None:
    return key_to_character(REPLACED_KEYS.get(name, name))


def plain(key: str) -> str:
    """Return a key as one types it in a file: `question_mark` is ?; `normal` takes it back."""
    *modifiers, name = key.split("+")
    char = _character(name) or ""
    return "+".join([*modifiers, char if char.isprintable() and char.strip() else name])


def written(key: str) -> str:
    """Return a key as one reads it: as in a file, but `up` is ↑ and `escape` is Esc."""
    *modifiers, name = plain(key).split("+") if not key.endswith("plus") else [plain(key)]
    return "+".join([*modifiers, _WRITTEN.get(name, name)])


def _contexts() -> dict[str, list[type[Any]]]:
    """Return for each view or screen what has keys while it is shown, itself first."""
    from fluxstart_tui.tui.app import VIEWS, FluxApp
    from fluxstart_tui.tui.screens.finding import FindingScreen

    found: dict[str, list[type[Any]]] = {
        name: [view, *view.PARTS, FluxApp] for name, view in VIEWS.items()
    }
    found["finding"] = [FindingScreen]
    return found


def _bindings(owner: type[Any]) -> dict[str, list[str]]:
    """Return the keys of each action of a class; subclasses have a key before their bases."""
    ids: dict[str, str] = {}
    for one in reversed(owner.__mro__):
        for key, bindings in BindingsMap(one.__dict__.get("BINDINGS", ())).key_to_bindings.items():
            ids.pop(key, None)  # it comes where the subclass has it
            ids[key] = bindings[-1].id or ""
    found: dict[str, list[str]] = {}
    for key, name in ids.items():
        if name:
            found.setdefault(name, []).append(key)
    return found


@cache
def defaults() -> dict[str, tuple[str, ...]]:
    """Return the keys of every action of the app and of every view, by its id."""
    found: dict[str, tuple[str, ...]] = {}
    for owners in _contexts().values():
        for owner in owners:
            for name, keys in _bindings(owner).items():
                if len(keys) > len(found.get(name, ())):
                    found[name] = tuple(keys)
    return found


class Keymap:
    """The keys of all actions.

    Args:
        changed: keys that are others than the defaults, in their normal form, by action.
    """

    def __init__(self, changed: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.changed = dict(changed or {})
        self._texts: dict[str, str] = {}

    def keys(self, action: str) -> tuple[str, ...]:
        """Return the keys of an action."""
        return self.changed.get(action) or defaults()[action]

    def text(self, template: str) -> str:
        """Put keys into a text: `{output.wrap}` is the first key of that action, with + all."""
        found = self._texts.get(template)
        if found is None:
            found = self._texts[template] = _PLACE.sub(self._label, template)
        return found

    def told(self, template: str) -> set[str]:
        """Return the keys that `text` puts into a text, as Textual names them."""
        found = ((self.keys(one[1]), one[2]) for one in _PLACE.finditer(template))
        return {key for keys, every in found for key in (keys if every else keys[:1])}

    def _label(self, match: re.Match[str]) -> str:
        keys = self.keys(match[1])
        return ", ".join(map(written, keys if match[2] else keys[:1]))

    def for_textual(self) -> dict[str, str]:
        """Return what App.set_keymap takes."""
        return {action: ",".join(keys) for action, keys in self.changed.items()}

    def clashes(self) -> Iterator[tuple[str, str, str]]:
        """Yield actions that were given a key which another one has in the same view.

        Yields:
            The action that was changed, the key, and the other action.
        """
        known = defaults()
        for owners in _contexts().values():
            actions = list(dict.fromkeys(name for one in owners for name in _bindings(one)))
            for at, action in enumerate(actions):
                for other in actions[:at]:
                    for key in set(self.keys(action)) & set(self.keys(other)):
                        if key not in known[action]:
                            yield action, key, other
                        elif key not in known[other]:
                            yield other, key, action


_DEFAULT = Keymap()


def of(app: App[Any]) -> Keymap:
    """Return the keys of an app."""
    return getattr(app, "keymap", _DEFAULT)


def first(template: str) -> str:
    """Return the first action that a text has the key of, "" if it has none."""
    match = _PLACE.search(template)
    return match[1] if match else ""
