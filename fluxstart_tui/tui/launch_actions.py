"""What one can do about a launch that hangs: copy a command, save a report, try it anew."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

from fluxstart_tui.report import diagnosis as reports
from fluxstart_tui.report.launch_log import Log
from fluxstart_tui.report.rerun import rerun
from fluxstart_tui.tui import actions, diagnosis
from fluxstart_tui.tui.screens.ask import Ask, Prompt
from fluxstart_tui.tui.settings import Settings
from fluxstart_tui.tui.widgets import lines_select

if TYPE_CHECKING:
    from fluxstart_tui.diagnose.launch.finding import Finding
    from fluxstart_tui.report.rerun import Rerun
    from fluxstart_tui.tui.app import FluxApp
    from fluxstart_tui.tui.model import Model

_REPORT = "launch-report{}.md"


def first_view(model: Model, wanted: str) -> str:
    """Return the view that is shown first: a launcher's ranks, unless the user wants another."""
    compared = model.before is not None
    launched = diagnosis.of(model).launched and wanted == Settings().view
    return "launch" if compared or launched else wanted


def copy(app: FluxApp, text: str) -> None:
    """Copy a command to the clipboard, and to a file in case there is none."""
    path = lines_select.cache_file("copied.txt")
    try:
        lines_select.keep(text, path)
    except OSError as error:
        path = f"(no file: {error.strerror})"
    app.copy_to_clipboard(text)
    app.notify(f"copied; also in {path}: {text}", markup=False)


def log(model: Model, source: str = "") -> Log:
    """Return the launch of a session for a report."""
    known = diagnosis.of(model)
    return Log(known.launch, known.now, source, numbered=known.launched)


def save(app: FluxApp) -> None:
    """Ask for a file, and write a report of the launch there."""
    text = reports.as_markdown(reports.report(log(app.model, app.source.directory)))

    def given(path: str | None) -> None:
        if not path:
            return
        full = os.path.abspath(os.path.expanduser(path))
        try:
            with open(full, "x", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError as error:
            app.notify(f"{path}: {error.strerror or error}", severity="error", markup=False)
            return
        app.notify(f"the report is in {full}", markup=False)

    names = (_REPORT.format(f"-{number}" if number > 1 else "") for number in count(1))
    name = next(one for one in names if not os.path.lexists(one))
    app.push_screen(Prompt("Save a report of the launch", name, "a new file; Markdown"), given)


def reruns(app: FluxApp, finding: Finding) -> list[tuple[str, Rerun]]:
    """Return the remedies that this program can try, and what it would run."""
    if not app.source.owned:
        return []
    found = ((one, rerun(app.model.header, one, app.source.directory)) for one in finding.remedies)
    return [(remedy, changed) for remedy, changed in found if changed is not None]


def try_it(app: FluxApp, finding: Finding) -> None:
    """Ask which remedy to try, end the launch, and run it anew."""
    found = reruns(app, finding)
    if not found:
        app.notify("no remedy of this finding is a change of the command", severity="warning")
        return
    runs = app.source.poll() is None and app.model.state.end is None
    end = "The launch that runs is ended first.\n" if runs else ""
    question = f"Run it anew, and compare?\n{end}" + "\n".join(
        f"{number}: {changed.text}" for number, (_, changed) in enumerate(found[:9], 1)
    )

    def answered(key: str | None) -> None:
        if key is None or not key.isdigit():
            return
        app.source.again = found[int(key) - 1][1].words
        app.leaving = True
        if runs:
            actions.shut_down(app)
        else:
            app.exit(app.source.poll() or 0)

    answers = [(str(at), f"run {at}") for at in range(1, min(9, len(found)) + 1)]
    app.push_screen(Ask(question, [*answers, ("b", "back")]), answered)
