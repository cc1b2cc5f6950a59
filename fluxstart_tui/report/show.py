"""Print sessions: the post-mortem of an instance that has just ended, one session, or a list."""

from __future__ import annotations

import os

from fluxstart_tui.diagnose import failure, interrupt
from fluxstart_tui.report import listing as table
from fluxstart_tui.report import phase_table, summary
from fluxstart_tui.report.text import text
from fluxstart_tui.session import home, state, store
from fluxstart_tui.session.reader import Session, SessionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fluxstart_tui.session.events import Event
    from fluxstart_tui.session.state import InstanceState

_LINES = 24


def post_mortem(
    prog: str, header: dict[str, Any], events: list[tuple[float, Event]], path: str | None
) -> str:
    """Sum up an instance that has ended.

    Args:
        prog: the name that messages carry.
        header: what its session begins with.
        events: what happened, its end included.
        path: where it was recorded, if it was.
    """
    final = state.advance(state.initial(header), events)
    last = None
    if path is not None:
        try:
            last = tail(Session(path), final)
        except SessionError:
            path = None  # the disk has failed
    return text(summary.summarize(header, final, last, directory=path or ""), prog)


def one(path: str | None, *, as_json: bool, prog: str = "fluxstart-tui") -> str:
    """Sum up a session.

    Args:
        path: its directory, its name among the others, or None for the last one.
        as_json: as data.
        prog: the name that the text begins with.

    Raises:
        SessionError: there is none.
    """
    session = Session(find(path))
    final = session.state
    found = summary.summarize(
        session.header, final, tail(session, final), directory=find(path), live=session.live
    )
    if as_json:
        return f"{summary.as_json(found)}\n"
    times = phase_table.text(final) if found.outcome in ("success", "running") else ""
    return text(found, prog) + times


def listing(*, as_json: bool) -> str:
    """List the sessions that there are, with what went wrong in each."""
    rows = []
    for entry in store.listing():
        first = None
        if entry.live or entry.code != 0:
            try:
                first = failure.first(Session(entry.path).state)
            except SessionError:
                continue  # it has just been removed
        rows.append(
            table.row(
                entry.name,
                entry.header,
                live=entry.live,
                code=entry.code,
                failure=first.text if first is not None else "",
            )
        )
    return f"{table.as_json(rows)}\n" if as_json else table.text(rows)


def find(path: str | None) -> str:
    """Return the directory of a session.

    Args:
        path: its directory, its name among the others, or None or `last` for the last one.

    Raises:
        SessionError: there are none.
    """
    if path in (None, "last"):
        last = store.last()
        if last is None:
            raise SessionError(f"no sessions are recorded in {home.root()}")
        return last
    assert path is not None
    beside = os.path.join(home.root(), path)
    return (
        beside if not os.path.exists(path) and "/" not in path and os.path.isdir(beside) else path
    )


def tail(session: Session, final: InstanceState) -> summary.Tail:
    """Return what gives the last lines of a rank's output, until its instance's time was up."""
    until = interrupt.patience(final)

    def lines(rank: int) -> list[str]:
        found = (one for one in session.output.tail(rank, _LINES) if one.t < until)
        return [one.data.decode(errors="replace").rstrip("\r\n") for one in found]

    return lines
