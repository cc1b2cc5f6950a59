"""What the frame of a terminal says: where keys go, and how the program is."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluxstart_tui.tui.model import Model

CAPTURED = "⌨ keys go to the program · ctrl+] leaves"
RELEASED = "Terminal · Enter or click: keys go to the program"
RECORDED = "Terminal · as recorded"
WATCHED = "Terminal · to look at only"


EMPTY = ["", "  Nothing has been written to this terminal yet."]


def missing(reason: str) -> list[str]:
    """Say that there is no emulator, and what to do."""
    return [
        "",
        "  There is no terminal emulator for this machine:",
        f"  {reason}",
        "",
        "  o   hands the program the real terminal until ctrl+]",
    ]


def title(model: Model, *, types: bool, captured: bool) -> str:
    """Say where keys go.

    Args:
        model: the session.
        types: whether there is somebody to take them.
        captured: whether the program gets them.
    """
    if model.replay is not None or (model.ended and not types):
        return RECORDED
    if not types or model.ended:
        return WATCHED
    return CAPTURED if captured else RELEASED


def state(model: Model, rank: int) -> str:
    """Say in words how the program on a rank's terminal is."""
    if rank:
        broker = model.state.broker(rank)
        return f"rank {rank}: {'running' if broker.running else 'not running'}"
    program = model.state.program
    if program is None:
        return "the instance has ended" if model.ended else "the initial program has not started"
    if program.action == "started":
        return "the instance has ended" if model.ended else ""
    return f"the initial program has ended{_code(program.code)}"


def _code(code: int) -> str:
    if code == 0:
        return ""
    if code > 128:
        try:
            return f" by {signal.Signals(code - 128).name}"
        except ValueError:
            pass
    return f" with code {code}"
