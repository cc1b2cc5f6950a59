"""What the frame of a terminal says: where keys go, and how the program is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxstart_tui.session.signals import signame

if TYPE_CHECKING:
    from fluxstart_tui.tui.model import Model

CAPTURED = "⌨ keys go to the program · {terminal.leave} leaves"
RELEASED = "{terminal.type} or click: keys go to the program"
STOPPED = "‖ the program is stopped · {terminal.continue} continues it"
RECORDED = "as recorded"
WATCHED = "to look at only"


EMPTY = ["", "  Nothing has been written to this terminal yet."]
LAUNCHED = [
    "",
    "  Brokers under a launcher have no terminal here: what they print is in Output.",
    "  Without a program of yours a shell opens here as soon as the instance is up.",
]
OBSERVED = ["", "  What this instance prints, only those see who have started it."]
_BY_MODE = {"launcher": LAUNCHED, "observed": OBSERVED}


def empty(model: Model) -> list[str]:
    """Say that there is nothing to be seen, and why."""
    return _BY_MODE.get(str(model.header.get("mode")), EMPTY)


def missing(reason: str) -> list[str]:
    """Say that there is no emulator, and what to do."""
    return [
        "",
        "  There is no terminal emulator for this machine:",
        f"  {reason}",
        "",
        "  o   hands the program the real terminal until ctrl+]",
    ]


def title(model: Model, name: str, *, types: bool, captured: bool) -> str:
    """Say where keys go, as keymap.Keymap.text takes it.

    Args:
        model: the session.
        name: whose terminal; "" for the one that is always there.
        types: whether there is somebody to take them.
        captured: whether the program gets them.
    """
    name = f"{name} · " if name else ""
    if captured:
        return name + CAPTURED
    name = f"Terminal · {name}"
    if model.replay is not None or (model.ended and not types):
        return name + RECORDED
    if not types or model.ended:
        return name + WATCHED
    return name + RELEASED


def state(model: Model, rank: int, *, captured: bool) -> str:
    """Say in words how the program on a rank's terminal is, as keymap.Keymap.text takes it.

    Args:
        model: the session.
        rank: whose terminal.
        captured: whether the program gets keys, so that one has to leave before the next.
    """
    if model.state.broker(rank).stopped and not model.ended:
        return STOPPED.replace("· ", "· {terminal.leave} ") if captured else STOPPED
    if rank:
        broker = model.state.broker(rank)
        return f"rank {rank}: {'running' if broker.running else 'not running'}"
    program = model.state.program
    if program is None:
        return "the instance has ended" if model.ended else "the initial program has not started"
    if program.action == "started":
        return "the instance has ended" if model.ended else ""
    return f"the initial program has ended{_code(program.code)}"


def ended(code: int | None) -> str:
    """Say how a helper program is, given the exit code that it has ended with, if it has."""
    if code is None:
        return "has ended"
    return f"has ended{_code(code if code >= 0 else 128 - code)}"


def _code(code: int) -> str:
    if code == 0:
        return ""
    if code > 128:
        return f" by {signame(code - 128)}"
    return f" with code {code}"
