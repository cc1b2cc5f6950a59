"""HTML that is safe by construction: what is not markup of our own is escaped."""

from __future__ import annotations

import html
import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_UNSAFE = re.compile(r"[<>&\u2028\u2029\x7f-\x9f]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""What may not stand in HTML, not even as a reference."""


class Markup(str):
    """HTML; any other string is text."""

    __slots__ = ()

    def __add__(self, other: str) -> Markup:
        return join((self, other))


def text(value: object) -> Markup:
    """Return anything as markup; a string that is not Markup is escaped."""
    if isinstance(value, Markup):
        return value
    plain = _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", str(value))
    return Markup(html.escape(plain))


def join(parts: Iterable[object], between: str = "") -> Markup:
    """Return parts one after the other."""
    return Markup(text(between).join(map(text, parts)))


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """Return an element.

    Args:
        name: the element's.
        children: markup or text.
        attributes: `class_`, `aria_label`...: an underscore stands for a hyphen, one at the end
            for nothing. None and False are left out, True has no value.
    """
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{text(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    start = f"<{name}{given}>"
    if name in ("br", "input", "meta", "col"):
        return Markup(start)
    return Markup(f"{start}{join(children)}</{name}>")


def table(caption: str, head: Sequence[object], rows: Iterable[Sequence[object]]) -> Markup:
    """Return a table that can be scrolled sideways; the first column heads its rows."""
    body = [
        tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:]))
        for row in rows
    ]
    columns = tag("tr", *(tag("th", name, scope="col") for name in head))
    inner = tag("table", tag("caption", caption), tag("thead", columns), tag("tbody", *body))
    return tag("div", inner, class_="wide", tabindex="0", role="region", aria_label=caption)


def pairs(items: Iterable[tuple[str, object]]) -> Markup:
    """Return names with what they stand for; those without a name or a value are left out."""
    shown = [
        tag("div", tag("dt", name), tag("dd", value)) for name, value in items if name and value
    ]
    return tag("dl", *shown)


def data(name: str, value: object) -> Markup:
    """Return data for the script: JSON in which nothing ends the element or a line."""
    encoded = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    safe = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded)
    return tag("script", Markup(safe), type="application/json", id=name)
