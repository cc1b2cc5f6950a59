"""The Log view: what all brokers have logged, by severity, module, rank and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding

from fluxstart_tui.diagnose import happened
from fluxstart_tui.rfc import idset
from fluxstart_tui.tui import filters
from fluxstart_tui.tui.broker_log import DONE, SEVERITIES, BrokerLog
from fluxstart_tui.tui.widgets.line_rows import LineSource
from fluxstart_tui.tui.widgets.page import RowsPage
from fluxstart_tui.tui.widgets.source import styled

if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.widgets.source import Source

LOOKS = (
    ("!", "bold red reverse"), ("!", "bold red reverse"), ("!", "bold red reverse"),
    ("✗", "bold red"), ("▲", "bold yellow"), ("◆", "bold cyan"), ("·", ""), (" ", "dim"),
    ("»", "bold magenta"),
)  # fmt: skip
"""Glyph and style of each severity, and of what was done."""
_NAMES = ("rank", "severity", "module")
_SHORT = ("emerg", "alert", "crit", "err", "warn", "note", "info", "debug")


class LogSource(LineSource):
    """Records in the order in which they were written."""

    title = "Log"

    def __init__(self, model: Model, log: BrokerLog) -> None:
        super().__init__(model, log, sort=True)
        self.log = log
        self._read = 0

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        events = self.model.events
        for one in happened.deeds(events[self._read :]):
            self.log.add(*one)
        self._read = len(events)
        return super().look()

    def apply(self, text: str) -> None:
        """Filter by what was typed.

        Raises:
            filters.FilterError: it is no filter.
        """
        values, rest = filters.split(text, _NAMES)
        tests: list[Callable[[int], bool]] = []
        log = self.log
        if "severity" in values:
            worst = severity(values["severity"])
            tests.append(lambda i: log.severity[i] <= worst or log.severity[i] == DONE)
        if "rank" in values:
            ranks = filters.ranks(values["rank"])
            tests.append(lambda i: log.rank[i] in ranks and log.severity[i] != DONE)
        if "module" in values:
            names = values["module"].split(",")
            tests.append(lambda i: log.apps[log.app[i]] in names)
        test = None
        if tests:
            test = tests[0] if len(tests) == 1 else lambda i: all(one(i) for one in tests)
        self.filter(test, filters.bytes_regex(rest) if rest else None)

    def header(self, _width: int) -> Text:
        """Return the names of the columns."""
        w, app = self._widths()
        return Text(f" {'TIME':>10}   {'SEV':<5} {'RANK':>{w}} {'MODULE':<{app}} RECORD")

    def _widths(self) -> tuple[int, int]:
        longest = max((len(name) for name in self.log.apps), default=0)
        return max(4, len(str(self.model.size))), max(6, min(longest, 15))

    def row(self, i: int, width: int) -> Text:
        """Return a record."""
        one = self.log.decode(self.line(i))
        w, app = self._widths()
        glyph, style = LOOKS[one.severity]
        name = "done" if one.severity == DONE else _SHORT[one.severity]
        text = styled(f" {one.t:10.4f} ", "dim")
        text.append(f"{glyph} {name:<5}", style)
        text.append(f" {'' if one.severity == DONE else one.rank:>{w}} ", "bold")
        text.append(f"{one.app[:app]:<{app}} ", "cyan" if one.severity < 7 else "dim cyan")
        loud = "bold" if one.severity <= 3 else "dim" if one.severity == 7 else ""
        room = max(0, width - text.cell_len)
        said = one.text if len(one.text) <= room else one.text[: max(0, room - 1)] + "…"
        text.append(said, loud)
        return text

    def detail(self, i: int) -> Text:
        """Return all of a record."""
        one = self.log.decode(self.line(i))
        if one.severity == DONE:
            return styled(f"done at {one.t:.6f} s, {one.app}: ", "bold").append(one.text)
        text = styled(f"rank {one.rank} {one.app}.{SEVERITIES[one.severity]} at {one.t:.6f} s: ",
                    "bold")  # fmt: skip
        text.append(one.text)
        return text

    def rank(self, i: int) -> int | None:
        """Return who wrote it, None for what was done."""
        line = self.line(i)
        return None if self.log.severity[line] == DONE else self.log.rank[line]


def severity(text: str) -> int:
    """Return the number of a severity by its name or its beginning.

    Raises:
        filters.FilterError: there is no such severity.
    """
    for names in (SEVERITIES, _SHORT):
        for number, name in enumerate(names):
            if text and name.startswith(text.lower()):
                return number
    raise filters.FilterError(f"no severity is called {text!r}; there are {', '.join(SEVERITIES)}")


class LogView(RowsPage):
    """Log records of all brokers."""

    TITLE: ClassVar[str] = "Log"
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("{log.fewer} {log.more}", "show only worse records, show more of them"),
        ("{log.module}", "show one module alone, then the next"),
        ("{log.own-ranks}", "show the chosen ranks (or the row's) alone; again: all"),
        (
            "{log.filter}",
            "filter: severity:err rank:0-3 module:broker,overlay; the rest is an expression",
        ),
        *RowsPage.KEYS,
    ]  # fmt: skip
    hints = (("{log.fewer}", "fewer"), ("{log.more}", "more"), ("{log.module}", "module"),
             ("{log.filter}", "filter"), ("{rows.search}", "search"))  # fmt: skip
    filter_help = "severity:err rank:0-3 module:broker timeout|refused"
    BINDINGS: ClassVar = [
        Binding("f", "ask('filter')", "Filter", show=False, id="log.filter"),
        Binding("r", "own_ranks", "Filter by rank", show=False, id="log.own-ranks"),
        Binding("m", "module", "Next module", show=False, id="log.module"),
        Binding("comma", "severity(-1)", "Fewer", show=False, id="log.fewer"),
        Binding("full_stop", "severity(1)", "More", show=False, id="log.more"),
    ]

    def make_sources(self) -> list[Source]:
        """Return the records."""
        start = self.model.header.get("start")
        self.records = BrokerLog(
            self.model.spool,
            start if isinstance(start, str) else "",
            printed=self.model.header.get("mode") == "launcher",
        )
        self._lines = LogSource(self.model, self.records)
        return [self._lines]

    def apply_filter(self, text: str) -> str:
        """Filter the records; return what is wrong with it, "" if nothing."""
        try:
            self._lines.apply(text)
        except filters.FilterError as error:
            return str(error)
        return ""

    def empty(self) -> str:
        """Return what is said if there are no rows."""
        if self.filter_text:
            return super().empty()
        return "no records yet: they are read from brokers from the time on when they can be asked"

    def _replace(self, name: str, value: str) -> None:
        """Change one word of the filter; "" takes it away."""
        words = [word for word in self.filter_text.split() if not word.startswith(f"{name}:")]
        if value:
            words.insert(0, f"{name}:{value}")
        self.set_filter(" ".join(words))

    def _value(self, name: str) -> str:
        return filters.split(self.filter_text, _NAMES)[0].get(name, "")

    def action_severity(self, step: int) -> None:
        """Show fewer or more severities."""
        now = self._value("severity")
        at = (severity(now) if now else 7) + step
        at = max(2, min(at, 7))
        self._replace("severity", "" if at == 7 else SEVERITIES[at])

    def action_module(self) -> None:
        """Show the next module alone, all after the last."""
        names = ["", *sorted(self.records.apps)]
        now = self._value("module")
        at = names.index(now) if now in names else -1
        self._replace("module", names[(at + 1) % len(names)])

    def action_own_ranks(self) -> None:
        """Show only the chosen ranks' records, or all again."""
        self._replace("rank", "" if self._value("rank") else idset.encode(self.targets))
