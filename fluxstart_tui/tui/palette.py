"""What the command palette offers: all that has a key in the view that is shown or in the app."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from fluxstart_tui.tui import actions
from fluxstart_tui.tui.screens import help as help_screen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import Any

    from textual.screen import Screen

    from fluxstart_tui.tui.app import FluxApp


def commands(app: FluxApp, screen: Screen[Any]) -> Iterable[SystemCommand]:
    """Yield what there is to do, with its key."""
    yield SystemCommand("Shut down", "end the instance in order", partial(actions.shut_down, app))
    yield SystemCommand(
        "Waits of all brokers",
        "what their threads wait in, equal ones together",
        _runner(partial(actions.look_at, app, "Waits")),
    )
    yield SystemCommand(
        "Stacks of all brokers",
        "by gdb, equal ones together",
        _runner(partial(actions.look_at, app, "Stacks")),
    )
    yield SystemCommand(
        "Signs", "what signs of ranks and phases mean", partial(help_screen.show, app, legend=True)
    )
    offered = {"app.palette"}
    for node, binding, _, _ in screen.active_bindings.values():
        name = binding.id or ""
        if (node is app or node is app.view) and name and name not in offered:
            offered.add(name)
            where = "in every view" if node is app else "in this view"
            text = app.keymap.text(f"key {{{name}+}}, {where}")
            run = _runner(partial(app.run_action, binding.action, node))
            yield SystemCommand(binding.description, text, run)


def _runner(call: Callable[[], Awaitable[object]]) -> Callable[[], Any]:
    async def run() -> None:
        await call()

    return run
