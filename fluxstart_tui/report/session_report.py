"""The report of a session as a file: HTML, Markdown or JSON by its name's ending."""

from __future__ import annotations

import os

from fluxstart_tui.report import whole_file

ENDINGS = (".html", ".md", ".json")


class EndingError(ValueError):
    """A name tells no kind of report; its one line says so."""


def check(path: str) -> None:
    """Find out whether a report can be written, before what it tells of takes an hour.

    Raises:
        EndingError: its name tells no kind of report.
        OSError: it can not be written.
    """
    if os.path.splitext(path)[1] not in ENDINGS:
        raise EndingError(f"{path}: the name of a report ends in .html, .md or .json")
    whole_file.check(path)


def write(path: str, directory: str) -> None:
    """Write the report of a session.

    Args:
        path: where to, with one of ENDINGS.
        directory: the session's.

    Raises:
        SessionError: it is no session.
        OSError: the report can not be written; what was there still is.
    """
    whole_file.write(path, text(os.path.splitext(path)[1], directory))


def text(ending: str, directory: str) -> str:
    """Return the report of a session in the form that one of ENDINGS names.

    Raises:
        SessionError: it is no session.
    """
    from fluxstart_tui.report.gathered import gather

    found = gather(directory)
    if ending == ".html":
        from fluxstart_tui.report.html.page import page

        return page(found)
    if ending == ".md":
        from fluxstart_tui.report import session_markdown

        return session_markdown.of(found)
    from fluxstart_tui.report import session_json

    return session_json.text(found)
