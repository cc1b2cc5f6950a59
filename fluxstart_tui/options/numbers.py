"""Numbers as C reads them."""

from __future__ import annotations

_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


def c_int(text: str) -> int | None:
    """Return what strtol(3) base 10 makes of a string, None if no C int holds all of it."""
    digits = text.lstrip(" \t\n\v\f\r")
    body = digits[1:] if digits[:1] in ("+", "-") else digits
    if not (body.isascii() and body.isdigit()) or len(body) > 4000:
        return None
    value = int(digits)
    return value if _INT_MIN <= value <= _INT_MAX else None
