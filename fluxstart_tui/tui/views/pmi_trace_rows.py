"""The PMI trace as rows: a request or a reply each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fluxstart_tui.diagnose.words import span
from fluxstart_tui.rfc import pmi1
from fluxstart_tui.tui import filters
from fluxstart_tui.tui.pmi_trace import BARRIER_IN, COMMANDS, NONE
from fluxstart_tui.tui.widgets.line_rows import LineSource
from fluxstart_tui.tui.widgets.source import styled

if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.tui.model import Model
    from fluxstart_tui.tui.pmi_trace import Request, Trace

NAMES = ("rank", "cmd", "key", "slow", "rc")
STYLES = {
    "init": "cyan", "put": "green", "get": "blue", "barrier_in": "yellow", "barrier_out": "yellow",
    "finalize": "magenta", "finalize_ack": "magenta", "abort": "bold red",
}  # fmt: skip


class TraceSource(LineSource):
    """Requests and replies."""

    title = "Trace"
    ticks = True

    def __init__(self, model: Model, trace: Trace) -> None:
        super().__init__(model, trace, sort=False)
        self.trace = trace
        self._second = -1

    def apply(self, text: str) -> None:
        """Filter by what was typed.

        Raises:
            filters.FilterError: it is no filter.
        """
        values, rest = filters.split(text, NAMES)
        tests: list[Callable[[int], bool]] = []
        if "rank" in values:
            ranks, rank = filters.ranks(values["rank"]), self.trace.rank
            tests.append(lambda i: rank[i] in ranks)
        if "cmd" in values:
            tests.append(self._command(values["cmd"].split(",")))
        if "key" in values:
            tests.append(self._key_test(values["key"]))
        if "slow" in values:
            tests.append(self._slow(values["slow"]))
        if "rc" in values:
            tests.append(lambda i: (self.trace.decode(i).rc or 0) != 0)
        pattern = filters.bytes_regex(rest) if rest else None
        test = None
        if tests:
            test = tests[0] if len(tests) == 1 else lambda i: all(one(i) for one in tests)
        self.filter(test, pattern)

    def _command(self, wanted: list[str]) -> Callable[[int], bool]:
        """A command stands for its replies too."""
        codes = {
            code for code, name in enumerate(COMMANDS)
            if any(name == word or (name.startswith(word + "_") and word == "barrier")
                   for word in wanted)
        }  # fmt: skip
        if not codes:
            known = ", ".join(COMMANDS[1:11])
            raise filters.FilterError(f"no command is called {','.join(wanted)}; there are {known}")
        code, peer = self.trace.code, self.trace.peer
        return lambda i: code[i] in codes or (peer[i] != NONE and code[peer[i]] in codes)

    def _key_test(self, text: str) -> Callable[[int], bool]:
        pattern = filters.regex(text)
        known: dict[int, bool] = {NONE: False}
        key = self.trace.key

        def test(i: int) -> bool:
            number = key[i]
            if number not in known:
                name = self.trace.keys[number].decode("utf-8", "replace")
                # A number is a rank's card: 1 is not meant to find 10 too.
                known[number] = name == text if text.isdigit() else bool(pattern.search(name))
            return known[number]

        return test

    def _slow(self, text: str) -> Callable[[int], bool]:
        factor = 1.0
        for unit, scale in (("us", 1e-6), ("ms", 1e-3), ("s", 1.0)):
            if text.endswith(unit):
                text, factor = text.removesuffix(unit), scale
                break
        try:
            least = float(text) * factor
        except ValueError:
            raise filters.FilterError(f"slow:{text} is no time such as 10ms") from None
        latency = self.trace.latency
        return lambda i: self.trace.client(i) and (latency(i) is None or latency(i) >= least)  # type: ignore[operator] # mypy does not see that it is the same call

    def look(self) -> bool:
        """Take what is new; requests that wait for a reply wait longer."""
        changed = super().look()
        waits = self.trace.waiting and not self.model.ended
        second = int(self.model.now) if waits or self.model.replay is not None else 0
        if second != self._second:
            self._second = second
            self.version += 1
            changed = True
        return changed

    def header(self, width: int) -> Text:
        """Return the names of the columns."""
        w, key, value = self._widths(width)
        return Text(
            f" {'TIME':>10} {'RANK':>{w}}   {'COMMAND':<14} {'KEY':<{key}} "
            f"{'VALUE':<{value}} {'LATENCY':>9}"
        )

    def _widths(self, width: int) -> tuple[int, int, int]:
        w = max(4, len(str(self.model.size)))
        rest = width - 10 - w - 14 - 9 - 8
        key = max(8, min(26, rest * 2 // 5))
        return w, key, max(0, rest - key)

    def row(self, i: int, width: int) -> Text:
        """Return a line of the trace."""
        line = self.line(i)
        one = self.trace.decode(line)
        w, key, value = self._widths(width)
        text = styled(f" {one.t:10.6f} ", "dim")
        text.append(f"{one.rank:>{w}} ", "bold")
        text.append("→ " if one.client else "← ", "green" if one.client else "blue")
        style = STYLES.get(one.command, "")
        shown = one.command
        peer = self.trace.peer[line]
        if not one.client and peer != NONE and shown != "barrier_out":
            shown = COMMANDS[self.trace.code[peer]]
        text.append(f"{_cut(shown, 14):<14} ", style if one.client else f"dim {style}".strip())
        text.append(f"{_cut(one.key, key):<{key}} ", "bold" if one.client else "dim")
        bad = one.rc not in (None, 0)
        said = f"✗ rc={one.rc} {pmi1.strerror(one.rc or 0)}" if bad else one.value
        if not said and one.rc == 0:
            said = "ok"

        text.append(f"{_cut(said, value):<{value}} ", "yellow" if bad else "")
        text.append_text(self._latency(line, one))
        return text

    def _latency(self, line: int, one: Request) -> Text:
        peer = self.trace.peer[line]
        now = self.present
        if one.latency is not None and (now is None or self.trace.t[peer] <= now):
            slow = one.latency >= 0.1
            return Text(f"{span(one.latency):>9}", "bold yellow" if slow else "dim")
        if not one.client or self.trace.code[line] not in _ANSWERED:
            return Text(" " * 9)
        if not self.model.state.broker(one.rank).running:
            return Text(f"{'no reply':>9}", "bold red")
        return Text(f"{'…' + span(self.model.now - one.t):>9}", "bold yellow reverse")

    def detail(self, i: int) -> Text:
        """Return all of a line."""
        line = self.line(i)
        one = self.trace.decode(line)
        who = f"rank {one.rank} {'asks' if one.client else 'is answered'}"
        text = styled(f"{who}: ", "bold")
        text.append(pmi1.printable(self.trace.raw(line)).decode("ascii"))
        if one.latency is not None:
            text.append(f"  ({span(one.latency)} from request to reply)", "dim")
        elif one.client and self.trace.code[line] == BARRIER_IN:
            text.append("  not let out of the barrier yet", "yellow")
        return text

    def rank(self, i: int) -> int | None:
        """Return whose line it is."""
        return self.trace.rank[self.line(i)]


_ANSWERED = set(range(1, 10)) | set(range(11, 14))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
