"""Post-mortems as they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxstart_tui.report import summary
from fluxstart_tui.report.text import text
from fluxstart_tui.session.state import replay
from tests.diagnose.blocks import HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.diagnose.blocks import Timed

TAILS = {
    0: [
        (
            "Nov 22 06:51:22 UTC 2026 overlay.err[0]: "
            "bootstrap.barrier: simple: barrier: operation failed"
        )
    ],
    3: [
        "\x1b]0;a title\x07\x1b[1mcheck: 17 tests\x1b[0m\r\r",
        " 9 %\r99 %\rcheck: 3 h\xe4ngen\x07\r",
    ],
}


def printed(timed: Timed, size: int = 4, directory: str = "/s/1", **header: object) -> str:
    """Return the text of the summary of these events."""
    state = replay(timed, size)
    tail: Callable[[int], list[str]] = lambda rank: TAILS.get(rank, [])  # noqa: E731
    return text(summary.summarize(HEADER | header, state, tail, directory=directory))
