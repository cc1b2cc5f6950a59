"""Quorum, exit timer and what processes used, over time."""

from __future__ import annotations

from fluxstart_tui.diagnose.words import span, who
from fluxstart_tui.report.html.charts import Axis, Line, plot
from fluxstart_tui.report.html.markup import Markup, join, table, tag
from fluxstart_tui.session.state import ranks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.gathered import Gathered

_LITTLE = 5.0
"""Percent of a core below which there is no curve to see."""
_LISTED = 200
"""Rows of the exit timer's table."""


def quorum(found: Gathered) -> Markup:
    """Return who was online when, and what the exit timer did."""
    return join((_online(found), _timer(found)))


def _online(found: Gathered) -> Markup:
    online, wanted = found.history.online, found.history.wanted
    if not online:
        return tag("p", "No broker was seen to come online.")
    size = found.verdict.state.size
    most = max(number for _, number in online)
    full = next((t for t, number in online if number >= (wanted or size)), None)
    runs = found.phases["run"].ranks.get(0) if "run" in found.phases else None
    if full is not None and runs is not None:
        full = min(full, runs)  # the group is asked now and then, its state tells at once
    end = found.verdict.summary.time
    lines = [Line("brokers online", [(online[0][0], 0.0), *((t, float(n)) for t, n in online),
                                     (end, float(online[-1][1]))], True)]  # fmt: skip
    if wanted:
        lines.append(Line("wanted", [(0.0, float(wanted)), (end, float(wanted))]))
    said = f"{most:,} of {wanted or size:,} brokers came online; "
    said += f"the quorum was full at {span(full)}." if full is not None else "the quorum never was."
    top = max(size, wanted, most)
    return tag("p", said) + plot(Axis(0.0, end), lines, top, said, f"{top:,} brokers")


def _timer(found: Gathered) -> Markup:
    if not found.history.timers:
        return tag("p", "The exit timer never ran.")
    rows = [
        (
            span(t),
            one.action,
            who(ranks_of(one.ranks)) if one.ranks else "",
            span(one.deadline) if one.deadline >= 0 else "",
            one.cause,
        )
        for t, one in found.history.timers[-_LISTED:]
    ]
    return table("Exit timer", ("at", "what", "kills", "when", "why"), rows)


def resources(found: Gathered) -> Markup:
    """Return the curves of CPU and memory."""
    usage = found.history.usage
    if not usage:
        return tag("p", "It was over before its processes were looked at, once a second.")
    axis = Axis(0.0, max(found.verdict.summary.time, usage[-1].t))
    cpu, rss = max(u.cpu for u in usage), max(u.rss for u in usage)
    busiest, largest = max(u.top_cpu for u in usage), max(u.top_rss for u in usage)
    used = (
        f"All brokers together used {cpu:,.0f} % of a core at most; the busiest was rank"
        f" {busiest[1]}, {busiest[0]:,.0f} %."
    )
    had = (
        f"They had {_mib(rss)} resident at most; the largest was rank {largest[1]},"
        f" {_mib(largest[0])}."
    )
    processor = [
        Line("CPU of all brokers", [(u.t, u.cpu) for u in usage]),
        Line("of the busiest", [(u.t, u.top_cpu[0]) for u in usage]),
    ]
    memory = [
        Line("memory of all brokers", [(u.t, float(u.rss)) for u in usage]),
        Line("of the largest", [(u.t, float(u.top_rss[0])) for u in usage]),
    ]
    return join((
        tag("p", used),
        plot(axis, processor, cpu, used, f"{cpu:,.0f} %") if cpu >= _LITTLE else "",
        tag("p", had),
        plot(axis, memory, rss, had, _mib(rss)),
    ))  # fmt: skip


def _mib(kib: int) -> str:
    return f"{kib / 1024:,.1f} MiB" if kib < 1 << 20 else f"{kib / (1 << 20):,.1f} GiB"
