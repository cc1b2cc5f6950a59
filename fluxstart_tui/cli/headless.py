"""Instances and launches without a UI, or under one."""

from __future__ import annotations

import gc
import os

from fluxstart_tui.cli import DROP_IN
from fluxstart_tui.engine.errors import LaunchError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from fluxstart_tui.diagnose.launch import live
    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.engine.stage import Outcome
    from fluxstart_tui.engine.status_line import MakeTeller
    from fluxstart_tui.launchers.assemble import Assembly
    from fluxstart_tui.options import Options

    W = TypeVar("W", bound=live.Watch)


_GARBAGE = 50_000
"""New objects after which garbage is looked for."""


def run(chosen: Options, located: Located, messages: Messages) -> int:
    """Run what the command line asks for, and return its exit code.

    Raises:
        LaunchError: it could not be started.
    """
    if not chosen.record:  # nobody wants to know more than what is said anyway
        return _run(chosen, located, messages, None).code
    from fluxstart_tui.cli.ci import Ci

    ci = Ci(chosen, messages)
    try:
        outcome = _run(chosen, located, messages, ci.make_teller)
    except LaunchError as error:
        ci.failed(error)
        raise
    ci.ended(outcome)
    return outcome.code


def _run(
    chosen: Options, located: Located, messages: Messages, make_teller: MakeTeller | None
) -> Outcome:
    if chosen.launcher:
        return _launch(chosen, located, make_teller)
    # What the imports make stays, as does most of what a boot makes: to look for garbage in it
    # takes milliseconds of those that all brokers wait for.
    gc.disable()
    from fluxstart_tui.engine import instance

    gc.freeze()
    gc.set_threshold(_GARBAGE)
    gc.enable()
    outcome = instance.run(chosen, located, make_teller)
    if outcome.code and chosen.summary and chosen.prog != DROP_IN:
        from fluxstart_tui.report import show  # never on success

        text = show.post_mortem(chosen.prog, outcome.header, outcome.events, outcome.session)
        messages.raw(text.encode())
    return outcome


def _launch(chosen: Options, located: Located, make_teller: MakeTeller | None) -> Outcome:
    """Run a launcher, and say what hinders its launch as soon as that is certain."""
    from fluxstart_tui.diagnose.launch import live, preflight
    from fluxstart_tui.engine import under_launcher
    from fluxstart_tui.engine.output import Output
    from fluxstart_tui.report import diagnosis, launch_log

    watches: list[live.Watch] = []

    def made(kind: type[W]) -> Callable[[Assembly, int, float, Messages], W]:
        def make(launch: Assembly, asked: int, epoch: float, messages: Messages) -> W:
            watch = kind(
                launch.launcher.grammar if launch.launcher is not None else "",
                asked,
                launch.command,
                epoch,
                plain=chosen.launcher_raw,
                found=lambda one: messages.say(f"[{one.id}] {one.sentence}"),
            )
            watches.append(watch)
            return watch

        return make

    outcome = under_launcher.run(
        chosen, located, made(live.Watch), made(preflight.Preflight), make_teller
    )
    # What has read nothing was not run: the launch itself, where its preflight has failed.
    read = next((watch for watch in watches if watch.launch.lines), None)
    if read is not None and chosen.summary and read.hindered:
        read.launch.session = outcome.session or ""
        found = diagnosis.report(launch_log.Log(read.launch, None, ""))
        output = Output(2)
        output.write(os.fsencode(diagnosis.for_terminal(found, chosen.prog)))
        output.close()
    return outcome
