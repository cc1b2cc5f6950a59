"""This host's network interfaces: whether what names one does (flux-core: libutil/ipaddr.c)."""

from __future__ import annotations

import fcntl
import struct
from _socket import AF_INET, SOCK_DGRAM, inet_pton, socket

from fluxstart_tui.broker.errors import BuiltinsError

_SIOCGIFCONF = 0x8912
_NAME_SIZE = 16
_ENTRY_SIZE = _NAME_SIZE + struct.calcsize("PPP" if struct.calcsize("P") == 8 else "PPPP")
"""Size of struct ifreq, whose largest part is struct ifmap."""

_IPV4_AT = _NAME_SIZE + 4
_IPV6_TABLE = "/proc/net/if_inet6"
_LINK_LOCAL = "fe8", "fe9", "fea", "feb"


def check(name: str) -> None:
    """Check that an interface of this name, or with an address in this IPv4 network, exists.

    Raises:
        BuiltinsError: there is none that has an address.
    """
    addresses = _ipv4()
    known = {one for one, _ in addresses} | _ipv6()
    network = _parse_network(name)
    if name not in known and not any(network is not None and _match(network, address)
                                     for _, address in addresses):  # fmt: skip
        raise BuiltinsError(f"could not find address associated with {name}")


def _ipv4() -> list[tuple[str, int]]:
    """Return names and addresses of interfaces; one can have several."""
    from array import array

    room = array("B", bytes(_ENTRY_SIZE * 1024))
    at, size = room.buffer_info()
    probe = socket(AF_INET, SOCK_DGRAM)
    try:
        answer = fcntl.ioctl(probe.fileno(), _SIOCGIFCONF, struct.pack("iP", size, at))
    finally:
        probe.close()
    used = struct.unpack_from("i", answer)[0]
    found = []
    for start in range(0, used, _ENTRY_SIZE):
        name = bytes(room[start : start + _NAME_SIZE]).partition(b"\0")[0]
        address = bytes(room[start + _IPV4_AT : start + _IPV4_AT + 4])
        found.append((name.decode(), int.from_bytes(address, "big")))
    return found


def _ipv6() -> set[str]:
    """Return the names of interfaces with an address that others can reach."""
    try:
        with open(_IPV6_TABLE, encoding="ascii") as lines:
            fields = [line.split() for line in lines]
    except OSError:
        return set()
    return {one[5] for one in fields if not one[0].startswith(_LINK_LOCAL)}


def _parse_network(text: str) -> tuple[int, int] | None:
    """Parse `A.B.C.D[/N]` into address and mask."""
    address, slash, bits = text.rpartition("/")
    if not slash:
        address, bits = text, "32"
    try:
        number = int.from_bytes(inet_pton(AF_INET, address), "big")
    except OSError:
        return None
    if not (bits.isascii() and bits.isdigit() and int(bits) <= 32):
        return None
    return number, (1 << 32) - (1 << (32 - int(bits)))


def _match(network: tuple[int, int], address: int) -> bool:
    number, mask = network
    return number & mask == address & mask
