"""Idset strings (RFC 22)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.rfc import idset


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ([], ""),
        ([0], "0"),
        ([0, 1, 2, 5], "0-2,5"),
        ([1, 2, 3, 5, 6, 42], "1-3,5-6,42"),
        ([5, 0, 2, 1, 5], "0-2,5"),
        ([0, 2, 4], "0,2,4"),
        ([7, 8], "7-8"),
    ],
)
def test_encode(ids: list[int], text: str) -> None:
    """Ids come out sorted, once each, with consecutive ones as ranges."""
    assert idset.encode(ids) == text


def test_encode_refuses_negative_ids() -> None:
    """RFC 22 has no notation for a negative id, so encoding one is an error."""
    with pytest.raises(ValueError, match="negative id -1"):
        idset.encode([0, -1])


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", []),
        ("[]", []),
        (",", []),
        ("1,2,3,5,6,42", [1, 2, 3, 5, 6, 42]),
        ("[1-3,5-6,42]", [1, 2, 3, 5, 6, 42]),
        ("0-1,2-3", [0, 1, 2, 3]),
        (",1,,2,", [1, 2]),
        ("[7]", [7]),
        ("2147483647", [idset.ID_MAX]),
    ],
)
def test_decode(text: str, ids: list[int]) -> None:
    """The RFC's forms and the empty elements that flux-core skips are read."""
    assert idset.decode(text) == frozenset(ids)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x", "error parsing range 'x'"),
        ("01", "error parsing range '01'"),
        ("-1", "error parsing range '-1'"),
        ("+1", "error parsing range '+1'"),
        (" 1", "error parsing range ' 1'"),
        ("1 ", "error parsing range '1 '"),
        ("1-", "error parsing range '1-'"),
        ("1--2", "error parsing range '1--2'"),
        ("1-1", "error parsing range '1-1'"),
        ("3-1", "error parsing range '3-1'"),
        ("1-2-3", "error parsing range '1-2-3'"),
        ("1_0", "error parsing range '1_0'"),
        ("\u0663", "error parsing range '\u0663'"),
        ("9" * 5000, f"error parsing range '{'9' * 5000}'"),
        ("2,1", "range '1' is out of order"),
        ("1-3,3", "range '3' is out of order"),
        ("[1", "mismatched or nested brackets"),
        ("1]", "mismatched or nested brackets"),
        ("[[1]]", "mismatched or nested brackets"),
        ("[1],2", "mismatched or nested brackets"),
        ("2147483648", "set universe size would exceed maximum"),
        ("0-999999999999", "set universe size would exceed maximum"),
        ("0-2147483647", "more than 1048576 ids"),
    ],
)
def test_decode_refuses(text: str, reason: str) -> None:
    """Malformed, unordered and oversized idsets are refused with flux-core's reason."""
    with pytest.raises(ValueError) as caught:
        idset.decode(text)
    assert str(caught.value) == reason


def test_decode_ranges_does_not_expand() -> None:
    """The largest range is read as two numbers, adjacent ranges as one."""
    assert idset.decode_ranges("0-1,2-2147483647") == [(0, idset.ID_MAX)]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("12", (12, 2)),
        (" \t+007x", (7, 6)),
        ("-3,", (-3, 2)),
        ("", (0, 0)),
        ("  ", (0, 0)),
        ("+", (0, 0)),
        ("x1", (0, 0)),
        ("0" * 5000 + "1", (1, 5001)),
        ("18446744073709551616", (1 << 64, 20)),
    ],
)
def test_strtoul(text: str, result: tuple[int, int]) -> None:
    """Numbers are found and bounded where strtoul(3) finds and bounds them."""
    assert idset.strtoul(text) == result


@given(st.frozensets(st.integers(0, idset.ID_MAX)), st.booleans())
def test_round_trip(ids: frozenset[int], brackets: bool) -> None:
    """Any set survives encoding and decoding, with and without brackets."""
    text = idset.encode(ids)
    assert idset.decode(f"[{text}]" if brackets else text) == ids


@given(st.text("0123456789,-[] x", max_size=12))
def test_decode_never_fails_otherwise(text: str) -> None:
    """Whatever the input, the outcome is a set that encodes canonically or a ValueError."""
    try:
        ids = idset.decode(text)
    except ValueError:
        return
    assert idset.decode(idset.encode(ids)) == ids
