"""Rows to look at: what a RowsView shows."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text

if TYPE_CHECKING:
    import re


class Source:
    """Rows to look at, and how they are looked at: cursor, place, search."""

    title: ClassVar[str] = ""
    can_follow: ClassVar[bool] = False
    """Whether new rows come at the end and one may want to see them as they come."""
    ticks: ClassVar[bool] = False
    """Whether what it shows changes with time alone."""

    def __init__(self) -> None:
        self.cursor = 0
        self.top = 0
        """The first row that is visible."""
        self.follow = False
        self.version = 0
        """Changes with what any row may show."""
        self.pattern: re.Pattern[str] | None = None
        """What is searched for."""
        self.more = False
        """Whether `work` had more to do when it was last called."""
        self._found_for: object = None
        self._found_rows: list[int] = []

    def __len__(self) -> int:
        raise NotImplementedError

    def row(self, i: int, width: int) -> Text:
        """Return what a row shows; it is cut to the width."""
        raise NotImplementedError

    def header(self, _width: int) -> Text:
        """Return the line above the rows."""
        return Text()

    def detail(self, _i: int) -> Text:
        """Return all that is known of a row."""
        return Text()

    def rank(self, _i: int) -> int | None:
        """Return the rank that a row is about."""
        return None

    def ranks(self, i: int) -> frozenset[int]:
        """Return all ranks that a row is about."""
        rank = self.rank(i)
        return frozenset() if rank is None else frozenset({rank})

    def row_of(self, _rank: int) -> int | None:
        """Return the row that is about a rank; None if there is none, or more than one."""
        return None

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        return False

    def work(self, _until: float) -> bool:
        """Go on with what takes long, until a time; tell whether there is more to do."""
        return False

    def status(self) -> str:
        """Return in few words what is shown: how many, of how many, which."""
        return ""

    def told(self, filtered: str, *, live: bool) -> Text:
        """Return what is searched and filtered, what is shown, and whether it follows if live."""
        text = Text()
        if self.pattern is not None:
            at, count = self.hits()
            text.append(f" /{self.pattern.pattern} {at}/{count} ", "yellow reverse")
            text.append(" ")
        if filtered:
            text.append(f"▽ {filtered}  ", "bold magenta")
        text.append(self.status())
        if self.can_follow and live:
            text.append("  ▶ following" if self.follow else "  ‖ paused", "bold")
        return text

    def search(self, pattern: re.Pattern[str] | None) -> None:
        """Search for something, or no more."""
        self.pattern = pattern
        self.version += 1

    def find(self, at: int, step: int) -> int | None:
        """Return the next row with a hit after (step 1) or before (-1) a row, round the ends."""
        return _next(self._found(), at, step)

    def hits(self) -> tuple[int, int]:
        """Return which hit the cursor is on or behind (from 1), and how many there are."""
        found = self._found()
        return bisect_right(found, self.cursor), len(found)

    def _found(self) -> list[int]:
        if self.pattern is None:
            return []
        key = (self.version, self.pattern)
        if self._found_for != key:
            self._found_for = key
            search = self.pattern.search
            self._found_rows = [i for i in range(len(self)) if search(self.plain(i))]
        return self._found_rows

    def plain(self, i: int) -> str:
        """Return what is searched in a row."""
        return self.row(i, 1000).plain


def styled(text: str, style: str = "") -> Text:
    """Return a text of which the beginning alone has a style: that of a Text is all of it."""
    return Text().append(text, style)


def _next(rows: list[int], at: int, step: int) -> int | None:
    if not rows:
        return None
    if step > 0:
        return rows[bisect_right(rows, at) % len(rows)]
    return rows[bisect_left(rows, at) - 1]
