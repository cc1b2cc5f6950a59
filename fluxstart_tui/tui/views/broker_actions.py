"""What can be done to a broker: signals, starting it, holding it in PMI, a debugger, a shell."""

from __future__ import annotations

import os
import shutil
import signal
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.diagnose.progress import would_be_deserted
from fluxstart_tui.diagnose.words import who
from fluxstart_tui.rfc import idset
from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.tui import exit_timer, signals
from fluxstart_tui.tui.screens.ask import Ask
from fluxstart_tui.tui.views.detail_text import unreadable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fluxstart_tui.tui.views.detail import DetailView

_YES_NO = [("y", "yes"), ("n", "no")]


class Action(NamedTuple):
    """Something that can be done to the broker that is shown, or to the chosen ones."""

    key: str
    """The key for it, as Textual names it."""
    label: str
    reason: Callable[[DetailView], str]
    """Says why it can not be done now; "" if it can."""
    run: Callable[[DetailView], None]


def _call(view: DetailView, done: str, *calls: tuple[str, dict[str, Any]]) -> None:
    """Make calls one after the other and say what has come of them."""
    commands = view.commands
    assert commands is not None

    async def call() -> None:
        try:
            for topic, payload in calls:
                await commands.call(topic, payload)
        except RpcError as error:
            view.app.notify(f"{topic}: {error}", severity="error", markup=False)
        else:
            view.app.notify(done, markup=False)

    view.run_worker(call(), exclusive=False)


def _commandless(view: DetailView) -> str:
    return "" if view.commands is not None else "a record takes no commands"


def _not_running(view: DetailView) -> str:
    ranks = view.targets
    if any(view.model.state.broker(rank).running for rank in ranks):
        return _commandless(view)
    return _commandless(view) or "it does not run"


def _ask_signal(view: DetailView) -> None:
    signals.ask(
        view.app, view.targets, view.whom,
        lambda payload, done: _call(view, done, ("start.signal", payload)),
        partial(exit_timer.warning, view),
    )  # fmt: skip


def _start(view: DetailView) -> None:
    rank = view.rank
    running = view.model.state.broker(rank).running
    question = f"Start rank {rank}?"
    calls: list[tuple[str, dict[str, Any]]] = [("start.run", {"rank": rank})]
    if running:
        question = f"End rank {rank} and start it again?\nIt gets SIGTERM; others may miss it."
        end = {"rank": rank, "signum": int(signal.SIGTERM)}
        calls = [("start.kill", end), ("start.wait", {"rank": rank}), *calls]

    if would_be_deserted(view.model.state, rank):
        question += "\nIt will not get back in: it will wait in PMI barrier 1, which the others"
        question += " have left. Only all ranks together get through PMI."

    def confirmed(answer: str | None) -> None:
        if answer == "y":
            _call(view, f"rank {rank} was started", *calls)

    view.app.push_screen(Ask(question, _YES_NO), confirmed)


def _held(view: DetailView) -> bool:
    return any(view.model.state.broker(rank).held for rank in view.targets)


def _unholdable(view: DetailView) -> str:
    state = view.model.state
    past = all(state.broker(rank).pmi in ("finalize", "closed") for rank in view.targets)
    return _commandless(view) or ("it is past PMI" if past and not _held(view) else "")


def _hold(view: DetailView) -> None:
    ranks = view.targets
    verb, done = ("release", "released") if _held(view) else ("hold", "held")

    def confirmed(answer: str | None) -> None:
        if answer == "y":
            _call(view, f"{who(ranks)} {done}", ("start.pmi", {verb: idset.encode(ranks)}))

    question = f"{verb.capitalize()} {view.whom} in PMI?"
    view.app.push_screen(Ask(question, _YES_NO), confirmed)


def _undebuggable(view: DetailView) -> str:
    return unreadable(view.model, view.rank) or ("" if shutil.which("gdb") else "there is no gdb")


def _debug(view: DetailView) -> None:
    pid = view.model.state.broker(view.rank).pid
    view.launch(f"gdb rank {view.rank}", ["gdb", "-p", str(pid)], {})


def _shellless(view: DetailView) -> str:
    if view.model.ended or view.model.replay is not None:
        return "the instance has ended" if view.model.ended else "a record takes no commands"
    return "" if view.model.state.attributes.get("local-uri") else "rank 0 has no URI yet"


def _shell(view: DetailView) -> None:
    uri = view.model.state.attributes["local-uri"]
    view.launch("shell", [os.environ.get("SHELL") or "/bin/sh"], {"FLUX_URI": uri})


def _without_terminal(view: DetailView) -> str:
    has_one = view.rank in view.model.terminals
    return "" if has_one else "the rank has no terminal: --pty gives it one"


def _show_terminal(view: DetailView) -> None:
    view.app.call_later(view.app.run_action, "app.terminal")


ACTIONS = (
    Action("s", "signal", _not_running, _ask_signal),
    Action("r", "start", _commandless, _start),
    Action("h", "hold", _unholdable, _hold),
    Action("ctrl+t", "terminal", _without_terminal, _show_terminal),
    Action("D", "gdb", _undebuggable, _debug),
    Action("exclamation_mark", "shell", _shellless, _shell),
    Action("w", "waits", lambda _: "", lambda view: view.look_at("Waits")),
    Action("b", "stacks", lambda _: "", lambda view: view.look_at("Stacks")),
)
"""All of them; the app may offer them in its palette: `action.run(view)` unless there is a
reason not to."""
