"""The command line: options to engine. The only module that knows all rooms."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from fluxstart_tui.diagnose.launch import live
    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.launchers.assemble import Assembly
    from fluxstart_tui.options import Draft, Options

    W = TypeVar("W", bound=live.Watch)

PROGRAM = "fluxstart-tui"

_DROP_IN = "flux-start"
"""Under this name the program is flux start: headless, and silent about itself."""


def main(argv: list[str] | None = None) -> int:
    """Run the program and return its exit code, which is flux start's."""
    # Until the engine takes it over, ^C is to end us as it ends flux start, without a traceback;
    # this comes before the other imports since they take most of that time.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from fluxstart_tui import options
    from fluxstart_tui.engine.errors import LaunchError, Messages
    from fluxstart_tui.engine.output import Output

    words = sys.argv if argv is None else argv
    name = os.path.basename(words[0])
    prog = PROGRAM if name in ("", "__main__.py", "-c", "-m") else name
    output = Output(2)
    messages = Messages(prog, output)
    try:
        return _run(prog, words[1:], messages)
    except options.HelpRequested:
        messages.raw(options.usage(prog).encode())
        return 0
    except options.UsageError as error:
        messages.raw(os.fsencode(f"{error}\n"))
    except LaunchError as error:
        messages.say(str(error))
    finally:
        output.close()
    return 1


def _run(prog: str, words: list[str], messages: Messages) -> int:
    from fluxstart_tui import __version__, options
    from fluxstart_tui.engine import locate
    from fluxstart_tui.engine.errors import LaunchError, reason

    try:
        os.getcwd()
    except OSError as error:
        raise LaunchError(f"Unable to get current working directory: {reason(error)}") from error
    draft = options.parse(prog, words)
    if (mode := _without_instance(prog, draft)) is not None:
        return mode
    if draft.given("print-config"):
        from fluxstart_tui.tui import example

        return _print(example.text())
    located, notice = locate.find(draft.broker)
    if draft.version:
        return _print(
            f"{PROGRAM} {__version__}\n"
            f"broker: {' '.join(located.words)} ({located.kind}, {located.version()})\n"
        )
    chosen = draft.finish()
    if chosen.caliper_profile is not None:
        _profile(located.env, chosen.caliper_profile)
    if notice is not None:
        messages.say(notice)
    headless = chosen.headless or chosen.noexec or prog == _DROP_IN
    headless = headless or not (os.isatty(0) and os.isatty(1))
    # Each mode imports its own: a launcher starts thousands of normal-mode brokers.
    if chosen.normal and not chosen.launcher:
        from fluxstart_tui.engine import launch

        launcher = launch.launcher(os.environ)
        if launcher is not None and chosen.record:
            raise LaunchError(f"--record: does not work under a launcher ({launcher} is set)")
        if launcher is not None or (headless and not chosen.record):
            return launch.become_broker(chosen, located, messages)
    if not headless:
        return _show(words, chosen, located, draft.last("compare"))
    return _headless(chosen, located, messages)


def _headless(chosen: Options, located: Located, messages: Messages) -> int:
    """Run an instance without a UI, or under one."""
    if chosen.launcher:
        return _launch(chosen, located)
    from fluxstart_tui.engine import instance

    outcome = instance.run(chosen, located)
    if outcome.code and chosen.summary and chosen.prog != _DROP_IN:
        from fluxstart_tui.report import show  # never on success

        text = show.post_mortem(chosen.prog, outcome.header, outcome.events, outcome.session)
        messages.raw(text.encode())
    return outcome.code


def _launch(chosen: Options, located: Located) -> int:
    """Run a launcher, and say what hinders its launch as soon as that is certain."""
    import shutil

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

    outcome = under_launcher.run(chosen, located, made(live.Watch), made(preflight.Preflight))
    # What has read nothing was not run: the launch itself, where its preflight has failed.
    read = next((watch for watch in watches if watch.launch.lines), None)
    if read is not None and chosen.summary and read.hindered:
        found = diagnosis.report(launch_log.Log(read.launch, None, ""))
        columns = shutil.get_terminal_size((100, 24)).columns
        output = Output(2)
        output.write(os.fsencode(diagnosis.as_text(found, columns, chosen.prog)))
        output.close()
    return outcome.code


def _without_instance(prog: str, draft: Draft) -> int | None:
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
        return _look(modes[0], draft.last(modes[0]))
    if modes == ["diagnose"]:
        return _diagnose(prog, draft)
    from fluxstart_tui.report import show
    from fluxstart_tui.session.reader import SessionError

    as_json = draft.given("json")
    try:
        if modes == ["sessions"]:
            return _print(show.listing(as_json=as_json))
        return _print(show.one(draft.last("show"), as_json=as_json))
    except SessionError as error:
        raise LaunchError(f"--show: {error}") from None


def _show(words: list[str], chosen: Options, located: Located, before: str | None) -> int:
    """Start an instance in the terminal UI.

    Args:
        words: the command line.
        chosen: what it says.
        located: the broker.
        before: a session with which the launch is to be compared.
    """
    prog = chosen.prog
    from fluxstart_tui import options
    from fluxstart_tui.engine.errors import LaunchError, Messages, reason
    from fluxstart_tui.engine.output import Output
    from fluxstart_tui.tui import main as tui
    from fluxstart_tui.tui.settings import SettingsError

    def engine(settings: Sequence[str], directory: str, tether: int) -> int:
        """Run it, in a child of the UI's: what the command line says counts over settings."""
        given = options.parse(prog, [*settings, *words]).finish()
        given = given._replace(record=True, record_dir=directory, tether=tether, summary=False)
        messages = Messages(prog, Output(2))
        try:
            return _headless(given, located, messages)
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


def _hindrances(path: str, prog: str) -> str:
    """Return what hinders the launch of a session, "" if nothing does or there was none."""
    import shutil

    from fluxstart_tui.report import diagnosis, launch_log

    log = launch_log.read(path)
    found = diagnosis.report(log)
    if not log.launch.command or all(one.id == "I1" for one in found.findings):
        return ""  # a launch that was up when the UI was left
    return diagnosis.as_text(found, shutil.get_terminal_size((100, 24)).columns, prog)


def _compared(before: str) -> str:
    """Return the directory of the session that --compare names."""
    from fluxstart_tui import target as targets
    from fluxstart_tui.engine.errors import LaunchError

    try:
        return targets.session(before)
    except targets.TargetError as error:
        raise LaunchError(f"--compare: {error}") from None


def _look(mode: str, target: str | None) -> int:
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


def _diagnose(prog: str, draft: Draft) -> int:
    """Say what hinders a launch: 0 nothing, 1 something, 2 what was named is no launch."""
    import shutil

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
        _print(diagnosis.as_json(found))
    elif draft.given("markdown"):
        _print(diagnosis.as_markdown(found))
    else:
        _print(diagnosis.as_text(found, shutil.get_terminal_size((100, 24)).columns, prog))
    return found.code


def _print(text: str) -> int:
    from fluxstart_tui.engine.errors import LaunchError
    from fluxstart_tui.engine.output import Output

    output = Output(1)
    output.write(os.fsencode(text))
    output.close()
    if output.error is not None:
        raise LaunchError(f"write error on stdout: {os.strerror(output.error)}")
    return 0


def _profile(env: dict[str, str], profile: str) -> None:
    """Set what Flux up to 0.69 set for --caliper-profile (flux-start.c: setup_profiling_env)."""
    preload = env.get("LD_PRELOAD")
    env["LD_PRELOAD"] = f"{preload} libcaliper.so" if preload else "libcaliper.so"
    env["CALI_CONFIG_PROFILE"] = profile
    env.setdefault("CALI_LOG_VERBOSITY", "0")
