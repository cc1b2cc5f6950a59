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
    pair = _pair(draft.last("compare"))
    modes += ["compare"] if pair else []
    if len(modes) > 1:
        raise UsageError(f"{prog}: --{modes[0]} and --{modes[1]} exclude each other")
    told = ("show", "sessions", "diagnose", "compare")
    if draft.given("json") and not (modes[0] in told if modes else draft.given("repeat")):
        raise UsageError(
            f"{prog}: --json only works with --show, --sessions, --diagnose, --repeat or"
            " --compare=A,B"
        )
    if draft.given("markdown") and (modes != ["diagnose"] or draft.given("json")):
        raise UsageError(f"{prog}: --markdown only works with --diagnose, without --json")
    if draft.given("bundle") and (modes != ["show"] or draft.given("json")):
        raise UsageError(f"{prog}: --bundle only works with --show, without --json")
    if modes and draft.given("report") and (modes != ["show"] or draft.given("json")):
        raise UsageError(f"{prog}: --report only works with a run or with --show, without --json")
    if draft.given("report") and draft.given("bundle"):
        raise UsageError(f"{prog}: --report and --bundle exclude each other")
    if not modes:
        return _about(prog, draft)
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
    if pair:
        return _compare(prog, pair, as_json=draft.given("json"))
    if draft.given("bundle"):
        return _bundle(prog, draft)
    if draft.given("report"):
        from fluxstart_tui.cli import reports

        return reports.of_session(draft.last("report") or "", draft.last("show"))
    from fluxstart_tui.report import show
    from fluxstart_tui.session.reader import SessionError

    as_json = draft.given("json")
    try:
        if modes == ["sessions"]:
            return tell(show.listing(as_json=as_json))
        return tell(show.one(draft.last("show"), as_json=as_json))
    except SessionError as error:
        raise LaunchError(f"--show: {error}") from None


def _about(prog: str, draft: Draft) -> int | None:
    """Print what there is to know of the program; None if nobody asks."""
    if draft.given("print-config"):
        from fluxstart_tui.tui import example

        return tell(example.text())
    if draft.given("man"):
        from fluxstart_tui.manual import page

        return tell(page.text())
    if (shell := draft.last("completion")) is not None:
        from fluxstart_tui.manual import completion
        from fluxstart_tui.options import UsageError

        if shell not in completion.SHELLS:
            raise UsageError(f"{prog}: unknown --completion: {shell}")
        return tell(completion.script(shell))
    return None


def _pair(text: str | None) -> list[str]:
    """Return the two sessions that --compare names; none if that is one, to be shown in the UI."""
    names = (text or "").split(",")
    return names if len(names) == 2 and all(names) and not os.path.isdir(text or "") else []


def _compare(prog: str, pair: list[str], *, as_json: bool) -> int:
    from fluxstart_tui.engine.errors import LaunchError
    from fluxstart_tui.report import compare, show
    from fluxstart_tui.session.reader import SessionError

    try:
        found = compare.compare(*(show.find(one) for one in pair))
    except SessionError as error:
        raise LaunchError(f"--compare: {error}") from None
    return tell(compare.as_json(found) if as_json else compare.as_text(found, prog))


def _bundle(prog: str, draft: Draft) -> int:
    from fluxstart_tui.engine.errors import LaunchError, reason
    from fluxstart_tui.options import UsageError
    from fluxstart_tui.report import bundle, show
    from fluxstart_tui.session.reader import SessionError
    from fluxstart_tui.tui import settings

    target = draft.last("bundle") or ""
    if not target.endswith(bundle.ENDINGS):
        raise UsageError(f"{prog}: --bundle: '{target}' does not end with .tar.gz")
    try:
        session = show.find(draft.last("show"))
        left = bundle.create(session, target, settings.path(os.environ), os.environ)
    except SessionError as error:
        raise LaunchError(f"--show: {error}") from None
    except OSError as error:
        raise LaunchError(f"--bundle: {target}: {reason(error)}") from error
    return tell(f"{target}: {len(left)} possible credentials left out ({bundle.LEFT_OUT})\n")


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
