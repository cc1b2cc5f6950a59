"""How rows of output look: time, rank, stream, then what the line says in its own colours."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.rfc import idset
from fluxstart_tui.tui import ansi
from fluxstart_tui.tui.lines_block import LAUNCHER

if TYPE_CHECKING:
    from fluxstart_tui.tui.ansi import Painted
    from fluxstart_tui.tui.lines import Line
    from fluxstart_tui.tui.lines_filter import Matcher
    from fluxstart_tui.tui.lines_rows import Row, Rows

TIMES = ("no", "absolute", "relative", "delta")
"""Ways to show times."""

GLYPHS = {0: ("│", "dim"), 1: ("▌", "bad"), LAUNCHER: ("»", "title")}
"""What is between rank and text, and its tone: for stdout, stderr, and the launcher's lines."""

_RANKS = (
    "cyan",
    "green",
    "yellow",
    "magenta",
    "blue",
    "bright_cyan",
    "bright_green",
    "bright_magenta",
)
_CACHED = 1024


@dataclass(frozen=True)
class Looks:
    """How output is shown; what is shown is up to Rows."""

    wrap: bool = False
    times: str = "no"
    """One of TIMES."""
    ranks: bool = True
    """Whether each row says whose it is."""


class Cell(NamedTuple):
    """A row, ready to be put on the screen."""

    stamp: str
    label: str
    """Whose it is."""
    line: Line
    text: Painted
    fold: bool
    """Whether it stands for lines that are not shown."""


class LinePainter:
    """Makes rows of a session's output readable; keeps those that were seen last.

    Args:
        size: how many ranks there are: the widest of them gives the width of labels.
        start: when the session began (RFC 3339), "" if that is not known.
    """

    def __init__(self, size: int, start: str) -> None:
        self._digits = len(str(max(size - 1, 0)))
        try:
            self._start: datetime | None = datetime.fromisoformat(start)
        except ValueError:
            self._start = None
        self._texts: OrderedDict[tuple[int, bytes], Painted] = OrderedDict()

    def label_width(self, merged: bool) -> int:
        """Return the width of labels."""
        return max(self._digits + 1, 9) if merged else self._digits + 1

    def cell(self, rows: Rows, at: int, row: Row, looks: Looks) -> Cell:
        """Return a row, ready for the screen."""
        line = rows.store.line(row.number)
        stamp = self._stamp(rows, at, line, looks)
        width = self.label_width(rows.merged) if looks.ranks else 0
        if row.hidden:
            whose = "rank " if len(row.ranks) == 1 else "ranks "
            lines = "line" if row.hidden == 1 else "lines"
            said = f"… {row.hidden:,} more {lines} of {whose}{idset.encode(row.ranks)}"
            return Cell(stamp, "⋮".rjust(width), line, ansi.paint(said.encode()), fold=True)
        label = ""
        if width:
            own = "" if line.stream == LAUNCHER else str(line.rank)
            label = idset.encode(row.ranks) if row.ranks and own else own
            if len(label) > width:
                label = f"{len(row.ranks)} ranks"[:width]
        return Cell(stamp, label.rjust(width), line, self.text(row.number, line.data), fold=False)

    def text(self, number: int, data: bytes) -> Painted:
        """Return what a line says."""
        key = number, data
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = ansi.paint(data)
            if len(self._texts) > _CACHED:
                self._texts.popitem(last=False)
        return found

    def stamp_width(self, looks: Looks) -> int:
        """Return the width of times."""
        return {"no": 0, "absolute": 13, "relative": 11, "delta": 10}[looks.times]

    def _stamp(self, rows: Rows, at: int, line: Line, looks: Looks) -> str:
        width = self.stamp_width(looks)
        if not width:
            return ""
        t = line.t if abs(line.t) < 1e9 else 0.0
        if looks.times == "absolute" and self._start is not None:
            when = (self._start + timedelta(seconds=t)).astimezone()
            return f"{when:%H:%M:%S}.{when.microsecond // 1000:03d} "
        if looks.times == "delta":
            former = rows.store.t(rows.row(at - 1).number) if at > 0 else t
            return f"{_span(t - former):>{width - 1}} "
        return f"{t:>{width - 2}.3f}s "

    def prefix_width(self, rows: Rows, looks: Looks) -> int:
        """Return how many cells come before a row's text."""
        label = self.label_width(rows.merged) + 1 if looks.ranks else 0
        return self.stamp_width(looks) + label + 2


def _span(seconds: float) -> str:
    """Return the time from one line to the next in at most nine cells."""
    if abs(seconds) < 0.0005:
        return "+0"
    if abs(seconds) < 1:
        return f"{seconds * 1000:+.0f}ms"
    return f"{seconds:+.3f}s" if abs(seconds) < 1000 else f"{seconds:+.0f}s"


def hits(text: str, matcher: Matcher | None) -> list[tuple[int, int]]:
    """Return where in a text something is."""
    if matcher is None:
        return []
    return [match.span() for match in matcher.text.finditer(text) if match.end() > match.start()]


def plain_row(cell: Cell, *, ranks: bool) -> str:
    """Return a row as it is copied or saved."""
    if cell.fold:
        return cell.text.text
    label = f"{cell.label.strip()}: " if ranks and cell.label.strip() else ""
    return cell.stamp + label + cell.text.text
