"""What one types to filter rows: `name:value` words, and the rest, a regular expression."""

from __future__ import annotations

import re

from fluxstart_tui.rfc import idset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


class FilterError(ValueError):
    """What was typed is no filter; the text says why."""


def split(text: str, names: Collection[str]) -> tuple[dict[str, str], str]:
    """Split a filter into the values of names and the rest; a name may be cut short.

    Raises:
        FilterError: a word begins with what could be several names.
    """
    values: dict[str, str] = {}
    rest: list[str] = []
    for word in text.split(" "):
        name, colon, value = word.partition(":")
        found = [one for one in names if name and one.startswith(name)] if colon else []
        if len(found) > 1 and name not in found:
            raise FilterError(f"{name}: could be {' or '.join(found)}")
        if found:
            values[name if name in found else found[0]] = value
        else:
            rest.append(word)
    return values, " ".join(rest).strip()


def ranks(text: str) -> frozenset[int]:
    """Return the ranks of an idset.

    Raises:
        FilterError: it is none.
    """
    try:
        runs = idset.decode_ranges(text)
        if runs and runs[-1][1] >= 1 << 20:
            raise ValueError
        return frozenset(rank for first, last in runs for rank in range(first, last + 1))
    except ValueError:
        raise FilterError(f"{text!r} is no set of ranks such as 0-3,7") from None


def regex(text: str) -> re.Pattern[str]:
    """Return a regular expression; lower case finds both.

    Raises:
        FilterError: it is none.
    """
    try:
        return re.compile(text, re.IGNORECASE if text == text.lower() else 0)
    except re.error as error:
        raise FilterError(f"{text!r} is no regular expression: {error}") from None


def regex_or_text(text: str) -> re.Pattern[str]:
    """Return a regular expression, or, if it is none, one for the text as it is."""
    try:
        return regex(text)
    except FilterError:
        return regex(re.escape(text))


def bytes_regex(text: str) -> re.Pattern[bytes]:
    """Return the same for bytes.

    Raises:
        FilterError: it is none.
    """
    flags = re.IGNORECASE if text == text.lower() else 0
    try:
        return re.compile(text.encode("utf-8", "surrogateescape"), flags)
    except re.error as error:
        raise FilterError(f"{text!r} is no regular expression: {error}") from None
