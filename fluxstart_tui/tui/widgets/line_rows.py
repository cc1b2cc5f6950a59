"""Rows that are lines of a store which may hold millions: filter and search go step by step."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING, Protocol

from fluxstart_tui.tui.widgets.source import Source

if TYPE_CHECKING:
    import re
    from array import array
    from collections.abc import Callable

    from fluxstart_tui.tui.model import Model

_STEP = 1024
"""Lines that are filtered or searched at once: a few milliseconds where they have to be read."""
_FIRST = 0.008
"""Seconds of a new filter or search before the first look at it; the rest goes between frames."""


class Store(Protocol):
    """Where lines come from (tui.pmi_trace.Trace, tui.broker_log.BrokerLog)."""

    t: array[float]

    def __len__(self) -> int: ...

    @property
    def progress(self) -> float:
        """How much has been read, from 0 to 1."""

    def poll(self, until: float) -> bool:
        """Read what is new, but not much longer than until a time."""

    def raws(self, lines: list[int]) -> list[bytes]:
        """Return what lines say."""


class LineSource(Source):
    """Rows of a store, those that pass a filter, up to the model's present.

    Args:
        model: whose clock says what is there already.
        store: the lines.
        sort: whether lines are in order of their times rather than of their coming.
    """

    can_follow = True

    def __init__(self, model: Model, store: Store, *, sort: bool) -> None:
        super().__init__()
        self.model = model
        self.store = store
        self._sort = sort
        self._test: Callable[[int], bool] | None = None
        self._text: re.Pattern[bytes] | None = None
        self._rows: list[int] | None = [] if sort else None  # None: all lines, as they are
        self._filtered = 0
        self._pattern: re.Pattern[bytes] | None = None
        self._hits: list[int] = []
        self._sought = 0
        self._count = 0
        self.follow = model.replay is None and not model.ended

    def filter(self, test: Callable[[int], bool] | None, text: re.Pattern[bytes] | None) -> None:
        """Show only lines of which a test holds and whose text matches.

        Args:
            test: given the number of a line.
            text: what its text must have somewhere.
        """
        here = self.line(self.cursor) if self._count else 0
        self._test, self._text = test, text
        self._rows = [] if self._sort or test or text else None
        self._filtered = self._sought = 0
        self._hits = []
        self.work(time.monotonic() + _FIRST)
        self._measure()
        self.cursor = self._row_of(here)
        self.top = max(0, self.cursor - 5)
        self.version += 1

    def _key(self, line: int) -> tuple[float, int]:
        return (self.store.t[line], line)

    def _row_of(self, line: int) -> int:
        if self._rows is None or not self._count:
            return min(line, max(0, self._count - 1))
        if self._sort:
            at = bisect_left(self._rows, self._key(line), key=self._key)
        else:
            at = bisect_left(self._rows, line)
        return min(at, self._count - 1)

    def line(self, row: int) -> int:
        """Return the number of the line in a row."""
        return row if self._rows is None else self._rows[row]

    def __len__(self) -> int:
        return self._count

    @property
    def present(self) -> float | None:
        """In a replay the time up to which lines are shown; None for all."""
        replay = self.model.replay
        now = self.model.clock.now()
        return None if replay is None or now >= replay.end else now

    def _measure(self) -> bool:
        """Count the rows; tell whether there are more or fewer."""
        now = self.present
        rows = self._rows
        t = self.store.t
        if rows is None:
            count = len(t) if now is None else bisect_right(t, now)
        else:
            count = len(rows) if now is None else bisect_right(rows, now, key=t.__getitem__)
        changed = count != self._count
        self._count = count
        return changed

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        before = (self.version, self._count)
        self.work(time.monotonic() + 0.008)
        return (self.version, self._count) != before

    def work(self, until: float) -> bool:
        """Index, filter and search until a time; tell whether there is more to do."""
        while True:
            self.store.poll(min(until, time.monotonic() + 0.004))
            more = self.store.progress < 1.0
            more |= self._filter_some() | self._search_some()
            if not more or time.monotonic() >= until:
                break
        self._measure()
        self.more = more
        return more

    def _filter_some(self) -> bool:
        total = len(self.store)
        if self._rows is None or self._filtered >= total:
            self._filtered = total if self._rows is None else self._filtered
            return False
        end = min(total, self._filtered + _STEP)
        lines = self._matching(self._filtered, end)
        self._filtered = end
        if lines:
            self._add(lines)
        return end < total

    def _matching(self, begin: int, end: int) -> list[int]:
        lines = list(range(begin, end))
        if self._test is not None:
            lines = list(filter(self._test, lines))
        if self._text is not None and lines:
            search = self._text.search
            texts = self.store.raws(lines)
            lines = [i for i, text in zip(lines, texts, strict=True) if search(text)]
        return lines

    def _add(self, lines: list[int]) -> None:
        rows = self._rows
        assert rows is not None
        if not self._sort:
            rows.extend(lines)
            return
        first = min(map(self._key, lines))
        at = bisect_left(rows, first, key=self._key)
        tail = rows[at:] + lines
        tail.sort(key=self._key)
        if at < len(rows):
            self.version += 1  # rows that are visible may be others now
        rows[at:] = tail

    def search(self, pattern: re.Pattern[str] | None) -> None:
        """Search for something, or no more."""
        import re

        super().search(pattern)
        self._pattern = None if pattern is None else re.compile(
            pattern.pattern.encode("utf-8", "surrogateescape"), pattern.flags & re.IGNORECASE
        )  # fmt: skip
        self._hits, self._sought = [], 0
        self.work(time.monotonic() + _FIRST)

    def _search_some(self) -> bool:
        if self._pattern is None:
            return False
        # Lines that have not been filtered yet are not in a row either.
        total = self._filtered if self._rows is not None else len(self.store)
        if self._sought >= total:
            return False
        end = min(total, self._sought + _STEP)
        begin, self._sought = self._sought, end
        lines = self._matching(begin, end) if self._rows is not None else list(range(begin, end))
        search = self._pattern.search
        texts = self.store.raws(lines)
        hits = [i for i, text in zip(lines, texts, strict=True) if search(text)]
        if self._sort:
            for line in hits:
                insort(self._hits, line, key=self._key)
        else:
            self._hits.extend(hits)
        return end < total

    def _reached(self) -> int:
        """Return how many hits are in rows that are shown."""
        now = self.present
        if now is None:
            return len(self._hits)
        return bisect_right(self._hits, now, key=self.store.t.__getitem__)

    def hits(self) -> tuple[int, int]:
        """Return which hit the cursor is on or behind (from 1), and how many there are."""
        if not self._count or not self._hits:
            return 0, 0
        line = self.line(self.cursor)
        return self._after(line, len(self._hits)), self._reached()

    def find(self, at: int, step: int) -> int | None:
        """Return the next row with a hit after (step 1) or before (-1) a row, round the ends."""
        reached = self._reached()
        if not reached or not self._count:
            return None
        line = self.line(at)
        found = self._after(line, reached)
        if step > 0:
            found %= reached
        else:
            # The hit that the cursor is on is not the one before it.
            found -= 2 if found and self._hits[found - 1] == line else 1
        return self._row_of(self._hits[found if found >= 0 else reached + found])

    def _after(self, line: int, end: int) -> int:
        """Return how many of the first hits are not behind a line."""
        if self._sort:
            return bisect_right(self._hits, self._key(line), 0, end, key=self._key)
        return bisect_right(self._hits, line, 0, end)

    @property
    def busy(self) -> str:
        """What still goes on, "" if nothing."""
        if self.store.progress < 1.0:
            return f"reading {self.store.progress * 100:.0f} %"
        if self._rows is not None and self._filtered < len(self.store):
            return f"filtering {100 * self._filtered // len(self.store)} %"
        if self._pattern is not None and self._sought < self._filtered:
            return f"searching {100 * self._sought // max(1, len(self.store))} %"
        return ""

    def status(self) -> str:
        """Return how many lines are shown, of how many."""
        total = len(self.store)
        shown = f"{self._count:,}" if self._count == total else f"{self._count:,} of {total:,}"
        return f"{self.busy}  {shown} lines" if self.busy else f"{shown} lines"
