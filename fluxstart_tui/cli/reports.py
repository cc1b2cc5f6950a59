"""--report: the file for a session, after a run or for one that was recorded."""

from __future__ import annotations

from fluxstart_tui.engine.errors import LaunchError, Messages, reason
from fluxstart_tui.report import session_report


def check(path: str) -> None:
    """Find out whether a report can be written, before anything is started.

    Raises:
        LaunchError: it can not be.
    """
    try:
        session_report.check(path)
    except session_report.EndingError as error:
        raise LaunchError(f"--report: {error}") from None
    except OSError as error:
        raise LaunchError(f"--report: {path}: {reason(error)}") from error


def write(path: str, directory: str) -> None:
    """Write the report of a session.

    Raises:
        LaunchError: it can not be written, or there is no such session.
    """
    from fluxstart_tui.report.launch_log import LogError
    from fluxstart_tui.session.reader import SessionError

    try:
        session_report.write(path, directory)
    except (SessionError, LogError) as error:
        raise LaunchError(f"--report: {error}") from None
    except OSError as error:
        raise LaunchError(f"--report: {path}: {reason(error)}") from error


def of_session(path: str, session: str | None) -> int:
    """Write the report of a session that --show names, and return 0.

    Raises:
        LaunchError: as of `check` and `write`.
    """
    from fluxstart_tui.report import show
    from fluxstart_tui.session.reader import SessionError

    check(path)
    try:
        directory = show.find(session)
    except SessionError as error:
        raise LaunchError(f"--show: {error}") from None
    write(path, directory)
    return 0


def of_run(path: str, directory: str | None, messages: Messages) -> None:
    """Write the report of a run that has ended; its exit code stays what it is."""
    if directory is None:
        messages.say("--report: nothing was recorded, so there is no report")
        return
    try:
        write(path, directory)
    except LaunchError as error:
        messages.say(str(error))
