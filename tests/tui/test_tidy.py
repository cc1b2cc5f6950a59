"""An app that has garbage collected when nobody types."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING

from fluxstart_tui.tui import tidy

if TYPE_CHECKING:
    import pytest


class Knot:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.knot = self


def old_garbage() -> weakref.ref[Knot]:
    """Return a reference to garbage that younger collections have left alone."""
    one = Knot()
    for _ in range(tidy._DUE):
        gc.collect(1)
    return weakref.ref(one)


def test_garbage_stays_while_somebody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not collected soon after a key, is once nobody types; Python gets back what it had."""
    before = gc.get_threshold()

    async def story() -> None:
        app = tidy.TidyApp()
        async with app.run_test() as pilot:
            assert gc.get_threshold()[:2] == before[:2]
            assert gc.get_threshold()[2] > before[2]
            monkeypatch.setattr(tidy, "_QUIET", 3600.0)
            await pilot.press("a")
            garbage = old_garbage()
            app.tidy()
            assert garbage() is not None
            monkeypatch.setattr(tidy, "_QUIET", 0.0)
            app.tidy()
            assert garbage() is None

    asyncio.run(story())
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
