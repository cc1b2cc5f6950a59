"""The views and the keys that show them, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from fluxstart_tui.tui import keymap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

_CURRENT = Style(bold=True, reverse=True)
_KEY = Style(bold=True)
_TEXT = Style(dim=True)
_SHORT = {
    "Timeline": "Time", "Terminal": "Term", "Findings": "Why", "Detail": "Det", "Brokers": "Brok",
    "Output": "Out", "Launch": "Lnch",
}  # fmt: skip
"""Titles as they are where there is no room for all of them, in the order in which they shrink."""


_ASIDE = frozenset(("Detail", "Findings"))
"""Titles that go first where there is no room: their keys are told elsewhere when they matter."""


class Tab(NamedTuple):
    """One view, or something else that a key does."""

    key: str
    """As keymap.Keymap.text takes it."""
    title: str
    action: str
    name: str = ""
    """The view's name, "" if it is none."""


class Tabs(Widget):
    """Shows which view is shown, and how to get to the others by key or click.

    Args:
        tabs: in order; where there is no room, blanks between them go, then those aside, unless
            they are the view that is shown, and then titles are short.
    """

    DEFAULT_CSS = "Tabs { dock: bottom; height: 1; background: $panel; color: $foreground; }"

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, tabs: Sequence[Tab]) -> None:
        super().__init__()
        self._tabs = tabs
        self._current = ""
        self._ends: list[tuple[int, str]] = []
        self._typing = False
        self._hindered = False

    def look(self, *, hindered: bool) -> None:
        """Show no keys while a program on a terminal gets them.

        Args:
            hindered: whether something hinders the instance, so that its key must be seen.
        """
        typing = bool(getattr(self.screen.focused, "captured", False))
        if (typing, hindered) != (self._typing, self._hindered):
            self._typing, self._hindered = typing, hindered
            self.refresh()

    def show(self, name: str) -> None:
        """Mark a view as the current one."""
        if name != self._current:
            self._current = name
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is but one line
        """Paint it."""
        width = self.size.width
        shown = keymap.of(self.app)
        head = shown.text(" {terminal.leave} leaves · click:") if self._typing else ""
        room = width - len(head)
        tabs = self._tabs
        keys, titles = self._labels(tabs)
        blank = " " if _length(keys, titles) <= room else ""
        if _length(keys, titles, blank) > room:
            aside = _ASIDE - {"Findings"} if self._hindered else _ASIDE
            tabs = [one for one in tabs if one.title not in aside or one.name == self._current]
            keys, titles = self._labels(tabs)
        own = next((tab.title for tab in tabs if tab.name and tab.name == self._current), "")
        gone = ((_SHORT.get(one, one), "") for one in reversed(titles))
        for title, short in [*_SHORT.items(), *gone]:
            if title in titles and title != own and _length(keys, titles, blank) > room:
                titles[titles.index(title)] = short
        at = len(head)
        segments = [Segment(head, _KEY)]
        self._ends = [(at, "")]
        for tab, key, title in zip(tabs, keys, titles, strict=True):
            current = tab.name and tab.name == self._current
            label = f" {key}" if key else "", f" {title}{blank}" if title else blank
            segments.append(Segment(label[0], _CURRENT if current else _KEY))
            segments.append(Segment(label[1], _CURRENT if current else _TEXT))
            at += sum(map(len, label))
            self._ends.append((at, tab.action))
        strip = Strip(segments).adjust_cell_length(width)
        return strip.apply_style(self.rich_style)

    def _labels(self, tabs: Sequence[Tab]) -> tuple[list[str], list[str]]:
        shown = keymap.of(self.app)
        keys = ["" if self._typing else shown.text(tab.key) for tab in tabs]
        return keys, [tab.title for tab in tabs]

    def on_click(self, event: events.Click) -> None:
        """Do what the key of the tab does."""
        for end, action in self._ends:
            if event.x < end:
                if action:
                    self.post_message(self.Chosen(action))
                return


def _length(keys: Sequence[str], titles: Sequence[str], blank: str = " ") -> int:
    return sum(
        (len(key) + 1 if key else 0) + len(blank) + (len(title) + 1 if title else 0)
        for key, title in zip(keys, titles, strict=True)
    )
