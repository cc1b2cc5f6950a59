"""The last log records of one broker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fluxstart_tui.tui.broker_log import BrokerLog

if TYPE_CHECKING:
    from fluxstart_tui.tui.broker_log import Record
    from fluxstart_tui.tui.model import Model

_COUNT = 12
_BACK = 20_000
"""Records of all ranks among which those of one are looked for."""
_SLICE = 0.010
"""Seconds that reading on may take at once."""


class LastRecords:
    """The end of each broker's log until now.

    Args:
        model: the session.
    """

    def __init__(self, model: Model) -> None:
        start = model.header.get("start")
        self._model = model
        self._log = BrokerLog(
            model.spool,
            start if isinstance(start, str) else "",
            printed=model.header.get("mode") == "launcher",
        )
        self._key: object = None
        self._found: list[Record] = []

    def of(self, rank: int) -> list[Record]:
        """Return the last records of a rank, the oldest first."""
        log, replay = self._log, self._model.replay
        log.poll(time.monotonic() + _SLICE)
        now = replay.now() if replay is not None else None
        key = (len(log), rank, now)
        if key != self._key:
            self._key, found = key, []
            for at in range(len(log) - 1, max(-1, len(log) - 1 - _BACK), -1):
                if log.rank[at] == rank and (now is None or log.t[at] <= now):
                    found.append(at)
                    if len(found) == _COUNT:
                        break
            self._found = [log.decode(at) for at in reversed(found)]
        return self._found
