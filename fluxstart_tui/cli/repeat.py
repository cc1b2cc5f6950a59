"""An instance run several times in a row, each time by a fresh child of ours."""

from __future__ import annotations

import os
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.options import Options
    from fluxstart_tui.report.repeat import Run

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(chosen: Options, located: Located, messages: Messages, *, as_json: bool) -> int:
    """Run an instance as often as the command line asks for, and tell how long its phases took.

    A signal ends the run that goes on in order, and then the row of them.

    Args:
        chosen: the command line.
        located: the broker.
        messages: for what there is to say.
        as_json: print the figures as data on stdout rather than as text on stderr.

    Returns:
        The exit code of the first run that failed, 128 + the signal that ended the row, or 0.
    """
    from fluxstart_tui.cli import aside
    from fluxstart_tui.report import repeat

    signals = Signals()
    runs: list[Run] = []
    for number in range(1, chosen.repeat + 1):
        if signals.stopped():
            break
        began = time.time()
        pid = os.fork()
        if pid == 0:
            _become(_one_of(chosen, _place(chosen, number, began, os.getpid())), located, signals)
        code = signals.wait(pid)
        session = _place(chosen, number, began, pid)
        if signals.stopped():
            kept = f"; its session: {session}" if os.path.isdir(session) else ""
            messages.say(f"stopped in run {number} of {chosen.repeat}{kept}")
            break
        runs.append(_ended(number, code, session))
        if code and chosen.until_fail:
            break
    if not runs:
        return 128 + signals.stopped()
    if as_json:
        aside.tell(repeat.as_json(runs))
    else:
        messages.raw(repeat.as_text(runs, chosen.prog).encode())
    failed = next((one.code for one in runs if one.code), 0)
    return failed or (128 + stop if (stop := signals.stopped()) else 0)


def _one_of(chosen: Options, session: str) -> Options:
    """Return what the command line asks for of a single run.

    Without --pty no rank has a terminal of ours: what is typed is for nobody, but ^C is for us.
    """
    terminals = frozenset[int]() if chosen.pty is None and not chosen.launcher else chosen.pty
    return chosen._replace(record=True, record_dir=session, pty=terminals)


def _place(chosen: Options, number: int, began: float, pid: int) -> str:
    """Return the directory of a run's session."""
    from fluxstart_tui.session import home

    if chosen.record_dir is not None:
        return os.path.join(os.path.abspath(chosen.record_dir), str(number))
    return os.path.join(home.root(), home.new_name(began, os.uname().nodename, pid))


def _ended(number: int, code: int, session: str) -> Run:
    """Read the session of a run that has ended; one of a run that succeeded is then removed."""
    from fluxstart_tui.report import repeat
    from fluxstart_tui.session import store
    from fluxstart_tui.session.reader import Session, SessionError

    try:
        state = Session(session).state
    except SessionError:  # it did not come so far as to be recorded
        return repeat.Run(number, code)
    if code:
        return repeat.run(number, code, state, session)
    store.remove(session)
    return repeat.run(number, code, state)


def _become(chosen: Options, located: Located, signals: Signals) -> NoReturn:
    """Run the instance in the child that we are, and exit."""
    from fluxstart_tui.cli import headless
    from fluxstart_tui.engine.errors import LaunchError, Messages
    from fluxstart_tui.engine.output import Output

    code = 1
    output = Output(2)
    messages = Messages(chosen.prog, output)
    try:
        signals.restore()
        code = headless.run(chosen, located, messages)
    except LaunchError as error:
        messages.say(str(error))
    except BaseException:  # noqa: BLE001 - the parent's cleanup is not ours
        import traceback

        traceback.print_exc()
    finally:
        output.close()
        os._exit(code)


class Signals:
    """Takes signals while runs go on: they are blocked, and looked at when we wait."""

    def __init__(self) -> None:
        # Our parent may ignore SIGCHLD: then there would be no exit codes.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._stops = {one for one in _STOPS if signal.getsignal(one) != signal.SIG_IGN}
        self._awaited = {*self._stops, signal.SIGCHLD}
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, self._awaited)
        self._stopped = 0

    def stopped(self) -> int:
        """Return the first signal that asked for an end, 0 if none has."""
        return self._stopped or next(iter(self._stops & signal.sigpending()), 0)

    def restore(self) -> None:
        """Take signals as before, in a child."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def wait(self, pid: int) -> int:
        """Return the exit code of a child, 128 + signal if it was killed, once it has ended."""
        for info in self._taken():
            if info.si_signo == signal.SIGCHLD:
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    code = os.waitstatus_to_exitcode(status)
                    return code if code >= 0 else 128 - code
            else:
                self._stopped = self._stopped or info.si_signo
                if info.si_code <= 0:  # of a process: what a terminal sends goes to the child, too
                    os.kill(pid, info.si_signo)
        raise AssertionError

    def _taken(self) -> Iterator[signal.struct_siginfo]:
        while True:
            yield signal.sigwaitinfo(self._awaited)
