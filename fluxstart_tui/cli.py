"""The command line: options to engine. The only module that knows all rooms."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.options import Draft

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
    headless = chosen.headless or chosen.noexec or chosen.test_size is None or prog == _DROP_IN
    if not headless and os.isatty(0) and os.isatty(1):
        return _show(prog, words, chosen.record_dir)
    # Each mode imports its own: a launcher starts thousands of normal-mode brokers.
    if chosen.test_size is None:
        from fluxstart_tui.engine import launch

        return launch.become_broker(chosen, located, messages)
    from fluxstart_tui.engine import instance

    outcome = instance.run(chosen, located)
    if outcome.code and chosen.summary and prog != _DROP_IN:
        from fluxstart_tui.report import show  # never on success

        text = show.post_mortem(prog, outcome.header, outcome.events, outcome.session)
        messages.raw(text.encode())
    return outcome.code


def _without_instance(prog: str, draft: Draft) -> int | None:
    """Do what needs no broker; None if the command line asks for nothing of the kind."""
    from fluxstart_tui.engine.errors import LaunchError
    from fluxstart_tui.options import UsageError

    names = ("ctl", "show", "sessions", "attach", "replay")
    modes = [name for name in names if draft.given(name)]
    if len(modes) > 1:
        raise UsageError(f"{prog}: --{modes[0]} and --{modes[1]} exclude each other")
    if draft.given("json") and modes not in (["show"], ["sessions"]):
        raise UsageError(f"{prog}: --json only works with --show or --sessions")
    if not modes:
        return None
    if modes == ["ctl"]:
        from fluxstart_tui import control

        return control.main(prog, draft.last("ctl") or "", list(draft.command))
    if draft.command:
        raise UsageError(f"{prog}: --{modes[0]} takes no command: '{draft.command[0]}'")
    if modes in (["attach"], ["replay"]):
        return _look(modes[0], draft.last(modes[0]))
    from fluxstart_tui.report import show
    from fluxstart_tui.session.reader import SessionError

    as_json = draft.given("json")
    try:
        if modes == ["sessions"]:
            return _print(show.listing(as_json=as_json))
        return _print(show.one(draft.last("show"), as_json=as_json))
    except SessionError as error:
        raise LaunchError(f"--show: {error}") from None


def _show(prog: str, words: list[str], directory: str | None) -> int:
    """Start an instance in the terminal UI."""
    from fluxstart_tui.engine.errors import LaunchError, reason
    from fluxstart_tui.report import show
    from fluxstart_tui.tui import main as tui

    def report(path: str) -> str:
        return show.one(path, as_json=False, prog=prog)

    # What comes last counts, so the UI's own --record has to be the only one.
    rest = [word for word in words if word != "--record" and not word.startswith("--record=")]
    try:
        return tui.live(rest, directory, report)
    except OSError as error:
        raise LaunchError(f"--record: {error.filename}: {reason(error)}") from error


def _look(mode: str, target: str | None) -> int:
    """Look at a session in the terminal UI, without starting anything."""
    from fluxstart_tui import target as targets
    from fluxstart_tui.engine.errors import LaunchError
    from fluxstart_tui.tui import main as tui
    from fluxstart_tui.tui.source import SourceError

    if not (os.isatty(0) and os.isatty(1)):
        raise LaunchError(f"--{mode}: stdin and stdout are not terminals")
    try:
        directory = targets.session(target)
        return tui.recorded(directory, replay=mode == "replay")
    except (SourceError, targets.TargetError) as error:
        raise LaunchError(f"--{mode}: {error}") from None


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
