"""A table of sessions, newest first as they come."""

from __future__ import annotations

import json
from typing import NamedTuple

from fluxstart_tui.diagnose.words import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

WIDTH = 100


class Row(NamedTuple):
    """A session in a list; `row` makes it."""

    name: str
    start: str
    size: int
    broker: str
    live: bool
    code: int | None
    """Exit code of the instance, None if it runs or its record has no end."""
    failure: str
    """What went wrong first, "" if nothing did or nobody looked."""


def row(
    name: str, header: dict[str, Any], *, live: bool, code: int | None, failure: str = ""
) -> Row:
    """Make a row of a session's header, whatever is in that.

    Args:
        name: name of the session's directory.
        header: session.json.
        live: whether the instance runs.
        code: its exit code, if it has one.
        failure: text of its first failure.
    """
    size = header.get("size")
    words = [header.get(key) for key in ("broker_kind", "broker_version")]
    start = header.get("start")
    return Row(
        printable(name, 200),
        printable(start, 40) if isinstance(start, str) else "",
        size if type(size) is int and 0 <= size < 1 << 20 else 0,
        printable(" ".join(word for word in words if isinstance(word, str)), 40),
        live,
        code,
        printable(failure, 300),
    )


def text(rows: Sequence[Row], width: int = WIDTH) -> str:
    """Return the table, or a line saying that there are none.

    Names are never cut, since one has to copy them.

    Args:
        rows: the sessions.
        width: columns; what went wrong first is cut to them.
    """
    if not rows:
        return "no sessions are recorded\n"
    cells = [("SESSION", "START", "SIZE", "BROKER", "EXIT", "FIRST FAILURE")]
    cells += [
        (
            one.name,
            one.start.replace("T", " ")[:16],
            str(one.size or "?"),
            one.broker[:20],
            "running" if one.live else "?" if one.code is None else str(one.code),
            one.failure,
        )
        for one in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    out = []
    for line in cells:
        parts = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        parts[2] = line[2].rjust(widths[2])
        head = "  ".join(parts)
        room = max(20, width - len(head) - 2)
        last = line[5] if len(line[5]) <= room else line[5][: room - 3] + "..."
        out.append(f"{head}  {last}".rstrip() + "\n")
    return "".join(out)


def as_json(rows: Sequence[Row]) -> str:
    """Return the table as a JSON array, ASCII only."""
    return json.dumps([one._asdict() for one in rows], indent=2)
