"""What continuous integration wants to be told of a run: progress, JUnit, and GitHub's own ways."""

from __future__ import annotations

import math
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.errors import LaunchError, Messages
    from fluxstart_tui.engine.stage import Outcome
    from fluxstart_tui.engine.status_line import MakeTeller
    from fluxstart_tui.options import Options
    from fluxstart_tui.report.gathered import Gathered


class Ci:
    """Tells of one run.

    Args:
        chosen: the command line.
        messages: where annotations go, and what can not be written.

    Raises:
        LaunchError: a report could not be written.
    """

    def __init__(self, chosen: Options, messages: Messages) -> None:
        self._chosen = chosen
        self._messages = messages
        on_github = os.environ.get("GITHUB_ACTIONS") == "true" and chosen.tether is None
        # Who asks for none of these has `flux start`, which adds nothing.
        self._github = on_github and _asked(chosen)
        if chosen.report is not None:
            from fluxstart_tui.cli import reports

            reports.check(chosen.report)
        if chosen.junit is not None:
            from fluxstart_tui.engine.errors import LaunchError, reason
            from fluxstart_tui.report import whole_file

            try:
                whole_file.check(chosen.junit)
            except OSError as error:
                raise LaunchError(f"--junit: {chosen.junit}: {reason(error)}") from error

    @property
    def make_teller(self) -> MakeTeller | None:
        """What puts progress in words, if that is wanted."""
        if not self._chosen.progress:
            return None
        from fluxstart_tui.report.progress import Progress

        return lambda header: Progress(self._chosen.prog, header)

    def failed(self, error: LaunchError) -> None:
        """Tell that the instance could not be started."""
        if self._chosen.junit is not None:
            from fluxstart_tui.report import junit

            command = " ".join(self._chosen.command)
            self._write(self._chosen.junit, junit.unstarted(command or "instance", str(error)))
        if self._github:
            from fluxstart_tui.report import github

            title = f"{self._chosen.prog}: could not be started"
            self._messages.raw(github.error(title, str(error)).encode())

    def ended(self, outcome: Outcome) -> None:
        """Tell what has come of the instance."""
        if self._chosen.report is not None:
            from fluxstart_tui.cli import reports

            reports.of_run(self._chosen.report, outcome.session, self._messages)
        if outcome.session is None or not (self._github or self._chosen.junit is not None):
            return
        from fluxstart_tui.report import gathered, junit
        from fluxstart_tui.report.launch_log import LogError
        from fluxstart_tui.session.reader import SessionError

        try:
            found = gathered.gather(outcome.session)
        except (SessionError, LogError) as error:  # the disk has failed
            self._messages.say(f"nothing can be reported: {error}")
            return
        if self._chosen.junit is not None:
            self._write(self._chosen.junit, junit.report(found.verdict))
        if self._github:
            self._tell_github(found)

    def _write(self, path: str, text: str) -> None:
        from fluxstart_tui.engine.errors import reason
        from fluxstart_tui.report import whole_file

        try:
            whole_file.write(path, text)
        except OSError as error:
            self._messages.say(f"--junit: {path}: {reason(error)}")

    def _tell_github(self, found: Gathered) -> None:
        from fluxstart_tui.engine.errors import reason
        from fluxstart_tui.report import github, session_markdown

        if told := github.errors(found.verdict):
            # Commands begin a line, and a broker's last line may have no end.
            start = "" if self._chosen.summary else "\n"
            self._messages.raw(f"{start}{told}".encode())
        path = os.environ.get("GITHUB_STEP_SUMMARY")
        if not path:
            return
        try:
            with open(path, "a", encoding="utf-8") as file:
                file.write(session_markdown.of(found))
        except OSError as error:
            self._messages.say(f"GITHUB_STEP_SUMMARY: {path}: {reason(error)}")


def _asked(chosen: Options) -> bool:
    return bool(chosen.timeout < math.inf or chosen.junit or chosen.report or chosen.progress)
