"""The table paints what is in view, sorts, and keeps its cursor on its row."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.app import App, ComposeResult

from fluxstart_tui.tui.widgets.table import Column, Table

if TYPE_CHECKING:
    from fluxstart_tui.tui.widgets.messages import Chose, Opened


class TableHost(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.painted: set[int] = set()
        self.values = {key: (key * 37) % 1000 for key in range(1000)}
        self.told: list[object] = []

    def compose(self) -> ComposeResult:
        def value(key: int) -> tuple[str, str]:
            self.painted.add(key)
            return str(self.values[key]), "plain"

        yield Table([
            Column("key", 5, lambda key: (str(key), "strong"), lambda key: key, right=True),
            Column("value", 6, value, lambda key: self.values[key], right=True, falling=True),
            Column("note", 4, lambda key: (f"[b]{key} {'wide ' * 40}", "dim"), flexible=True),
            Column("least", 30, lambda _: ("", "dim"), gives_way=1),
        ])  # fmt: skip

    def on_chose(self, event: Chose) -> None:
        self.told.append(event.keys)

    def on_opened(self, event: Opened) -> None:
        self.told.append(event.key)

    @property
    def rows(self) -> list[str]:
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


def test_rows_in_view_alone_are_asked_for_and_the_cursor_follows_its_row() -> None:
    async def run() -> None:
        app = TableHost()
        async with app.run_test(size=(40, 10)) as pilot:
            table = app.query_one(Table)
            table.focus()
            table.show(range(1000))
            await pilot.pause()
            assert app.rows[0].split() == ["▲key", "value", "note"]  # no room for the last column
            assert app.rows[1].split()[:3] == ["0", "0", "[b]0"]  # a child's text is no markup
            assert len(app.painted) <= 12
            await pilot.press("down", "down")
            assert table.cursor == 2
            table.sort(1)
            await pilot.pause()
            assert app.rows[0].split()[1] == "▼value"
            assert table.keys[0] == 27  # 27 * 37 % 1000 = 999
            assert any(row.split()[:2] == ["2", "74"] for row in app.rows[1:])  # still in view
            await pilot.click(table, offset=(3, 0))
            assert table.sort_by == 0
            await pilot.press("home", "x", "shift+down", "enter")
            assert app.told == [frozenset({0}), frozenset({0, 1}), 1]
            table.show([])
            await pilot.pause()
            assert app.rows[1] == " nothing to show"

    asyncio.run(run())


def test_other_columns_have_other_titles_at_once() -> None:
    async def run() -> None:
        app = TableHost()
        async with app.run_test(size=(40, 10)) as pilot:
            table = app.query_one(Table)
            table.show(range(10))
            await pilot.pause()
            table.set_columns(table.columns[:2])
            table.show(range(10))
            await pilot.pause()
            assert app.rows[0].split() == ["▲key", "value"]
            assert app.rows[1].split() == ["0", "0"]

    asyncio.run(run())
