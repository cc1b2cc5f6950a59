"""Charts as inline SVG: what is drawn is stretched, so words stand beside it in HTML."""

from __future__ import annotations

import math
from typing import NamedTuple

from fluxstart_tui.report.html.markup import Markup, join, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 100_000
"""Units of an axis: it can be zoomed a thousand times before a unit is seen."""
_HEIGHT = 1000


class Axis(NamedTuple):
    """The times that a chart shows."""

    begin: float
    end: float

    def x(self, t: float) -> int:
        """Return the place of a time in units, within the chart."""
        whole = max(self.end - self.begin, 1e-9)
        return round(WIDTH * min(1.0, max(0.0, (t - self.begin) / whole)))

    def ticks(self) -> Markup:
        """Return the times along the axis, at round numbers."""
        least = max(self.end - self.begin, 1e-9) / 8
        power = 10.0 ** math.floor(math.log10(least))
        step = next(one * power for one in (1, 2, 5, 10) if one * power >= least)
        first, last = -(-self.begin // step), self.end - least / 4
        times = [(first + n) * step for n in range(9) if (first + n) * step <= last]
        marks = [tag("span", _tick(t, step), style=f"left:{self.x(t) / WIDTH:.2%}") for t in times]
        return tag("div", *marks, class_="ticks", aria_hidden="true")


def _tick(t: float, step: float) -> str:
    """Return a time with as many digits as tell it from its neighbors."""
    digits = max(0, -math.floor(math.log10(step)))
    if t and step < 0.05 and t < 10:
        return f"{t * 1e3:.{max(0, digits - 3)}f} ms"
    return f"{t:.{digits}f} s" if t else "0"


class Line(NamedTuple):
    """A line of a chart."""

    name: str
    points: Sequence[tuple[float, float]]
    stepped: bool = False


def plot(axis: Axis, lines: Sequence[Line], top: float, label: str, unit: str) -> Markup:
    """Return a chart of lines over time.

    Args:
        axis: the times.
        lines: what is drawn, told apart by color and by dashes.
        top: value at the upper edge.
        label: what one is told who does not see it.
        unit: what stands at the upper edge.
    """
    paths = [
        tag("path", d=_path(axis, line, top), class_=f"line l{n}") for n, line in enumerate(lines)
    ]
    drawn = tag(
        "svg", *paths, viewBox=f"0 0 {WIDTH} {_HEIGHT}", preserveAspectRatio="none", role="img",
        aria_label=label,
    )  # fmt: skip
    names = [tag("li", line.name, class_=f"l{n}") for n, line in enumerate(lines)]
    return tag(
        "figure",
        tag("figcaption", tag("ul", *names, class_="legend")),
        tag("div", tag("span", unit, class_="top"), drawn, class_="plot"),
        axis.ticks(),
        class_="chart",
    )


def _path(axis: Axis, line: Line, top: float) -> Markup:
    at: list[str] = []
    before = None
    for t, value in line.points:
        x, y = axis.x(t), round(_HEIGHT * (1 - min(1.0, max(0.0, value / (top or 1)))))
        if before is not None and line.stepped:
            at.append(f"L{x} {before}")
        at.append(f"{'L' if at else 'M'}{x} {y}")
        before = y
    if len(line.points) == 1:
        at.append(f"h{WIDTH // 100}")
    return join(at)
