"""Run directories that a launch's brokers on this host have made, each its own.

A broker removes its own when it ends; one that is killed can not.
"""

from __future__ import annotations

import os
import re

from fluxstart_tui.engine import rundir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LISTENING = b"00010000"
"""The flag of a listening socket in /proc/net/unix (__SO_ACCEPTCON)."""
_MADE = re.compile(r"flux-[A-Za-z0-9]{6}")
"""Name of what a broker has made for itself (flux-core: broker/rundir.c): others are not ours."""


class BrokerRundirs:
    """Finds them by the sockets in them while brokers live, and removes what is left of them.

    Args:
        announce: told of each, so that it is removed as well if we can not.
    """

    def __init__(self, announce: Callable[[rundir.Claim], None]) -> None:
        self._announce = announce
        self._claims: dict[int, rundir.Claim] = {}

    def note(self, pids: Iterable[int]) -> None:
        """Note those of brokers, by their pids, that have one by now."""
        unknown = [pid for pid in pids if pid not in self._claims]
        if not unknown:
            return
        connectors = _connectors()
        for pid in unknown:
            path = _held(pid, connectors)
            if path is None or not _MADE.fullmatch(os.path.basename(path)):
                continue
            try:
                claim = rundir.claim(path)
            except OSError:  # it is gone again
                continue
            self._claims[pid] = claim
            self._announce(claim)

    def remove(self) -> None:
        """Remove what is left of them, once their brokers have ended."""
        for claim in self._claims.values():
            rundir.remove(claim)


def _connectors() -> dict[str, str]:
    """Return the directories of all sockets on which local brokers listen, by their inodes."""
    found = {}
    try:
        with open("/proc/net/unix", "rb") as file:
            for line in file:
                fields = line.rstrip(b"\n").split(None, 7)
                if len(fields) == 8 and fields[3] == _LISTENING:
                    folder, _, name = os.fsdecode(fields[7]).rpartition("/")
                    if name.startswith("local-") and os.path.isabs(folder):
                        found[f"socket:[{os.fsdecode(fields[6])}]"] = folder
    except OSError:
        pass
    return found


def _held(pid: int, connectors: dict[str, str]) -> str | None:
    """Return the directory of the socket on which a process listens."""
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return None
    for name in names:
        try:
            folder = connectors.get(os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:  # closed meanwhile
            continue
        if folder is not None:
            return folder
    return None
