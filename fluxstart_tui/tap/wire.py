"""What is said over a PMI connection, cut into messages, and mended where two sides disagree.

PMI-1 (RFC 13) is lines. PMI-2 begins as PMI-1, and goes on in messages with six digits of length
before each once both sides have said `pmi_version=2` (MPICH: src/pmi/src/pmi_wire.c).
"""

from __future__ import annotations

_LENGTH = 6
_LONGEST = 1 << 20
"""Bytes after which a message is shown in parts, whatever it may be."""


class Wire:
    """One direction of a conversation: bytes in, whole messages out.

    Attributes:
        framed: whether messages come with their length (PMI-2).
    """

    def __init__(self) -> None:
        self.framed = False
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are complete now, without newlines and lengths."""
        data = self._rest + data
        found: list[bytes] = []
        while (end := self._end(data)) >= 0:
            message = data[_LENGTH:end] if self.framed else data[: end - 1]
            found.append(message)
            data = data[end:]
        if len(data) > _LONGEST:
            found.append(data)
            data = b""
        self._rest = data
        return found

    def _end(self, data: bytes) -> int:
        """Return where the first message ends, -1 if it is not complete."""
        if not self.framed:
            return data.find(b"\n") + 1 or -1
        if len(data) < _LENGTH:
            return -1
        digits = data[:_LENGTH].strip()
        if not digits.isdigit():  # no PMI-2 after all
            self.framed = False
            return self._end(data)
        end = _LENGTH + int(digits)
        return end if end <= len(data) else -1

    def rest(self) -> bytes:
        """Return what was said of a message that never was completed."""
        return self._rest


class Bridge:
    """Mends a server's answers for flux-broker, which wants PMI 1.1 exactly.

    MPICH 5's Hydra answers `pmi_version=1 pmi_subversion=2` to who asks for 1.1, and flux-core's
    simple client refuses that (flux-core: common/libpmi/simple_client.c) though nothing else
    differs.
    """

    _ANSWER = b"cmd=response_to_init "

    def __init__(self) -> None:
        self._answered = False
        self._rest = b""

    def mend(self, data: bytes) -> bytes:
        """Return what is to be passed on to the broker; a part of a line waits for the rest."""
        if self._answered:
            return data
        head, newline, tail = (self._rest + data).partition(b"\n")
        if not newline:
            self._rest = head
            return b""
        self._answered = True
        self._rest = b""
        words = head.split(b" ")
        if head.startswith(self._ANSWER) and b"pmi_version=1" in words:
            words = [b"pmi_subversion=1" if w.startswith(b"pmi_subversion=") else w for w in words]
        return b" ".join(words) + newline + tail

    def rest(self) -> bytes:
        """Return what still waits, when no more will come."""
        rest, self._rest = self._rest, b""
        return rest


def printable(message: bytes) -> str:
    """Return a message as one line of text that any terminal and file can take."""
    text = message.decode("latin-1")
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text)
