"""The last lines of ranks, read seldom and only for those that are looked at."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from textual.strip import Strip

from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.tui.ansi import paint
from fluxstart_tui.tui.lines_block import LAUNCHER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style

    from fluxstart_tui.session.output_tail import Line
    from fluxstart_tui.tui.ansi import Painted
    from fluxstart_tui.tui.model import Model

_TTY = STREAMS.index("tty")
_AGE = 0.5
"""Seconds for which lines that were read are good."""
_PATIENCE = 0.008
"""Seconds of a frame that reading may take."""
_PAST = 3000
"""Lines that are searched in a replay's past."""
_CUT = 1000
"""Bytes of a line that are looked at."""


class Tail(NamedTuple):
    """The last lines of a rank."""

    lines: tuple[tuple[int, Painted], ...]
    """Stream and line of each, oldest first."""


_NONE = Tail(())


def segments(line: Painted, width: int, base: Style) -> list[Segment]:
    """Return a line as exactly `width` cells, with … where it was cut."""
    strip = Strip(line.segments(base), line.width)
    if line.width > width:
        strip = Strip([*strip.crop(0, width - 1), Segment("…", base)])
    return list(strip.adjust_cell_length(width, base))


class Tails:
    """Keeps last lines by rank.

    Args:
        model: the session.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._kept: dict[int, tuple[float, object, int, Tail]] = {}
        self._past: object = None

    def get(self, rank: int) -> Tail:
        """Return what was read of a rank last."""
        return self._kept[rank][3] if rank in self._kept else _NONE

    def update(self, ranks: Iterable[int], lines: int) -> bool:
        """Read what is out of date, some now and the rest the next times; tell whether all is new.

        Args:
            ranks: who is looked at.
            lines: how many lines are wanted of each.
        """
        model = self._model
        now = time.monotonic()
        replay = model.replay
        if replay is not None and model.now < replay.end:
            self._read_past(frozenset(ranks), lines)
            return True
        # A version that has not changed has no new lines, a session that has ended neither.
        stamp: object = "end" if model.ended and not model.lines.behind else model.version
        stale = []
        for rank in ranks:
            kept = self._kept.get(rank)
            if kept is None or kept[2] < lines:
                stale.append((0.0, rank))
            elif kept[1] != stamp and now - kept[0] >= _AGE:
                stale.append((kept[0], rank))
        for _, rank in sorted(stale):
            tail = _painted(model.spool.tail(rank, lines))
            self._kept[rank] = (time.monotonic(), stamp, lines, tail)
            if time.monotonic() - now > _PATIENCE:
                return False
        return True

    def _read_past(self, ranks: frozenset[int], lines: int) -> None:
        """Collect the last lines of all ranks before the present of a replay in one pass."""
        store = self._model.lines
        total = len(store)
        on_terminals = ranks.intersection(self._model.terminals)
        key = (total, ranks, lines, self._model.now if on_terminals else None)
        if key == self._past:
            return
        self._past = key
        found: dict[int, list[tuple[int, Painted]]] = {rank: [] for rank in ranks}
        missing = len(found)
        for number in range(total - 1, max(-1, total - _PAST), -1):
            line = store.line(number)
            its = found.get(line.rank)
            if its is not None and len(its) < lines and line.stream != LAUNCHER:
                its.append((line.stream, paint(line.data[:_CUT])))
                missing -= len(its) == lines
                if not missing:
                    break
        for rank, its in found.items():
            self._kept[rank] = (0.0, None, 0, Tail(tuple(reversed(its))))
        for rank in on_terminals:  # what is on them is no lines of the store's
            tail = self._model.spool.tail(rank, lines, (_TTY,), self._model.now)
            if tail:
                self._kept[rank] = (0.0, None, 0, _painted(tail))


def _painted(lines: Iterable[Line]) -> Tail:
    return Tail(tuple((line.stream, paint(line.data[:_CUT])) for line in lines))
