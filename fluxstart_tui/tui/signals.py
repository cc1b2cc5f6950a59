"""Which signal to send to ranks, asked in the same way in every view."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from fluxstart_tui.rfc import idset
from fluxstart_tui.session.state import ranks_of
from fluxstart_tui.tui.screens.ask import Ask, Prompt

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from textual.app import App

    Send = Callable[[dict[str, Any], str], None]
    """Takes what start.signal does, and what to say when it was sent."""

_ANSWERS = [
    ("t", "TERM"), ("k", "KILL"), ("s", "STOP"), ("c", "CONT"), ("i", "INT"), ("u", "USR1"),
    ("o", "other signal or ranks"),
]  # fmt: skip
_HARMLESS = (signal.SIGSTOP, signal.SIGCONT)
"""Signals that can be taken back by the other of them, so that there is no second question."""


def ask(
    app: App[Any],
    ranks: frozenset[int],
    whom: str,
    send: Send,
    warn: Callable[[frozenset[int]], str] = lambda _: "",
) -> None:
    """Ask which signal some ranks are to get, and send it.

    Args:
        app: ours.
        ranks: those that get it, unless others are typed.
        whom: these ranks in words (View.whom).
        send: sends it.
        warn: says what follows if ranks end.
    """

    def picked(key: str | None) -> None:
        name = dict(_ANSWERS).get(key or "")
        if key == "o":
            hint = "SIGNAL RANKS: any signal's name or number; 3, 0-3,7 or all"
            text = f"TERM {idset.encode(ranks)}"
            app.push_screen(Prompt("Send a signal", text, hint), typed)
        elif name is not None:
            _confirm(app, name, idset.encode(ranks), send, warn)

    def typed(text: str | None) -> None:
        words = (text or "").split()
        if len(words) == 2:
            _confirm(app, words[0].upper().removeprefix("SIG"), words[1], send, warn)
        elif text:
            app.notify(f"'{text}' is not SIGNAL RANKS", severity="error", markup=False)

    app.push_screen(Ask(f"Which signal to {whom}?", _ANSWERS), picked)


def _confirm(
    app: App[Any], name: str, ranks: str, send: Send, warn: Callable[[frozenset[int]], str]
) -> None:
    numeral = name.isascii() and name.isdigit() and len(name) < 4
    number = int(name) if numeral else signal.Signals.__members__.get(f"SIG{name}")
    if number is None:
        app.notify(f"there is no signal {name}", severity="error", markup=False)
        return
    whom = f"rank {ranks}" if ranks.isdigit() else f"ranks {ranks}"

    def confirmed(key: str | None) -> None:
        if key == "y":
            send({"ranks": ranks, "signum": int(number)}, f"sent SIG{name} to {whom}")

    if number in _HARMLESS:
        confirmed("y")
    else:
        question = f"Send SIG{name} to {whom}?\n{warn(ranks_of(ranks))}".rstrip()
        app.push_screen(Ask(question, [("y", "yes"), ("n", "no")]), confirmed)
