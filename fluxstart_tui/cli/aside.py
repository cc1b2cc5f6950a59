"""What needs no broker: commands to instances, summaries, lists, diagnoses, looks at sessions."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.options import Draft


def run(prog: str, draft: Draft) -> int | None:
    """Do what needs no broker; None if the command line asks for nothing of the kind."""
    from fluxstart_tui.engine.errors import LaunchError
    from fluxstart_tui.options import UsageError

    names = ("ctl", "show", "sessions", "attach", "replay", "diagnose")
    modes = [name for name in names if draft.given(name)]
    if len(modes) > 1:
        raise UsageError(f"{prog}: --{modes[0]} and --{modes[1]} exclude each other")
    if draft.given("json") and modes not in (["show"], ["sessions"], ["diagnose"]):
        raise UsageError(f"{prog}: --json only works with --show, --sessions or --diagnose")
    if draft.given("markdown") and (modes != ["diagnose"] or draft.given("json")):
        raise UsageError(f"{prog}: --markdown only works with --diagnose, without --json")
    if not modes:
        return None
    if modes == ["ctl"]:
        from fluxstart_tui import control

        return control.main(prog, draft.last("ctl") or "", list(draft.command))
    if draft.command:
        raise UsageError(f"{prog}: --{modes[0]} takes no command: '{draft.command[0]}'")
    if modes in (["attach"], ["replay"]):
        from fluxstart_tui.cli import screen

        return screen.look(modes[0], draft.last(modes[0]))
    if modes == ["diagnose"]:
        return _diagnose(prog, draft)
    from fluxstart_tui.report import show
    from fluxstart_tui.session.reader import SessionError

    as_json = draft.given("json")
    try:
        if modes == ["sessions"]:
            return tell(show.listing(as_json=as_json))
        return tell(show.one(draft.last("show"), as_json=as_json))
    except SessionError as error:
        raise LaunchError(f"--show: {error}") from None


def _diagnose(prog: str, draft: Draft) -> int:
    """Say what hinders a launch: 0 nothing, 1 something, 2 what was named is no launch."""
    from fluxstart_tui import foreign
    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.output import Output
    from fluxstart_tui.probe.family import FamilyError
    from fluxstart_tui.report import diagnosis, launch_log

    target = draft.last("diagnose") or ""
    try:
        found = diagnosis.report(foreign.look(target) or launch_log.read(target))
    except (launch_log.LogError, FamilyError) as error:
        Messages(prog, Output(2)).say(f"--diagnose: {error}")
        return 2
    if draft.given("json"):
        tell(diagnosis.as_json(found))
    elif draft.given("markdown"):
        tell(diagnosis.as_markdown(found))
    else:
        tell(diagnosis.for_terminal(found, prog))
    return found.code


def tell(text: str) -> int:
    """Print something on stdout and return 0.

    Raises:
        LaunchError: it can not be written.
    """
    from fluxstart_tui.engine.errors import LaunchError
    from fluxstart_tui.engine.output import Output

    output = Output(1)
    output.write(os.fsencode(text))
    output.close()
    if output.error is not None:
        raise LaunchError(f"write error on stdout: {os.strerror(output.error)}")
    return 0
