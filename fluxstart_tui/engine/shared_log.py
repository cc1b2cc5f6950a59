"""The log of embedded brokers: a file in memory that all of them inherit and append to.

flux-broker is asked for its log (hearing.py). Dozens that are asked at once, while they still boot,
take longer to answer than to write their records where we read them; and what has been written is
there however short the life of a broker is.
"""

from __future__ import annotations

import fcntl
import os

_CHUNK = 1 << 20

_SEEN_MAX = 16 << 20
"""Bytes that have been read after which their memory is given back."""


class SharedLog:
    """Records come as lines, one write each (broker/log.py); empty lines mean nothing.

    Raises:
        OSError: it can not be made.
    """

    def __init__(self) -> None:
        self.fd = os.memfd_create("log", os.MFD_CLOEXEC)
        """What brokers inherit."""
        # One after the other, wherever somebody else is writing (open(2)).
        fcntl.fcntl(self.fd, fcntl.F_SETFL, os.O_APPEND)
        self._at = self._freed = 0
        self._rest = b""

    def read(self) -> list[bytes]:
        """Return the lines that have come since, without their newlines."""
        end = os.fstat(self.fd).st_size  # who writes on is not waited for
        chunks = [self._rest]
        while self._at < end:
            chunk = os.pread(self.fd, min(end - self._at, _CHUNK), self._at)
            if not chunk:  # somebody has cut it
                break
            self._at += len(chunk)
            chunks.append(chunk)
        *lines, self._rest = b"".join(chunks).split(b"\n")
        if self._at - self._freed >= _SEEN_MAX:
            self._free()
        return lines

    def _free(self) -> None:
        """Give back the memory of what has been read; offsets stay as they are."""
        import mmap  # few logs get that long

        end = self._at - self._at % mmap.ALLOCATIONGRANULARITY
        try:
            with mmap.mmap(self.fd, end - self._freed, offset=self._freed) as seen:
                seen.madvise(mmap.MADV_REMOVE)
        except OSError:  # then it is kept
            pass
        self._freed = end

    def close(self) -> None:
        """Give all of it back, once nobody writes any more."""
        os.close(self.fd)
