"""Phases of ranks as bars on one axis that can be zoomed."""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.diagnose.interrupt import killed
from fluxstart_tui.diagnose.lives import KINDS, Bar, Life
from fluxstart_tui.diagnose.words import act, ids, ordinal, span, who
from fluxstart_tui.report.html.charts import WIDTH, Axis
from fluxstart_tui.report.html.markup import Markup, join, tag
from fluxstart_tui.session.signals import signame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.gathered import Gathered
    from fluxstart_tui.session.broker_state import BrokerState

_SINGLE = 32
"""Ranks up to which each has a row of its own."""
_ROWS = 24
"""Rows of groups."""
_HEIGHT = 100
"""Units of a row."""
_ALL = 4096
"""Ranks that the picture of all of them shows at the most."""

_GROUPS = {
    "spawn": "start", "init": "pmi", "put": "pmi", "barrier": "barrier", "get": "pmi",
    "finalize": "pmi", "closed": "pmi", "load-builtins": "pmi", "run": "run", "rc1": "rc",
    "rc3": "rc", "cleanup": "end", "shutdown": "end", "goodbye": "end", "unload-builtins": "end",
}  # fmt: skip
"""What phases are drawn alike; the others wait to come online."""
_LEGEND = (
    ("start", "spawned"), ("pmi", "PMI: init, put, get, done, closed"), ("barrier", "PMI barrier"),
    ("online", "join to quorum"), ("rc", "rc1, rc3"), ("run", "run"),
    ("end", "cleanup to unload"), ("stopped", "stopped by a signal"),
)  # fmt: skip
_LAUNCH = KINDS.keys() - {"closed", "cleanup", "shutdown", "rc3", "goodbye", "unload-builtins"}
"""Phases of a launch, `run` being its end."""
_TALL = {"run": 90, "barrier": 90, "rc": 70, "start": 30, "pmi": 50, "online": 60, "end": 50}
"""Percent of a row's height: phases differ by more than their color."""


class Row(NamedTuple):
    """Ranks that are drawn as one."""

    ranks: list[int]
    bars: list[Bar]
    end: float
    how: str
    """How they ended, or what they do now."""


def section(found: Gathered) -> Markup:
    """Return the timeline."""
    axis = Axis(0.0, max(found.verdict.summary.time, found.history.lives.last, 1e-3))
    rows = _rows(found, axis.end)
    size = found.verdict.state.size
    many = size > _SINGLE
    told = (
        "Ranks that have come equally far and ended alike share a row, drawn at the times of the"
        " middle one of them."
        if many
        else "A row for each rank."
    )
    left = sum(len(row.ranks) for row in rows[_ROWS:]) if many else 0
    shown = rows[:_ROWS] if many else rows
    return join((
        tag("p", told, " ", tag("span", class_="hint", data_zoom_hint=True)),
        _legend(found, shown),
        tag(
            "div", axis.ticks(), _marks(found, axis), *(_row(found, row, axis) for row in shown),
            class_="lanes", data_begin=axis.begin, data_end=axis.end,
            data_launch=_launch(found, axis), data_close=_close(found, axis), tabindex="0",
            role="group",
            aria_label="Timeline of ranks; plus and minus zoom, arrows move, 0 shows all",
        ),
        tag("p", f"{left} more ranks in {len(rows) - _ROWS} more groups are not drawn.")
        if left
        else "",
        _everyone(found, axis) if many else "",
    ))  # fmt: skip


def _legend(found: Gathered, rows: list[Row]) -> Markup:
    """Return what the bars mean that there are, and the marks above them."""
    there = {_kind(bar) for row in rows for bar in row.bars}
    if any(one.stops for one in found.verdict.state.brokers.values()):
        there.add("stopped")
    items = [
        tag("li", tag("i", class_=f"k {kind}", aria_hidden="true"), name)
        for kind, name in _LEGEND if kind in there
    ]  # fmt: skip
    if _deeds(found):
        items.append(tag("li", tag("i", class_="mark", aria_hidden="true"), "signal, exit timer"))
    return tag("ul", *items, class_="legend")


def _launch(found: Gathered, axis: Axis) -> float | None:
    """Return until when the launch is to be shown if all of it would make that invisible."""
    begins = (
        bar.begin
        for life in found.history.lives.of.values()
        for bar in life.bars
        if bar.kind in _LAUNCH
    )
    launched = max(begins, default=0.0)
    return launched * 1.25 if launched and axis.end > 4 * launched else None


def _close(found: Gathered, axis: Axis) -> float | None:
    """Return since when the end is to be shown, if it was asked for late."""
    asked = killed(found.verdict.state)
    return asked * 0.98 if asked is not None and asked > 0.5 * axis.end else None


def _rows(found: Gathered, end: float) -> list[Row]:
    """Return what is drawn, the ranks that came least far first."""
    state, lives = found.verdict.state, found.history.lives
    order = lives.slowest(state.size, end)
    if state.size <= _SINGLE:
        return [_made([rank], found, end) for rank in sorted(order)]
    alike: dict[tuple[str, str, bool], list[int]] = {}
    for rank in order:
        life = lives.of.get(rank) or Life()
        broker = state.broker(rank)
        last = life.bars[-1].kind if life.bars else ""
        key = last, _how(broker), bool(broker.stops)
        alike.setdefault(key, []).append(rank)
    return [_made(ranks, found, end) for ranks in alike.values()]


def _made(ranks: list[int], found: Gathered, end: float) -> Row:
    """Return a row at the middle times of its ranks."""
    lives = found.history.lives
    begins: dict[str, list[float]] = {}
    ends = []
    for rank in ranks:
        life = lives.of.get(rank) or Life()
        first = {bar.kind: bar.begin for bar in reversed(life.bars)}
        for kind, begin in first.items():
            begins.setdefault(kind, []).append(begin)
        ends.append(end if life.end is None else life.end)
    common = [kind for kind in KINDS if 2 * len(begins.get(kind, ())) >= len(ranks)]
    bars = [Bar(kind, sorted(begins[kind])[len(begins[kind]) // 2]) for kind in common]
    bars.sort(key=lambda bar: bar.begin)
    how = _how(found.verdict.state.broker(ranks[0]))
    return Row(sorted(ranks), bars, sorted(ends)[len(ends) // 2], how)


def _how(broker: BrokerState) -> str:
    if broker.exit is not None:
        return act(broker.exit)
    return broker.state if ordinal(broker.state) >= 0 else "runs" if broker.running else "not seen"


def _kind(bar: Bar) -> str:
    return _GROUPS.get(bar.kind, "online")


def _row(found: Gathered, row: Row, axis: Axis) -> Markup:
    name = ids(row.ranks, 24)
    number = f" ({len(row.ranks):,})" if len(row.ranks) > 1 else ""
    told = []
    drawn = []
    for at, bar in enumerate(row.bars):
        end = row.bars[at + 1].begin if at + 1 < len(row.bars) else row.end
        lasted = span(max(0.0, end - bar.begin))
        told.append(f"{KINDS[bar.kind].name} {lasted}")
        title = tag("title", f"{KINDS[bar.kind].name} at {span(bar.begin)} for {lasted}")
        tall = _TALL[_kind(bar)]
        x = axis.x(bar.begin)
        drawn.append(
            tag("rect", title, x=x, width=max(1, axis.x(end) - x), y=(_HEIGHT - tall) // 2,
                height=tall, class_=f"k {_kind(bar)}")
        )  # fmt: skip
    for rank in row.ranks[:1]:
        for begin, until in found.verdict.state.broker(rank).stops:
            x = axis.x(begin)
            width = max(1, axis.x(row.end if until is None else until) - x)
            title = tag("title", f"seen stopped by a signal from {span(begin)} on")
            drawn.append(tag("rect", title, x=x, width=width, y=35, height=30, class_="k stopped"))
    svg = tag(
        "svg", *drawn, viewBox=f"0 0 {WIDTH} {_HEIGHT}", preserveAspectRatio="none", role="img",
        aria_label=f"{who(row.ranks)}: {', '.join(told) or 'nothing known'}; {row.how}",
    )  # fmt: skip
    bad = "bad" if row.how.startswith(("killed", "crashed")) else ""
    return tag(
        "div", tag("span", tag("b", name), number, class_="who"), svg,
        tag("span", row.how, class_=f"how {bad}".strip()), class_="lane",
    )  # fmt: skip


def _marks(found: Gathered, axis: Axis) -> Markup:
    """Return where things were done: signals, the exit timer; those close together as one."""
    near: list[tuple[float, list[str]]] = []
    for t, text in _deeds(found):
        if near and axis.x(t) - axis.x(near[-1][0]) < WIDTH // 100:
            near[-1][1].append(text)
        else:
            near.append((t, [text]))
    marks = [
        tag("i", style=f"left:{axis.x(t) / WIDTH:.3%}", data_t=t,
            title="\n".join(dict.fromkeys(texts)))
        for t, texts in near
    ]  # fmt: skip
    return tag("div", *marks, class_="marks", aria_hidden="true")


def _deeds(found: Gathered) -> list[tuple[float, str]]:
    """Return what was done to the instance, in the order of time."""
    timers = [(t, f"{span(t)}: exit timer {one.action}") for t, one in found.history.timers[:50]]
    signals = [
        (t, f"{span(t)}: {signame(one.signum)} by {one.by}")
        for t, one in found.verdict.state.signals
    ]
    return sorted(timers + signals)


def _everyone(found: Gathered, axis: Axis) -> Markup:
    """Return a picture of all ranks, a thin line for each; a path for each kind of phase."""
    size = min(found.verdict.state.size, _ALL)
    paths: dict[str, list[str]] = {}
    for rank in range(size):
        life = found.history.lives.of.get(rank) or Life()
        end = axis.end if life.end is None else life.end
        for at, bar in enumerate(life.bars):
            until = life.bars[at + 1].begin if at + 1 < len(life.bars) else end
            x = axis.x(bar.begin)
            if (width := axis.x(until) - x) > 0:
                paths.setdefault(_kind(bar), []).append(f"M{x} {rank}h{width}v1h-{width}z")
    drawn = [tag("path", d="".join(at), class_=f"k {kind}") for kind, at in paths.items()]
    svg = tag(
        "svg", *drawn, viewBox=f"0 0 {WIDTH} {size}", preserveAspectRatio="none", role="img",
        aria_label=f"Phases of ranks 0 to {size - 1}, rank 0 on top",
    )  # fmt: skip
    lanes = tag(
        "div", axis.ticks(), tag("div", tag("span", f"0 to {size - 1}", class_="who"), svg,
                                 tag("span", class_="how"), class_="lane everyone"),
        class_="lanes", data_begin=axis.begin, data_end=axis.end,
        data_launch=_launch(found, axis), tabindex="0", role="group",
        aria_label="Timeline of every rank; plus and minus zoom, arrows move, 0 shows all",
    )  # fmt: skip
    return tag("details", tag("summary", f"Every rank, a line each: 0 to {size - 1}"), lanes)
