"""Flux Standard Duration (RFC 23)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.rfc import fsd

RFC_VECTORS = [
    ("2ms", 0.002),
    ("0.1s", 0.1),
    ("30", 30.0),
    ("1.2h", 4320.0),
    ("5m", 300.0),
    ("0s", 0.0),
    ("5d", 432000.0),
    ("inf", math.inf),
    ("INF", math.inf),
    ("infinity", math.inf),
]

# flux start --test-exit-timeout, capture misc.txt
ACCEPTED_BY_FLUX_START = [
    ("1", 1.0),
    ("1s", 1.0),
    ("1.5s", 1.5),
    ("100ms", 0.1),
    ("2m", 120.0),
    ("1h", 3600.0),
    ("1d", 86400.0),
    ("0", 0.0),
    ("-0", 0.0),
    ("Infinity", math.inf),
    ("", 0.0),
    (" 1s", 1.0),
    ("0x10", 16.0),
    ("0x10s", 16.0),
    ("1e2s", 100.0),
    ("1e-3", 0.001),
    (".5s", 0.5),
    ("5.", 5.0),
    ("+1s", 1.0),
    ("+inf", math.inf),
    ("1e400", math.inf),
]

# compared with flux-core's fsd_parse_duration
STRTOD_QUIRKS = [
    ("s", 0.0),
    ("ms", 0.0),
    ("\t\n\v\f\r1", 1.0),
    ("0x1p3", 8.0),
    ("0X.8P1s", 1.0),
    ("0x1.", 1.0),
    ("0x1d", 29.0),
    ("0x1p99999999999", math.inf),
    ("1e308d", math.inf),
    ("-0s", 0.0),
    ("1E+2", 100.0),
    ("5.m", 300.0),
]

REFUSED = [
    *(
        "infs",
        "nan",
        "-1",
        "-1s",
        "1 s",
        "1S",
        "1sec",
        "1us",
        "1w",
        "1y",
        "1ms1s",
        "1,5s",
        "1e400s",
    ),
    *(" ", " s", "+", "-", "+s", ".", ".s", "1e", "1em", "1e+", "0x", "0xs", "0x.p1", "0x1p", "1 "),
    *("1_000", "\u0663", "1m30s", "-inf", "infinit", "infinitys", "nan(1)", "0x1p99999s", "\x001"),
]


@pytest.mark.parametrize(
    ("text", "seconds"), [*RFC_VECTORS, *ACCEPTED_BY_FLUX_START, *STRTOD_QUIRKS]
)
def test_parse(text: str, seconds: float) -> None:
    """The RFC's vectors, what flux start was seen to accept, and strtod's corners are durations."""
    assert fsd.parse(text) == seconds


@pytest.mark.parametrize("text", REFUSED)
def test_parse_refuses(text: str) -> None:
    """What flux start refuses, and what only Python would take, is refused in one line."""
    with pytest.raises(ValueError, match=r"\Ainvalid duration .*\Z"):
        fsd.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (0.0000123, "0.0123ms"),
        (0.0621, "62.1ms"),
        (0.1, "0.1s"),
        (1.0, "1s"),
        (20.0, "20s"),
        (59.99999999, "60s"),
        (60.0, "1m"),
        (90.0, "1.5m"),
        (100.0, "1.66667m"),
        (3600.0, "1h"),
        (5400.0, "1.5h"),
        (86400.0, "1d"),
        (129600.0, "1.5d"),
        (1e12, "1.15741e+07d"),
        (math.inf, "infinity"),
    ],
)
def test_format(seconds: float, text: str) -> None:
    """Durations print in the unit of their size with 6 significant digits."""
    assert fsd.format(seconds) == text


@pytest.mark.parametrize("seconds", [-1.0, -math.inf, math.nan])
def test_format_refuses(seconds: float) -> None:
    """What cannot be a duration cannot be printed as one."""
    with pytest.raises(ValueError, match="invalid duration"):
        fsd.format(seconds)


@given(st.floats(0, allow_infinity=True))
def test_round_trip(seconds: float) -> None:
    """A printed duration parses to the same one within the digits printed."""
    # below the normal doubles fewer than 6 digits remain
    assert math.isclose(fsd.parse(fsd.format(seconds)), seconds, rel_tol=1e-5, abs_tol=1e-300)


@given(st.floats(0, allow_infinity=False), st.sampled_from(["", "s", "ms", "m", "h", "d"]))
def test_hexadecimal_floats_are_exact(seconds: float, unit: str) -> None:
    """A hexadecimal float carries a double without loss, whatever its unit."""
    assert fsd.parse(seconds.hex()) == seconds
    assert fsd.parse(f"{seconds.hex()}{unit}") == fsd.parse(f"{seconds!r}{unit}")


@given(st.text("0159.eExXpP+-smhdinfaty _", max_size=10))
def test_parse_never_fails_otherwise(text: str) -> None:
    """Whatever the input, the outcome is a duration that prints or a ValueError."""
    try:
        seconds = fsd.parse(text)
    except ValueError:
        return
    assert fsd.format(seconds)
