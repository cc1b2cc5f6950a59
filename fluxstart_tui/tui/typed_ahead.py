"""The app as a typist's aid: no key is lost that was typed before a line was there to take it."""

from __future__ import annotations

from textual import events

from fluxstart_tui.tui.tidy import TidyApp
from fluxstart_tui.tui.widgets.lines_bars import Question


class TypedAheadApp(TidyApp):
    """Passes keys on that went to a view before the question was there that they are for.

    What a terminal sends at once is given to the widget that has the focus then: of `/text` all is
    on its way to the view before the view has seen the `/`.
    """

    def on_key(self, event: events.Key) -> None:
        """Give a key that nobody wanted to the question if it was typed before that was asked."""
        asked = self.focused
        if isinstance(asked, Question) and event.time <= asked.asked:
            event.prevent_default()
            self.post_message(events.Key(event.key, event.character))  # as if typed now
