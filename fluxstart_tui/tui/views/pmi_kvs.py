"""The PMI key-value space as a table: who put what, who asked for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.text import Text

from fluxstart_tui.diagnose.words import ids, who
from fluxstart_tui.tui.pmi_tables import Kvs, members
from fluxstart_tui.tui.pmi_trace import NONE, Trace
from fluxstart_tui.tui.widgets.source import Source, styled

if TYPE_CHECKING:
    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.pmi_tables import Entry

SORTS = ("key", "time of put", "gets")


class KvsSource(Source):
    """Keys."""

    title = "KVS"

    def __init__(self, model: Model, trace: Trace) -> None:
        super().__init__()
        self.model = model
        self.trace = trace
        self.kvs = Kvs(trace)
        self.sort = 0
        self._entries: list[Entry] = []
        self._total = -1
        self._busy = True

    def __len__(self) -> int:
        return len(self._entries)

    def _present(self) -> int:
        """Return how many lines of the trace there are by now."""
        replay = self.model.replay
        now = self.model.clock.now()
        if replay is None or now >= replay.end:
            return len(self.trace)
        from bisect import bisect_right

        return bisect_right(self.trace.t, now)

    def work(self, until: float) -> bool:
        """Read the trace until a time; tell whether there is more to do."""
        more = True
        while more and time.monotonic() < until:
            self.trace.poll(min(until, time.monotonic() + 0.004))
            more = self.kvs.advance(self._present()) or self.trace.progress < 1.0
        if self._busy and not more:
            self._total = -1
            self._take()
        self._busy = self.more = more
        return more

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        self.work(time.monotonic() + 0.008)
        return self._take()

    def _take(self) -> bool:
        total = self._present()
        if total == self._total or (self._busy and self._entries):
            return False
        self._total = total
        self._entries = sorted(self.kvs.entries(), key=self._order)
        self.version += 1
        return True

    def _order(self, one: Entry) -> tuple[object, ...]:
        if self.sort == 1:
            return (one.put_at is None, one.put_at or 0.0)
        if self.sort == 2:
            return (-one.gets, one.key)
        number = len(one.key) < 10 and one.key.isascii() and one.key.isdigit()
        return (number, int(one.key) if number else 0, one.key)

    def next_sort(self) -> None:
        """Sort by something else."""
        self.sort = (self.sort + 1) % len(SORTS)
        self._total = -1

    def status(self) -> str:
        """Return how many keys there are."""
        percent = f"reading {self.trace.progress * 100:.0f} %  " if self._busy else ""
        return f"{percent}{len(self._entries):,} keys by {SORTS[self.sort]}"

    def header(self, width: int) -> Text:
        """Return the names of the columns."""
        key, value, got = self._widths(width)
        return Text(f" {'KEY':<{key}} {'PUT BY':>7} {'AT':>9} {'GETS':>6}  "
                    f"{'GOT BY':<{got}} {'VALUE':<{value}}")  # fmt: skip

    def _widths(self, width: int) -> tuple[int, int, int]:
        key = 20 if width < 110 else 26
        got = max(8, min(30, (width - 30 - key) // 4))
        return key, max(0, width - key - got - 30), got

    def row(self, i: int, width: int) -> Text:
        """Return a key."""
        one = self._entries[i]
        key, value, got = self._widths(width)
        text = styled(f" {_cut(one.key, key):<{key}} ", "bold")
        if one.put_by is not None:
            text.append(f"{one.put_by:>7} {one.put_at or 0.0:9.4f} ")
        else:
            text.append(f"{'preset' if one.line != NONE else '—':>7} {'':>9} ", "dim")
        text.append(f"{one.gets:>6,}  ", "" if one.gets else "dim")
        text.append(f"{_cut(self._got(one), got):<{got}} ", "dim")
        if one.line == NONE:
            text.append("✗ no such key", "yellow")
        else:
            text.append(_cut(self._value(one), value))
        return text

    def _got(self, one: Entry) -> str:
        size = self.model.size
        if size > 1 and one.getters == (1 << size) - 1:
            return "all"
        return ids(members(one.getters), 28) if one.getters else "nobody"

    def _value(self, one: Entry) -> str:
        return self.trace.decode(one.line).value if one.line != NONE else ""

    def detail(self, i: int) -> Text:
        """Return all of a key."""
        one = self._entries[i]
        text = styled(f"{one.key}", "bold")
        if one.put_by is not None:
            again = f" ({one.puts} times)" if one.puts > 1 else ""
            text.append(f" put by rank {one.put_by} at {one.put_at:.6f} s{again}")
        text.append(f"; asked for {one.gets:,} times by "
                    f"{who(members(one.getters)) if one.getters else 'nobody'}")  # fmt: skip
        if one.failed:
            text.append(f", {one.failed:,} times in vain", "yellow")
        if one.line != NONE:
            text.append("  = ", "dim")
            text.append(self._value(one))
        return text

    def rank(self, i: int) -> int | None:
        """Return who put it."""
        return self._entries[i].put_by

    def plain(self, i: int) -> str:
        """Return what is searched: key and value."""
        one = self._entries[i]
        return f"{one.key} {self._value(one)}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
