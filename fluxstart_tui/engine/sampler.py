"""Look now and then at what the brokers use: CPU, memory, threads, descriptors (proc(5))."""

from __future__ import annotations

import os

from fluxstart_tui.rfc import idset
from fluxstart_tui.session.events import Sample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.reactor import Reactor

_PERIOD = 1.0
_A_SECOND = 64
"""Brokers that are looked at in a second: more of them are looked at less often."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE") // 1024


class Sampler:
    """Records a sample of all running brokers now and every second, less often if they are many.

    Args:
        reactor: the engine's loop.
        record: takes the samples.
        pids: pids of the brokers that run, by rank; it is looked at each time.
    """

    def __init__(self, reactor: Reactor, record: Record, pids: Mapping[int, int]) -> None:
        self._reactor = reactor
        self._record = record
        self._pids = pids
        self._former: dict[int, tuple[float, int]] = {}
        self._sample()

    def close(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _sample(self) -> None:
        ranks, cpus, sizes, threads, files = [], [], [], [], []
        letters = ""
        for rank, pid in sorted(self._pids.items()):
            now = self._reactor.now()
            used = _usage(pid)
            if used is None:
                continue
            then, ticks = self._former.get(pid, (now, used[0]))
            self._former[pid] = now, used[0]
            spent = (used[0] - ticks) / _TICKS / (now - then) if now > then else 0.0
            ranks.append(rank)
            cpus.append(round(100 * spent, 1))
            sizes.append(used[1])
            threads.append(used[2])
            files.append(used[3])
            letters += used[4]
        if ranks:
            sample = Sample(idset.encode(ranks), cpus, sizes, threads, files, letters)
            self._record.event(sample)
        delay = max(_PERIOD, len(self._pids) / _A_SECOND)
        self._timer = self._reactor.call_later(delay, self._sample)


def _usage(pid: int) -> tuple[int, int, int, int, str] | None:
    """Return CPU in clock ticks, resident set in KiB, threads, descriptors, and state.

    None if it is gone.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            stat = file.read(1024)
        files = len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None
    fields = stat[stat.rfind(b")") + 2 :].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks, int(fields[21]) * _PAGE, int(fields[17]), files, fields[0].decode()
