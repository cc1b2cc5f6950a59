"""Who came to the PMI barriers when, and who never did."""

from __future__ import annotations

from fluxstart_tui.diagnose.words import span, who
from fluxstart_tui.report.html.charts import Axis, Line, plot
from fluxstart_tui.report.html.markup import Markup, join, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.report.gathered import Gathered
    from fluxstart_tui.report.history import Barrier


def section(found: Gathered) -> Markup:
    """Return a chart and a sentence for each barrier."""
    size = found.verdict.state.size
    if not found.history.barriers:
        return tag("p", "No rank was seen in a PMI barrier.")
    return join(_barrier(one, size) for one in found.history.barriers)


def _barrier(one: Barrier, size: int) -> Markup:
    come = sorted((t, rank) for rank, t in one.arrivals.items())
    missing = frozenset(range(size)) - one.arrivals.keys()
    first, last = come[0][0], come[-1][0]
    half = span(come[len(come) // 2][0])
    over = "never completed" if one.released is None else f"complete at {span(one.released)}"
    said = (
        f"The first of {len(come):,} ranks came at {span(first)}, half of them by {half}, the last,"
        f" rank {come[-1][1]}, at {span(last)}; the barrier was {over}."
    )
    end = max(last, one.released or 0.0)
    end += 0.05 * max(end - first, 1e-4)
    points = [(first, 0.0), *((t, float(n)) for n, (t, _) in enumerate(come, 1))]
    lines = [
        Line("ranks in the barrier", [*points, (end, float(len(come)))], stepped=True),
        Line("all ranks", [(first, float(size)), (end, float(size))]),
    ]
    never = tag("p", tag("strong", f"{who(missing)} never came."), class_="bad") if missing else ""
    return join((
        tag("h3", f"Barrier {one.number}"),
        never,
        tag("p", said),
        plot(Axis(first, end), lines, 1.05 * size, said, f"{size:,} ranks"),
    ))  # fmt: skip
