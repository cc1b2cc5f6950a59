"""Hostlists (RFC 29): ordered lists of host names such as `fake[0-2,5],login`.

Decoding follows flux-core's `libhostlist/hostlist.c` where it goes beyond the RFC: blanks separate
hosts as commas do, empty elements are skipped, text after the first bracket pair is kept as it
is (`a[1]-[2]` is the host `a1-[2]`), and each element of a range list has its own zero padding
(`a[005,4]` is `a005,a4`, where the RFC says `a005,a004`).
"""

from __future__ import annotations

from .idset import strtoul

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOSTS_MAX = 1 << 20
"""Most hosts in a list; flux-core has this limit for each range, here it is for the whole."""

RANGES_MAX = 10240
"""Most elements between two brackets."""

NAME_MAX = 270
"""Longest host name that flux-core can hand out (hostrange.c: hostrange_host_tostring)."""

_SEPARATORS = ",\t "
_DIGITS = "0123456789"
_ULONG_MAX = 0xFFFFFFFFFFFFFFFF


def decode(text: str) -> list[str]:
    """Decode a hostlist.

    Args:
        text: The hostlist; empty means no hosts.

    Returns:
        The host names in order, duplicates kept.

    Raises:
        ValueError: If brackets do not match, a range is malformed, or a name or the list would
            be too long.
    """
    hosts: list[str] = []
    for token in _split(text):
        prefix, opened, rest = token.partition("[")
        ranges, closed, suffix = rest.partition("]")
        if opened:
            if not closed:
                raise ValueError(f"unmatched bracket in {token!r}")
            hosts += _expand(prefix, ranges, suffix, HOSTS_MAX - len(hosts))
        else:
            if "]" in token:
                raise ValueError(f"unmatched bracket in {token!r}")
            if len(hosts) == HOSTS_MAX:
                raise ValueError(f"more than {HOSTS_MAX} hosts")
            _split_number(token)
            hosts.append(token)
    return hosts


def encode(hosts: Sequence[str]) -> str:
    """Encode host names as a hostlist, consecutive numbers compressed into ranges.

    Args:
        hosts: Host names; order and duplicates are preserved.

    Returns:
        The hostlist, empty for no hosts.

    Raises:
        ValueError: If a name is empty, or holds a comma, bracket or blank, which no hostlist can
            express.
    """
    groups: list[tuple[str, list[_Range]]] = []
    before: str | None = None
    for host in hosts:
        if host == before:  # a thousand brokers on one host
            groups.append(groups[-1])
            continue
        if not host or any(c in ",[]\t " for c in host):
            raise ValueError(f"not a host name: {host!r}")
        prefix, digits = _split_number(host)
        ranges = groups[-1][1] if groups and groups[-1][0] == prefix else []
        # names without a number never share brackets
        if not digits or not ranges:
            groups.append((prefix, [_Range(digits)] if digits else []))
        elif not ranges[-1].extend(digits):
            ranges.append(_Range(digits))
        before = None if digits else host
    return ",".join([_format(prefix, ranges) if ranges else prefix for prefix, ranges in groups])


class _Range:
    """Consecutive numbers of equal prefix and padding."""

    __slots__ = ("hi", "lo", "width")

    def __init__(self, digits: str) -> None:
        self.lo = self.hi = int(digits)
        self.width = len(digits)

    def extend(self, digits: str) -> bool:
        """Take in the next number if it is consecutive and would be printed the same."""
        if f"{self.hi + 1:0{self.width}d}" != digits:
            return False
        self.hi += 1
        return True

    def __str__(self) -> str:
        lo = f"{self.lo:0{self.width}d}"
        return lo if self.lo == self.hi else f"{lo}-{self.hi:0{self.width}d}"


def _format(prefix: str, ranges: list[_Range]) -> str:
    """Write a prefix and its numbers, bracketed unless there is but one number."""
    body = ",".join(map(str, ranges))
    bracketed = len(ranges) > 1 or any(r.hi > r.lo for r in ranges)
    return f"{prefix}[{body}]" if bracketed else prefix + body


def _split(text: str) -> Iterator[str]:
    """Split at separators outside of brackets, dropping empty elements."""
    start = level = 0
    for i, c in enumerate(text):
        if c in _SEPARATORS and level == 0:
            if i > start:
                yield text[start:i]
            start = i + 1
        elif c == "[":
            level += 1
        elif c == "]":
            level -= 1
    if start < len(text):
        yield text[start:]


def _split_number(host: str) -> tuple[str, str]:
    """Split a host name into its prefix and the digits it ends with."""
    _check_length(len(host))
    prefix = host.rstrip(_DIGITS)
    digits = host[len(prefix) :]
    # flux-core drops such a host without a word, here it is an error
    if int(digits or "0") > _ULONG_MAX:
        raise ValueError(f"number too large in {host!r}")
    return prefix, digits


def _expand(prefix: str, ranges: str, suffix: str, limit: int) -> Iterator[str]:
    """Expand `prefix[ranges]suffix`, refusing more than `limit` names before making them."""
    elements = ranges.split(",")
    if len(elements) > RANGES_MAX:
        raise ValueError(f"more than {RANGES_MAX} ranges in brackets")
    for element in elements:
        lo, hi, width = _decode_range(element)
        _check_length(len(prefix) + max(width, len(str(hi))) + len(suffix))
        limit -= hi - lo + 1
        if limit < 0:
            raise ValueError(f"more than {HOSTS_MAX} hosts")
        for number in range(lo, hi + 1):
            yield f"{prefix}{number:0{width}d}{suffix}"


def _decode_range(element: str) -> tuple[int, int, int]:
    """Decode `N`, `N-` or `N-M` into both ends and the width to which numbers are padded.

    Blanks and signs that strtoul(3) skips count for the width, as in flux-core: `[ 1]` is `01`.
    """
    first, _, last = element.partition("-")
    lo, end = strtoul(first)
    hi, last_end = strtoul(last) if last else (lo, 0)
    # what follows the first number is only looked at when there is no second one
    junk = last_end != len(last) or (not last and end != len(first))
    if not end or junk or last.startswith("-") or not 0 <= lo <= hi <= _ULONG_MAX:
        raise ValueError(f"invalid range {element!r}")
    return lo, hi, len(first)


def _check_length(length: int) -> None:
    """Refuse names that flux-core would cut or lose."""
    if length > NAME_MAX:
        raise ValueError(f"host name longer than {NAME_MAX} characters")
