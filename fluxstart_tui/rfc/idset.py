"""Idset strings (RFC 22): sets of non-negative integers such as `0-2,5` or `[0-2,5]`.

Decoding is as forgiving as flux-core's `libidset/idset_decode.c` (empty elements are skipped) and
as strict (ascending order, no leading zeros, no blanks, no `1-1`), with its error texts.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ID_MAX = 0x7FFFFFFF
"""Largest id; flux-core's sets live in a universe of 2^31 ids (IDSET_MAX_UNIVERSE)."""

COUNT_MAX = 1 << 20
"""Most ids `decode` will expand, so that a few characters cannot ask for gigabytes."""

BLANKS = " \t\n\v\f\r"
"""What isspace(3) accepts in the C locale."""

_DIGITS = "0123456789"
_ULONG_MAX = 0xFFFFFFFFFFFFFFFF


def encode(ids: Iterable[int]) -> str:
    """Encode ids as an idset string, consecutive ids compressed into ranges.

    Args:
        ids: Non-negative integers in any order; duplicates count once.

    Returns:
        The string without brackets, empty for no ids.

    Raises:
        ValueError: If an id is negative.
    """
    runs: list[list[int]] = []
    for i in sorted(set(ids)):
        if i < 0:
            raise ValueError(f"negative id {i}")
        if runs and runs[-1][1] == i - 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return ",".join(str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in runs)


def decode(text: str) -> frozenset[int]:
    """Decode an idset string.

    Args:
        text: The idset, with or without surrounding brackets; empty means no ids.

    Returns:
        The set of ids.

    Raises:
        ValueError: If the string is malformed, or names an id over `ID_MAX` or more than
            `COUNT_MAX` ids.
    """
    runs = decode_ranges(text)
    if sum(hi - lo + 1 for lo, hi in runs) > COUNT_MAX:
        raise ValueError(f"more than {COUNT_MAX} ids")
    return frozenset(i for lo, hi in runs for i in range(lo, hi + 1))


def decode_ranges(text: str) -> list[tuple[int, int]]:
    """Decode an idset string without expanding it, so the size of its ranges costs nothing.

    Args:
        text: The idset, as `decode` takes it.

    Returns:
        Inclusive ranges in ascending order, adjacent ones joined.

    Raises:
        ValueError: If the string is malformed or names an id over `ID_MAX`.
    """
    body = text[1:-1] if len(text) > 1 and text[0] == "[" and text[-1] == "]" else text
    if "[" in body or "]" in body:
        raise ValueError("mismatched or nested brackets")
    runs: list[tuple[int, int]] = []
    for element in filter(None, body.split(",")):
        first, dash, last = element.partition("-")
        lo = _decode_id(first)
        hi = _decode_id(last) if dash else lo
        if lo is None or hi is None or (dash and hi <= lo):
            raise ValueError(f"error parsing range '{element}'")
        if runs and lo <= runs[-1][1]:
            raise ValueError(f"range '{element}' is out of order")
        if runs and lo == runs[-1][1] + 1:
            lo = runs.pop()[0]
        runs.append((lo, hi))
    if runs and runs[-1][1] > ID_MAX:
        raise ValueError("set universe size would exceed maximum")
    return runs


def strtoul(text: str) -> tuple[int, int]:
    """Read a decimal number as the C library does: blanks, a sign, digits, then anything.

    The decoders of RFC 29 and RFC 34 accept what that function accepts.

    Args:
        text: The characters to read from.

    Returns:
        The number and the index after it; (0, 0) if there is none. A number beyond an unsigned
        long is returned as some number beyond it.
    """
    start = len(text) - len(text.lstrip(BLANKS))
    negative = text[start : start + 1] == "-"
    if negative or text[start : start + 1] == "+":
        start += 1
    digits = text[start : len(text) - len(text[start:].lstrip(_DIGITS))]
    if not digits:
        return 0, 0
    significant = digits.lstrip("0")
    # int() refuses thousands of digits with a message of its own
    number = int(significant or "0") if len(significant) <= 20 else _ULONG_MAX + 1
    return (-number if negative else number), start + len(digits)


def _decode_id(text: str) -> int | None:
    """Decode one id, or None if it is not one in the form of RFC 22."""
    number, end = strtoul(text)
    if not end or end < len(text) or text[0] not in _DIGITS or number > _ULONG_MAX:
        return None
    return None if text[0] == "0" and end > 1 else number
