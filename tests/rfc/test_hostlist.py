"""Hostlists (RFC 29)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.rfc import hostlist

RFC_VECTORS = [
    ("", ""),
    ("foox,fooy,fooz", "foox fooy fooz"),
    ("[1-3,5-6]", "1 2 3 5 6"),
    ("foo[1-5]", "foo1 foo2 foo3 foo4 foo5"),
    ("foo[0-4]-eth2", "foo0-eth2 foo1-eth2 foo2-eth2 foo3-eth2 foo4-eth2"),
    ("foo1,foo1,foo1", "foo1 foo1 foo1"),
    ("[00-02]", "00 01 02"),
    ("[00-2]", "00 01 02"),
    ("foo[1,1,2,1]", "foo1 foo1 foo2 foo1"),
]

# compared with flux-core's hostlist_decode
FLUX_QUIRKS = [
    (",a,,b,", "a b"),
    (" a\tb ,c ", "a b c"),
    (", ", ""),
    ("a[005,4]", "a005 a4"),
    ("a[08-11]", "a08 a09 a10 a11"),
    ("a[ 1]", "a01"),
    ("a[1-]", "a1"),
    ("a[1, 2]", "a1 a02"),
    ("a[1x-2]", "a01 a02"),
    ("a[1-2]-[3]", "a1-[3] a2-[3]"),
    ("a0[1-2]", "a01 a02"),
    ("a[1,3][2]", "a1[2] a3[2]"),
    ("a\nb", "a\nb"),
]

MALFORMED = [
    *("a[0-1", "a]", "a[]", "a[1,]", "a[,1]", "a[1[2]3]", "[[1]]", "a[x]", "a[1x]", "a[-1]", "["),
    *("a[1--2]", "a[1-2-3]", "a[3-1]", "a[1 ]", "a[1- -2]", "]a[", "a[1-x]", "a],b", "a[ ]"),
]


@pytest.mark.parametrize(("text", "hosts"), [*RFC_VECTORS, *FLUX_QUIRKS])
def test_decode(text: str, hosts: str) -> None:
    """The RFC's vectors and odd inputs give the hosts that flux-core gives."""
    assert hostlist.decode(text) == (hosts.split(" ") if hosts else [])


@pytest.mark.parametrize("text", MALFORMED)
def test_decode_refuses_malformed(text: str) -> None:
    """Unbalanced brackets and bad ranges are refused in one line."""
    with pytest.raises(ValueError, match=r"\A(unmatched bracket in|invalid range) .*\Z"):
        hostlist.decode(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a[0-999999999999]", "more than 1048576 hosts"),
        ("a[0-1048576]", "more than 1048576 hosts"),
        ("a[0-1048575],b", "more than 1048576 hosts"),
        ("a[0-1048575,5]", "more than 1048576 hosts"),
        ("a[0-99999999999999999999]", "invalid range '0-99999999999999999999'"),
        ("a99999999999999999999", "number too large in 'a99999999999999999999'"),
        ("a" * 271, "host name longer than 270 characters"),
        (f"{'a' * 270}[1]", "host name longer than 270 characters"),
        (f"a[{'0' * 5000}1]", "host name longer than 270 characters"),
        (f"a[{'1,' * 10240}1]", "more than 10240 ranges in brackets"),
    ],
)
def test_decode_refuses_hostile_sizes(text: str, reason: str) -> None:
    """A few characters cannot ask for gigabytes of host names."""
    with pytest.raises(ValueError) as caught:
        hostlist.decode(text)
    assert str(caught.value) == reason


# compared with flux-core's hostlist_append and hostlist_encode
@pytest.mark.parametrize(
    ("hosts", "text"),
    [
        ("", ""),
        ("fake0 fake1 fake2", "fake[0-2]"),
        ("fake0", "fake0"),
        ("a1 a2 a3 a5", "a[1-3,5]"),
        ("a2 a1", "a[2,1]"),
        ("a1 a1", "a[1,1]"),
        ("a1 b1 a2", "a1,b1,a2"),
        ("a1 a2 b1 b2", "a[1-2],b[1-2]"),
        ("a a", "a,a"),
        ("a a1 a2", "a,a[1-2]"),
        ("a08 a09 a10 a11", "a[08-11]"),
        ("a9 a10", "a[9-10]"),
        ("a09 a010", "a[09,010]"),
        ("a1 a02", "a[1,02]"),
        ("1 2 3", "[1-3]"),
        ("foo0-eth2 foo1-eth2", "foo0-eth2,foo1-eth2"),
    ],
)
def test_encode(hosts: str, text: str) -> None:
    """Consecutive numbers become ranges in place, with order and zero padding kept."""
    assert hostlist.encode(hosts.split()) == text


@pytest.mark.parametrize("host", ["", "a,b", "a b", "a\tb", "a[1]", "a]", "a99999999999999999999"])
def test_encode_refuses(host: str) -> None:
    """A name that would decode to something else is not encoded."""
    with pytest.raises(ValueError, match=r"not a host name|number too large"):
        hostlist.encode([host])


_names = st.one_of(
    st.from_regex(r"\A(a|b-|n1x)?[0-9]{1,3}\Z"),
    st.text(st.characters(min_codepoint=0x21, exclude_characters=",[]"), min_size=1, max_size=12),
)


@given(st.lists(_names))
def test_round_trip(hosts: list[str]) -> None:
    """Any list of names survives encoding and decoding, in order and to the letter."""
    assert hostlist.decode(hostlist.encode(hosts)) == hosts


@given(st.from_regex(r"\A[ab]?\Z"), st.integers(0, 5000), st.integers(0, 5000), st.integers(1, 6))
def test_range_round_trip(prefix: str, first: int, count: int, width: int) -> None:
    """Any run of padded numbers is one range and decodes to itself."""
    hosts = [f"{prefix}{n:0{width}d}" for n in range(first, first + count)]
    text = hostlist.encode(hosts)
    assert text.count(",") == 0
    assert hostlist.decode(text) == hosts


@given(st.text("ab019-,[] \tx", max_size=14))
def test_decode_never_fails_otherwise(text: str) -> None:
    """Whatever the input, the outcome is a list of non-empty names or a ValueError."""
    try:
        hosts = hostlist.decode(text)
    except ValueError:
        return
    assert all(hosts)
