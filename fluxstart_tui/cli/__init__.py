"""The command line: options to engine, UI or report. The only room that knows them all."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from fluxstart_tui.engine.errors import Messages

PROGRAM = "fluxstart-tui"

DROP_IN = "flux-start"
"""Under this name the program is flux start: headless, and silent about itself."""


def program() -> NoReturn:
    """Be a process: run the program, and end with its exit code."""
    code = main()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        sys.exit(code)  # has words for it
    if "threading" in sys.modules:
        sys.exit(code)  # waits for threads
    # What an orderly end of the interpreter would release is released by the kernel, sooner.
    os._exit(code)


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
    from fluxstart_tui.cli import aside
    from fluxstart_tui.engine import locate
    from fluxstart_tui.engine.errors import LaunchError, reason

    try:
        os.getcwd()
    except OSError as error:
        raise LaunchError(f"Unable to get current working directory: {reason(error)}") from error
    draft = options.parse(prog, words)
    if (mode := aside.run(prog, draft)) is not None:
        return mode
    located, notice = locate.find(draft.broker)
    if draft.version:
        return aside.tell(
            f"{PROGRAM} {__version__}\n"
            f"broker: {' '.join(located.words)} ({located.kind}, {located.version()})\n"
        )
    chosen = draft.finish()
    if chosen.caliper_profile is not None:
        _profile(located.env, chosen.caliper_profile)
    if notice is not None:
        messages.say(notice)
    plain = chosen.headless or chosen.noexec or prog == DROP_IN
    plain = plain or not (os.isatty(0) and os.isatty(1))
    # Each mode imports its own: a launcher starts thousands of normal-mode brokers.
    if chosen.normal and not chosen.launcher:
        from fluxstart_tui.engine import launch

        launcher = launch.launcher(os.environ)
        if launcher is not None and chosen.record:
            name = next(filter(draft.given, options.TOLD))
            raise LaunchError(f"--{name}: does not work under a launcher ({launcher} is set)")
        if launcher is not None or (plain and not chosen.record):
            return launch.become_broker(chosen, located, messages)
    if chosen.repeat:
        from fluxstart_tui.cli import repeat

        return repeat.run(chosen, located, messages, as_json=draft.given("json"))
    if not plain:
        from fluxstart_tui.cli import screen

        return screen.live(words, chosen, located, draft.last("compare"))
    from fluxstart_tui.cli import headless

    return headless.run(chosen, located, messages)


def _profile(env: dict[str, str], profile: str) -> None:
    """Set what Flux up to 0.69 set for --caliper-profile (flux-start.c: setup_profiling_env)."""
    preload = env.get("LD_PRELOAD")
    env["LD_PRELOAD"] = f"{preload} libcaliper.so" if preload else "libcaliper.so"
    env["CALI_CONFIG_PROFILE"] = profile
    env.setdefault("CALI_LOG_VERBOSITY", "0")
