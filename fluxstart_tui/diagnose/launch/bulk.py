"""A flood of output, taken at once: most of it is the program's, and tells nothing of the launch.

A line by itself costs ten microseconds, which is more than launchers take to print one.
"""

from __future__ import annotations

from fluxstart_tui.diagnose.launch import text
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.said import Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.diagnose.launch.launch import Launch

_STDOUT, _STDERR = STREAMS.index("stdout"), STREAMS.index("stderr")
_TELLING = (
    b"srun: ", b"slurmstepd", b"mpiexec@", b"proxy:", b"fluxstart-tui: ", b": cmd=",
    *(head.encode() for head in text.HEADS),
)  # fmt: skip
"""One of these is in every line of Flux but log lines, and in all of a launcher's that may bear a
label."""
_LOGGED = b"]: "
_SEVERITIES = tuple(f".{severity}[".encode() for severity in text.SEVERITIES)
"""One of these is in every log line, before the other."""


def take(
    launch: Launch, stream: int, lines: bytes, one: Callable[[bytes], Said]
) -> list[Said] | None:
    """Take lines of ranks that have spoken, if none of them is Flux's.

    Args:
        launch: is told of what is not the program's, and how many lines there were.
        stream: the launcher's stdout or stderr.
        lines: whole ones.
        one: takes a line that has no label: the launcher's own.

    Returns:
        What it was, the lines of a rank together; None if each is to be looked at.
    """
    form = launch.labels.lines
    if form is None or _tells(lines):
        return None
    names = form.groupindex
    rank, said, own = names["rank"] - 1, names["text"] - 1, names["other"] - 1
    side = names.get("stream", names.get("err", 0)) - 1
    found = form.findall(lines[:-1])
    ranks = {group[rank] for group in found} - {b""}
    if not all((known := launch.ranks.get(int(name))) and known.speaks for name in ranks):
        return None
    taken: list[Said] = []
    parts: dict[tuple[bytes, bytes], list[bytes]] = {}

    def close() -> None:
        for (name, where), texts in parts.items():
            at = stream
            if "stream" in names or "err" in names:
                at = _STDERR if where in (b"err", b"(err)") else _STDOUT
            taken.append(Said(int(name), at, b"\n".join(texts)))
            launch.lines += len(texts)
        parts.clear()

    for group in found:
        if group[rank]:
            key = group[rank], group[side] if side >= 0 else b""
            parts.setdefault(key, []).append(group[said])
        else:
            close()
            taken.append(one(group[own]))
    close()
    return taken


def _tells(lines: bytes) -> bool:
    """Tell whether there may be lines of Flux among some."""
    if any(map(lines.__contains__, _TELLING)):
        return True
    return _LOGGED in lines and any(map(lines.__contains__, _SEVERITIES))
