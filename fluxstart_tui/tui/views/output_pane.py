"""A pane of the Output view: rows of some ranks, and what is looked for in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widgets import Static

from fluxstart_tui.tui.lines_rows import Rows
from fluxstart_tui.tui.lines_search import Search
from fluxstart_tui.tui.views.output_loud import Loud
from fluxstart_tui.tui.views.output_options import FAIR
from fluxstart_tui.tui.widgets.lines_paint import LinePainter
from fluxstart_tui.tui.widgets.lines_view import LinesView

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.views.output_options import Options
    from fluxstart_tui.tui.widgets.lines_paint import Looks


class OutputPane(Vertical):
    """Some rows.

    Args:
        model: where they are from.
        options: what is shown, and how.
        rank: of which rank alone; None for all that are wanted.
    """

    DEFAULT_CSS = """
    OutputPane { width: 1fr; height: 1fr; }
    OutputPane > Static { height: 1; background: $panel; color: $text-primary; text-style: bold; }
    OutputPane > LinesView { height: 1fr; }
    OutputPane:focus-within > Static { text-style: bold reverse; }
    OutputPane.beside { border-left: vkey $panel; }
    """

    def __init__(self, model: Model, options: Options, rank: int | None = None) -> None:
        super().__init__()
        self.model = model
        self.rank = rank
        self.options = options
        self.rows = self._rows(options)
        self.search = Search(self.rows, options.search) if options.search else None
        self._jump = 0
        self.loud = Loud()
        start = model.header.get("start")
        painter = LinePainter(model.size, start if isinstance(start, str) else "")
        self.lines = LinesView(self.rows, painter)
        self.lines.looks = self._looks(options)
        self.lines.matcher = options.search

    def compose(self) -> ComposeResult:
        """Lay out the name of the rank, if it is one alone, and the rows."""
        if self.rank is not None:
            host = self.model.host(self.rank)
            yield Static(f" rank {self.rank}{' on ' + host if host else ''}", markup=False)
        yield self.lines

    def _rows(self, options: Options) -> Rows:
        wanted = options.wanted
        if self.rank is not None:
            wanted = replace(wanted, ranks=frozenset((self.rank,)))
        return Rows(
            self.model.lines, wanted, merged=options.merged and self.rank is None,
            fair=FAIR if options.fair else 0,
        )  # fmt: skip

    def _looks(self, options: Options) -> Looks:
        return replace(options.looks, ranks=self.rank is None)

    def set(self, options: Options) -> None:
        """Take over other options; what is seen stays where it is."""
        former, self.options = self.options, options
        self.lines.looks = self._looks(options)
        self.lines.matcher = options.search
        rows = self._rows(options)
        same = (former.wanted, former.merged, former.fair) == (
            options.wanted, options.merged, options.fair,
        )  # fmt: skip
        if not same:
            top = self.lines.top
            line = self.rows.row(top).number if top < len(self.rows) else 0
            self.rows = rows
            self.rows.advance(0.005)
            self._anchor = line
            self.lines.show(rows, rows.find(line))
        if not same or former.search is not options.search:
            self.search = None
            if options.search is not None:
                self.search = Search(self.rows, options.search, self.lines.top)
        self.lines.look()

    @property
    def busy(self) -> bool:
        """Whether there is more to be looked at."""
        return not self.rows.done or (self.search is not None and not self.search.done)

    def work(self, seconds: float) -> None:
        """Look at more, for some time."""
        if self.rows.advance(seconds):
            if self._anchor >= 0 and not self.lines.follow:
                self.lines.show(self.rows, self.rows.find(self._anchor))
            if self.rows.done:
                self._anchor = -1
        elif self.search is not None:
            self.search.advance(seconds)
            if self._jump:
                self.jump(self._jump)

    _anchor = -1
    """The line that is to be seen first again as soon as it is found among the rows."""

    def jump(self, step: int, row: int | None = None) -> None:
        """Go to the next hit (1) or the one before (-1), from a row or from where one is."""
        self._jump = 0
        if self.search is None:
            return
        lines = self.lines
        if row is None:
            row = lines.cursor
        if row is None:
            row = lines.top - 1 if step > 0 else lines.top
        found = self.search.find(row, step)
        if found is not None:
            self._anchor = -1
            lines.go_to(found)
        elif not self.search.done:
            self._jump = step

    @property
    def hits(self) -> tuple[int, int]:
        """The how-manieth hit the cursor is on, 0 if on none, and how many there are."""
        if self.search is None:
            return 0, 0
        row = self.lines.cursor
        if row is None or not self.search.count or row >= self.rows.finished:
            return 0, self.search.count
        return self.search.index(row), self.search.count
