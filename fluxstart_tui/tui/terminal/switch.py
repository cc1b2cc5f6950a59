"""The line that names all terminals and shows which one is in front."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluxstart_tui.tui.widgets.bar import Item

PREVIOUS, NEXT = "previous", "next"
"""What the arrows at the ends are called."""

_HEAD = " rank "
_ARROW = " ◂ ", " ▸ "


class Label(NamedTuple):
    """What a terminal is called in the line."""

    text: str
    tone: str
    name: str
    """What is told when it is clicked."""


def items(labels: Sequence[Label], current: str, width: int) -> list[Item]:
    """Return what the line shows: the page of labels on which the current one is.

    Args:
        labels: all of them.
        current: name of the one in front.
        width: cells that there are.
    """
    page, more = _page(labels, current, width - len("".join((_HEAD, *_ARROW))))
    shown: list[Item] = [(_HEAD, "dim", "", "")]
    if page and page[0] != labels[0]:
        shown.append((_ARROW[0], "title", "", PREVIOUS))
    for label in page:
        on = "cursor" if label.name == current else ""
        shown.append((f" {label.text} ", label.tone, on, label.name))
    if more:
        shown.append((_ARROW[1], "title", "", NEXT))
    return shown


def _page(labels: Sequence[Label], current: str, width: int) -> tuple[Sequence[Label], bool]:
    """Return the labels of a page, and whether others come after it.

    Pages begin at fixed places, so that labels do not move while one goes from one to the next;
    only the last one is filled up with those before.
    """
    begin, used, found = 0, 0, False
    for at, label in enumerate(labels):
        cells = cell_len(label.text) + 2
        if at > begin and used + cells > width:
            if found:
                return labels[begin:at], True
            begin, used = at, 0
        used += cells
        found = found or label.name == current
    while begin and used + cell_len(labels[begin - 1].text) + 2 <= width:
        begin -= 1
        used += cell_len(labels[begin].text) + 2
    return labels[begin:], False
