"""An instance as it was before its end."""

from __future__ import annotations

from fluxstart_tui.diagnose.rewind import rewind
from fluxstart_tui.session import events as e
from fluxstart_tui.session.state import replay


def test_a_conversation_that_was_closed_is_where_it_was() -> None:
    """Since when, too: the time is evidence."""
    timed: list[tuple[float, e.Event]] = [
        (0.1, e.Spawn(0, 7)), (0.2, e.Pmi(0, "init")), (0.3, e.Pmi(0, "put")),
        (4.0, e.Pmi(0, "closed")),
    ]  # fmt: skip
    broker = rewind(replay(timed, 1), 4.0).broker(0)
    assert (broker.pmi, broker.pmi_since) == ("put", 0.3)
