"""The terminal UI: on an instance that is started, or on a session."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.options import Options


def live(words: list[str], chosen: Options, located: Located, before: str | None) -> int:
    """Start an instance in the terminal UI.

    Args:
        words: the command line.
        chosen: what it says.
        located: the broker.
        before: a session with which the launch is to be compared.
    """
    from fluxstart_tui import options
    from fluxstart_tui.cli import headless
    from fluxstart_tui.engine.errors import LaunchError, Messages, reason
    from fluxstart_tui.engine.output import Output
    from fluxstart_tui.tui import main as tui
    from fluxstart_tui.tui.settings import SettingsError

    prog = chosen.prog
    screen = os.get_terminal_size(1)  # what our child has there is no terminal

    def engine(settings: Sequence[str], directory: str, tether: int) -> int:
        """Run it, in a child of the UI's: what the command line says counts over settings."""
        given = options.parse(prog, [*settings, *words]).finish() if settings else chosen
        given = given._replace(record=True, record_dir=directory, tether=tether)
        given = given._replace(summary=False, progress=False)
        if not given.launcher:
            given = given._replace(terminal_size=_terminal_size(given, screen))
        messages = Messages(prog, Output(2))
        try:
            return headless.run(given, located, messages)
        except LaunchError as error:
            messages.say(str(error))
            return 1

    def report(path: str) -> str:
        from fluxstart_tui.report import show  # not before there is something to sum up

        return show.one(path, as_json=False, prog=prog) + _hindrances(path, prog)

    def again(changed: Sequence[str], environ: Mapping[str, str]) -> int:
        """Become this program with another command line, as we were started."""
        own = sys.orig_argv[: len(sys.orig_argv) - len(words)]
        os.execve(sys.executable, [*own, *changed], environ)

    try:
        compared = None if before is None else _compared(before)
        return tui.live(engine, chosen.record_dir, report, again, compared)
    except SettingsError as error:
        raise LaunchError(str(error)) from None
    except OSError as error:
        raise LaunchError(f"--record: {error.filename}: {reason(error)}") from error


def _terminal_size(given: Options, screen: os.terminal_size) -> tuple[int, int] | None:
    """Return rows and columns of ranks' terminals in the UI: programs need not be resized then."""
    from fluxstart_tui.engine import consoles
    from fluxstart_tui.tui.terminal import room

    view = room.of_view(screen.columns, screen.lines)
    size = room.in_view(*view, len(consoles.ranks(given)))
    return None if size is None else size[::-1]


def _hindrances(path: str, prog: str) -> str:
    """Return what hinders the launch of a session, "" if nothing does or there was none."""
    from fluxstart_tui.report import diagnosis, launch_log

    log = launch_log.read(path)
    found = diagnosis.report(log)
    if not log.launch.command or all(one.id == "I1" for one in found.findings):
        return ""  # a launch that was up when the UI was left
    return diagnosis.for_terminal(found, prog)


def _compared(before: str) -> str:
    """Return the directory of the session that --compare names."""
    from fluxstart_tui import target as targets
    from fluxstart_tui.engine.errors import LaunchError

    try:
        return targets.session(before)
    except targets.TargetError as error:
        raise LaunchError(f"--compare: {error}") from None


def look(mode: str, target: str | None) -> int:
    """Look at a session in the terminal UI, without starting anything."""
    from fluxstart_tui import foreign
    from fluxstart_tui import target as targets
    from fluxstart_tui.engine.errors import LaunchError
    from fluxstart_tui.probe.family import FamilyError
    from fluxstart_tui.tui import main as tui
    from fluxstart_tui.tui.settings import SettingsError
    from fluxstart_tui.tui.source import SourceError

    if not (os.isatty(0) and os.isatty(1)):
        raise LaunchError(f"--{mode}: stdin and stdout are not terminals")
    try:
        if mode == "attach" and (watch := foreign.watcher(target)) is not None:
            return tui.observed(watch)
        directory = targets.session(target)
        return tui.recorded(directory, replay=mode == "replay")
    except SettingsError as error:
        raise LaunchError(str(error)) from None
    except (SourceError, FamilyError, targets.TargetError) as error:
        raise LaunchError(f"--{mode}: {error}") from None
