"""What one can do to an instance from any view: the exit timer, signals, PMI, quitting."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING

from fluxstart_tui.diagnose.words import who
from fluxstart_tui.rfc import idset
from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.tui import exit_timer, signals
from fluxstart_tui.tui.screens.ask import Ask, Prompt
from fluxstart_tui.tui.view import View
from fluxstart_tui.tui.views.detail import DetailView

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from textual.app import App

    from fluxstart_tui.tui.app import FluxApp

_EXTENSION = 60.0


def _request(
    app: FluxApp, topic: str, payload: dict[str, Any], done: str | Callable[..., str]
) -> None:
    """Call the start service and say what has come of it: `done`, made of the answer."""
    commands = app.source.commands
    if commands is None:
        _unable(app)
        return

    async def call() -> None:
        try:
            answer = await commands.call(topic, payload)
        except RpcError as error:
            app.notify(f"{topic}: {error}", severity="error", markup=False)
        else:
            told = done if callable(done) else done.format
            app.notify(told(**answer), markup=False)

    app.run_worker(call(), exclusive=False)


def _unable(app: FluxApp) -> bool:
    if app.source.commands is None:
        ended = app.model.replay is None and app.model.ended
        why = "it has ended" if ended else "it is only a record"
        app.notify(f"this instance takes no commands: {why}", severity="warning")
    return app.source.commands is None


def timer(app: FluxApp) -> None:
    """Ask what to do about the exit timer."""
    if _unable(app):
        return
    if not exit_timer.runs(app.model):
        app.notify(exit_timer.told(app.model) or "the exit timer does not run", markup=False)
        return

    def answered(key: str | None) -> None:
        if key == "e":
            payload = {"action": "extend", "seconds": _EXTENSION}
            _request(app, "start.timer", payload, "extended: {remaining:.0f} s are left")
        elif key == "c":
            _request(app, "start.timer", {"action": "cancel"}, "the exit timer is cancelled")
        elif key == "k":
            _request(app, "start.timer", {"action": "fire"}, "killed ranks {ranks}")

    answers = [("e", "extend by 60 s"), ("c", "cancel the timer"), ("k", "kill now")]
    app.push_screen(exit_timer.TimerMenu(app.model, answers), answered)


def send_signal(app: FluxApp) -> None:
    """Ask which signal the chosen ranks are to get, or else those under the cursor."""
    view = app.view
    if _unable(app) or view is None:
        return
    if not any(app.model.state.broker(rank).running for rank in view.targets):
        app.notify(f"{view.whom}: nothing runs that could take a signal", severity="warning")
        return
    signals.ask(
        app, view.targets, view.whom,
        lambda payload, done: _request(app, "start.signal", payload, done),
        partial(exit_timer.warning, view),
    )  # fmt: skip


def resume(app: FluxApp, ranks: frozenset[int]) -> None:
    """Let ranks go on that a signal has stopped."""
    payload = {"ranks": idset.encode(ranks), "signum": int(signal.SIGCONT)}
    _request(app, "start.signal", payload, f"sent SIGCONT to {who(ranks)}")


def _held(ranks: str, *, barrier: bool, **_more: object) -> str:
    """Say what is held in PMI."""
    held = [f"ranks {ranks}"] * bool(ranks) + ["the barrier"] * barrier
    return f"Held in PMI: {' and '.join(held) or 'nothing'}."


def hold(app: FluxApp) -> None:
    """Ask what to hold in PMI or to release."""
    view = app.view
    if _unable(app) or view is None:
        return
    held = idset.encode(app.model.state.ranks(lambda broker: broker.held))
    barrier = app.model.state.barrier_held
    targets = idset.encode(view.targets)
    question = f"Hold ranks in PMI, or the barrier\n{_held(held, barrier=barrier)}"
    if all(one.pmi in ("finalize", "closed") for one in app.model.state.brokers.values()):
        question += "\nAll ranks are past PMI: this is for those that are started anew."
    whom = f"hold {view.whom}"
    answers = [("h", whom), ("b", "hold the barrier"), ("r", "release all")]

    def answered(key: str | None) -> None:
        payload: dict[str, Any] | None = {
            "h": {"hold": targets}, "b": {"hold": "barrier"}, "r": {"release": "all"}
        }.get(key or "")  # fmt: skip
        if payload is not None:
            _request(app, "start.pmi", payload, _held)

    app.push_screen(Ask(question, answers), answered)


def shut_down(app: FluxApp) -> None:
    """Begin an orderly end."""
    if not _unable(app):
        _request(app, "start.shutdown", {}, "the instance is being shut down")


def leave(app: FluxApp) -> None:
    """Quit, at once if no instance of ours would be left."""
    source = app.source
    code = source.poll()
    end = app.model.state.end
    if code is None and source.owned and end is not None:  # the engine is about to return it
        code = end.code
    if not source.owned or code is not None:
        app.exit(code if code is not None else 0)
        return
    running = app.model.state.ranks(lambda broker: broker.running)
    question = f"{len(running)} of {app.model.size} brokers run\nWhat becomes of them?"

    def answered(key: str | None) -> None:
        app.leaving = key in ("s", "k")
        if key == "s":
            shut_down(app)
        elif key == "k":
            _request(app, "start.timer", {"action": "fire"}, "killed ranks {ranks}")
        elif key == "l":
            source.let_go()
            app.exit(0)

    answers = [("s", "shut down"), ("k", "kill"), ("l", "leave running"), ("b", "back")]
    app.push_screen(Ask(question, answers), answered)


def after_the_end(app: FluxApp) -> None:
    """Say that the instance is over and what one can do now."""
    app.source.commands = None
    for view in app.screen_stack[0].query(View):
        view.commands = None
    end = app.model.state.end
    code = app.source.poll()
    if code is None and end is not None:
        code = end.code
    while isinstance(one := app.screen, Ask | Prompt) and not (
        isinstance(one, Ask) and one.lasting
    ):
        one.dismiss(None)  # what was asked can not be done any more
    if app.leaving:
        app.exit(code)
        return
    text = f"The instance has ended with exit code {code}"
    if app.model.cut:
        said = app.source.complaints.rpartition("\n")[2]
        how = f" with exit code {code}" if app.source.owned else ""
        text = f"The engine is gone{how}{said and f': {said}'}, its guardian ends what it has run"
    then = f"{app.keymap.text('{app.quit}')} quits"
    if app.source.owned:
        then += " and returns that code"
    else:
        then = f"all views show what was recorded; {then}, --replay={app.source.directory} plays it"
    app.notify(
        f"{text}; {then}",
        severity="information" if code == 0 else "error",
        timeout=10,
        markup=False,
    )


async def look_at(app: App[Any], section: str) -> None:
    """Show what there is to say of all brokers at once: "Waits" or "Stacks"."""
    await app.run_action("show('detail')")
    app.query_one(DetailView).look_at(section)
