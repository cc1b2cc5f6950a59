"""Run a launcher on the engine's stage: `--launcher`."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from fluxstart_tui import process
from fluxstart_tui.engine import command, launch_command
from fluxstart_tui.engine.deadline import Deadline
from fluxstart_tui.engine.errors import LaunchError, reason
from fluxstart_tui.engine.launch_control import LaunchControl
from fluxstart_tui.engine.launched import Launched
from fluxstart_tui.engine.preflight import Preflight
from fluxstart_tui.engine.processes import TAG
from fluxstart_tui.engine.stage import Outcome, Stage
from fluxstart_tui.engine.status_line import StatusLine
from fluxstart_tui.engine.tether import Tether
from fluxstart_tui.launchers import assemble, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.engine.status_line import MakeTeller
    from fluxstart_tui.launchers.assemble import Assembly
    from fluxstart_tui.options import Options
    from fluxstart_tui.session.said import Checker, Reader

    MakeReader = Callable[[Assembly, int, float, Messages], Reader]
    """Given a launch, its size if that was asked for, and the wall clock time of its start."""
    MakeChecker = Callable[[Assembly, int, float, Messages], Checker]

_VERSION_TIMEOUT = 5.0
_STOP = ("TERM", "KILL")
"""How a launcher is ended that is not known."""


def run(
    options: Options,
    located: Located,
    make_reader: MakeReader,
    make_checker: MakeChecker,
    make_teller: MakeTeller | None = None,
) -> Outcome:
    """Run a launch from start to end.

    Args:
        options: the command line; `launcher` is given.
        located: what the launcher is to start.
        make_reader: makes what understands the launcher's output.
        make_checker: the same for --preflight.
        make_teller: makes what puts its progress in words, if that is to be told.

    Raises:
        LaunchError: it could not be started; nothing is left of it.
    """
    stage = Stage(options, lambda: None)
    try:
        process.secure_descriptors()
        assembly = _plan(stage, options, located)
        if options.noexec:
            stage.messages.say(f"running: {assembly.by_hand}")
            return stage.outcome(0)
        launched, preflight = _make(stage, options, located, assembly, make_reader, make_checker)
        deadline = Deadline(stage, options.timeout, launched.local.pids, launched.expire)
        status = StatusLine(stage, make_teller(stage.header)) if make_teller is not None else None
        try:
            if preflight is None or preflight.passes():
                stage.messages.say(f"running: {assembly.by_hand}")
                launched.run()
        except (LaunchError, OSError) as error:
            stage.failed(error)
            raise
        finally:
            deadline.close()
            if status is not None:
                status.close()
            stage.flush(lambda: launched.signals)
            signum = 0 if launched.expired else launched.ended_by
            stage.conclude(launched.code, signum, located.words[0])
    except OSError as error:
        raise LaunchError(f"can not run a launch: {reason(error)}") from error
    finally:
        stage.close()
    return stage.outcome(launched.code)


def _plan(stage: Stage, options: Options, located: Located) -> Assembly:
    """Put the command together."""
    stage.settle()
    uri = _uri(stage)
    assembly = assemble.assemble(
        options.launcher,
        launch_command.start(located),
        launch_command.given(options),
        options.command or launch_command.WAITING,
        tag=uri,
        version=_version(options.launcher, located.env),
        raw=options.launcher_raw,
        tap=_tap(options.pmi_tap),
    )
    for text in assembly.notes:
        stage.messages.say(text)
    return assembly


def _uri(stage: Stage) -> str:
    """Return the start service's address, which marks all processes of the launch on this host."""
    return command.start_uri(os.path.abspath(stage.place.path))


def _make(
    stage: Stage,
    options: Options,
    located: Located,
    assembly: Assembly,
    make_reader: MakeReader,
    make_checker: MakeChecker,
) -> tuple[Launched, Preflight | None]:
    """Make the launch, and what goes before it."""
    asked = table.asked(options.launcher) or 0
    stage.begin(
        {
            "broker": list(located.words),
            "broker_kind": located.kind,
            "mode": "launcher",
            "launcher": assembly.launcher.name if assembly.launcher is not None else "",
            "launch": assembly.argv,
            "command": assembly.command,
            "by_hand": assembly.by_hand,
            "rundir": os.path.abspath(stage.place.path),
            "size": asked,
            "terminals": "",
        }
    )
    epoch = time.time() - stage.record.now()
    reader = make_reader(assembly, asked, epoch, stage.messages)
    env = {**located.env, TAG: _uri(stage)}
    stop = assembly.launcher.stop if assembly.launcher is not None else _STOP
    launched = Launched(stage, assembly.argv, lambda _fd: env, stop, reader)
    stage.serve(LaunchControl(launched, stage.record, stage.header, reader))
    if stage.session is not None:
        stage.session.sample(launched.local.pids)
    if options.tether is not None:
        Tether(stage.reactor, options.tether, launched.interrupt)
    if not options.preflight:
        return launched, None
    checker = make_checker(assembly, asked, epoch, stage.messages)
    exchange = [*assembly.before, *launch_command.exchange(located)]
    return launched, Preflight(stage, launched, exchange, checker)


def _version(words: Sequence[str], env: dict[str, str]) -> str:
    """Return what a launcher says of its version, "" if it says nothing in time."""
    at = table.start(words)
    if at is None:
        raise LaunchError("--launcher: names no command")
    if os.path.basename(words[at]) not in table.SHARED:
        return ""
    try:
        done = subprocess.run(
            [words[at], "--version"], env=env, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_VERSION_TIMEOUT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")


def _tap(wanted: str) -> tuple[str, ...]:
    if not wanted:
        return ()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    words = (sys.executable, "-I", "-S", os.path.join(root, "tap", "__main__.py"))
    return (*words, "--bridge") if wanted == "bridge" else words
