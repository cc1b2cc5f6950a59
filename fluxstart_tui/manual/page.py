"""The manual page: `fluxstart-tui.1`, filled with options and verbs in the language of man(7)."""

from __future__ import annotations

import re
import textwrap

from fluxstart_tui import __version__
from fluxstart_tui.control_verbs import VERBS
from fluxstart_tui.manual import template
from fluxstart_tui.options.table import GROUPS, NONE, OPTIONAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.options.table import Option

_WIDTH = 70
"""Characters of a line of source before hyphens are escaped."""


def text() -> str:
    """Return the page."""
    page = template("fluxstart-tui.1").replace("@VERSION@", _escaped(__version__))
    page = page.replace("@OPTIONS@", "\n".join(_options()))
    return page.replace("@VERBS@", "\n".join(_verbs()))


def _options() -> Iterator[str]:
    for title, options in GROUPS:
        if title:
            yield f".SS {_escaped(title)}"
        for option in options:
            yield ".TP"
            yield _head(option)
            yield _sentence(option.usage)


def _head(option: Option) -> str:
    names = [f"-{option.key}"] if option.key else []
    head = ", ".join(rf"\fB{_escaped(name)}\fR" for name in (*names, f"--{option.name}"))
    if option.arg == NONE:
        return head
    value = _value(option.arginfo.strip("[]"))
    return head + (f"[={value}]" if option.arg == OPTIONAL else f"={value}")


def _verbs() -> Iterator[str]:
    for name, verb in VERBS.items():
        yield ".TP"
        yield rf"\fB{name}\fR {_value(verb.usage)}".rstrip()
        yield _sentence(verb.help)


def _value(name: str) -> str:
    """Return the name of a value: words in bold, what stands for something in italics."""
    return re.sub(
        r"[A-Z]+|[a-z][a-z-]*|-",
        lambda word: rf"\f{'I' if word[0].isupper() else 'B'}{_escaped(word[0])}\fR",
        name,
    )


def _sentence(text: str) -> str:
    whole = f"{text[0].upper()}{text[1:].removesuffix('.')}."
    return "\n".join(_escaped(line) for line in textwrap.wrap(whole, _WIDTH))


def _escaped(text: str) -> str:
    """Return text in which nothing is a command of roff's."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text
