"""What one can choose in the Output view; each choice is kept whatever becomes of the others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fluxstart_tui.tui.lines_block import SHOWN
from fluxstart_tui.tui.lines_filter import Filter
from fluxstart_tui.tui.lines_severity import Severity
from fluxstart_tui.tui.widgets.lines_paint import TIMES, Looks

if TYPE_CHECKING:
    from typing import TypeVar

    from fluxstart_tui.tui.lines_filter import Matcher

    T = TypeVar("T")

FAIR = 20
"""Lines of a rank in a second, if each is to have its share."""


@dataclass(frozen=True)
class Options:
    """All that one can choose."""

    wanted: Filter = field(default_factory=Filter)
    merged: bool = False
    fair: bool = False
    looks: Looks = field(default_factory=Looks)
    beside: tuple[int, ...] = ()
    """Ranks that are shown side by side."""
    search: Matcher | None = None


_STREAMS = (frozenset(SHOWN), *(frozenset((one,)) for one in SHOWN))
_LEVELS = (None, Severity.WARNING, Severity.ERROR)


def _after(values: tuple[T, ...], value: T) -> T:
    return values[(values.index(value) + 1) % len(values)]


def toggled(options: Options, what: str) -> Options:
    """Return options with one of them switched on, off, or to its next value.

    Args:
        options: as they are.
        what: merge, fair, wrap, times, streams, levels, inverse, or clear for no filter.
    """
    wanted, looks = options.wanted, options.looks
    if what == "merge":
        return replace(options, merged=not options.merged)
    if what == "fair":
        return replace(options, fair=not options.fair)
    if what == "wrap":
        looks = replace(looks, wrap=not looks.wrap)
    elif what == "times":
        looks = replace(looks, times=_after(TIMES, looks.times))
    elif what == "streams":
        wanted = replace(wanted, streams=_after(_STREAMS, wanted.streams))
    elif what == "levels":
        wanted = replace(wanted, worst=_after(_LEVELS, wanted.worst))
    elif what == "inverse":
        wanted = replace(wanted, inverse=not wanted.inverse)
    elif what == "clear":
        wanted = Filter()
    return replace(options, wanted=wanted, looks=looks)
