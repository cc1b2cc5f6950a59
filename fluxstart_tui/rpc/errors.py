"""Why an RPC fails."""

from __future__ import annotations

import os


class RpcError(Exception):
    """An RPC has failed; raised by services, and by clients as they are told.

    Args:
        errnum: the errno that the response carries (RFC 6).
        text: what says more than the errno; sent along.
    """

    def __init__(self, errnum: int, text: str | None = None) -> None:
        super().__init__(text or _words(errnum))
        self.errnum = errnum
        self.text = text


def _words(errnum: int) -> str:
    try:
        return os.strerror(errnum)
    except OverflowError:  # a peer may send any 32 bits
        return f"error {errnum}"
