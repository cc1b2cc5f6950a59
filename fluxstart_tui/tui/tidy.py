"""The app as one that tidies up when nobody waits: no key is held up by the garbage collector."""

from __future__ import annotations

import gc
import time

from textual import events, on
from textual.app import App

_DUE, _LATE = 20, 300
"""Collections of younger objects before one of all is worth its time, and before Python takes it
whoever waits, so that garbage has an end."""
_QUIET = 1.0
"""Seconds without a key or a mouse after which nobody waits."""


class TidyApp(App[int]):
    """Has garbage among its older objects collected only while nobody types.

    A large session has some hundred thousand objects, and a look at all of them takes up to a tenth
    of a second. Left to itself Python takes it when many have been made: when a view is opened.
    """

    _used = 0.0
    _thresholds = gc.get_threshold()

    @on(events.Mount)
    def begin_to_tidy(self) -> None:
        """Leave out what was there before the first view was, and time the rest."""
        gc.freeze()
        self._thresholds = gc.get_threshold()
        gc.set_threshold(*self._thresholds[:2], _LATE)
        self.set_interval(_QUIET, self.tidy)

    @on(events.Unmount)
    def leave_untidy(self) -> None:
        """Leave it all to Python again."""
        gc.set_threshold(*self._thresholds)
        gc.unfreeze()

    async def on_event(self, event: events.Event) -> None:
        """Take note of who types."""
        if isinstance(event, events.InputEvent):
            self._used = time.monotonic()
        await super().on_event(event)

    def tidy(self) -> None:
        """Collect garbage if there may be some and nobody waits."""
        if time.monotonic() - self._used >= _QUIET and gc.get_count()[2] >= _DUE:
            gc.collect()
