"""Flux Standard Duration (RFC 23): `1.5h`, `100ms`, `30`, `infinity`.

The number is whatever C99 strtod(3) takes, as the RFC says and as flux-core's `libutil/fsd.c`
does it, so hexadecimal floats, leading blanks and even no number at all (0) are durations.
"""

from __future__ import annotations

from math import inf, isinf, isnan

_MULTIPLIERS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_BLANKS = " \t\n\v\f\r"
_DECIMAL = "0123456789"
_HEXADECIMAL = "0123456789abcdefABCDEF"


def parse(text: str) -> float:
    """Parse a duration.

    Args:
        text: A number with an optional unit `ms`, `s`, `m`, `h` or `d`; seconds without one.
            Infinity, or a number too large for a double, takes no unit.

    Returns:
        Seconds, `math.inf` for infinity.

    Raises:
        ValueError: If it is no duration, or negative.
    """
    number, end = _strtod(text)
    unit = text[end:]
    if number < 0 or unit not in _MULTIPLIERS or (unit and isinf(number)):
        raise ValueError(f"invalid duration {text!r}")
    return number * _MULTIPLIERS[unit]


def format(seconds: float) -> str:  # noqa: A001 - read as fsd.format
    """Format a duration in the largest unit that fits it, with 6 significant digits.

    Args:
        seconds: The duration; may be infinite.

    Returns:
        A string that `parse` takes, such as `1.5h`, `62.1ms`, `0s` or `infinity`.

    Raises:
        ValueError: If it is negative or not a number.
    """
    if isnan(seconds) or seconds < 0:
        raise ValueError(f"invalid duration {seconds}")
    if isinf(seconds):
        return "infinity"
    # seconds are preferred to milliseconds until they would need an exponent or leading zeros
    if seconds < 0.1 and seconds != 0:
        return f"{seconds * 1000:.6g}ms"
    for limit, unit in ((60, "s"), (3600, "m"), (86400, "h")):
        if seconds < limit:
            return f"{seconds / _MULTIPLIERS[unit]:.6g}{unit}"
    return f"{seconds / 86400:.6g}d"


def _strtod(text: str) -> tuple[float, int]:
    """Read a number as strtod(3) does in the C locale.

    float() cannot do it: it wants the whole string, and takes `1_000` and non-ASCII digits.

    Returns:
        The number and the index after it; (0.0, 0) if there is none, which is so for NaN too.
    """
    start = len(text) - len(text.lstrip(_BLANKS))
    body = start + (text[start : start + 1] in ("+", "-"))
    for word in ("infinity", "inf"):
        end = body + len(word)
        if text[body:end].lower() == word:
            return (-inf if text[start] == "-" else inf), end
    if text[body : body + 2] in ("0x", "0X"):
        end = _scan(text, body + 2, _HEXADECIMAL, "pP")
        if end > body + 2:
            try:
                return float.fromhex(text[start:end]), end
            except OverflowError:
                return (-inf if text[start] == "-" else inf), end
    end = _scan(text, body, _DECIMAL, "eE")
    return (float(text[start:end]), end) if end > body else (0.0, 0)


def _scan(text: str, start: int, digits: str, exponent: str) -> int:
    """Find the end of digits with an optional point and exponent; `start` if there are no digits.

    An exponent without digits does not belong to the number: `1em` is 1 followed by `em`.
    """
    end = _skip(text, start, digits)
    count = end - start
    if text[end : end + 1] == ".":
        fraction = _skip(text, end + 1, digits)
        count += fraction - end - 1
        end = fraction
    if not count:
        return start
    if end < len(text) and text[end] in exponent:
        power = end + 1 + (text[end + 1 : end + 2] in ("+", "-"))
        after = _skip(text, power, _DECIMAL)
        if after > power:
            end = after
    return end


def _skip(text: str, start: int, digits: str) -> int:
    """Find the end of a run of digits."""
    end = start
    while end < len(text) and text[end] in digits:
        end += 1
    return end
