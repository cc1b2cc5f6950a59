"""A flood of output, taken at once: most of it is the program's, and tells nothing of the launch.

A line by itself costs ten microseconds, which is more than launchers take to print one.
"""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter

from fluxstart_tui.diagnose.launch import text
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.said import Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fluxstart_tui.diagnose.launch.launch import Launch

_STDOUT, _STDERR = STREAMS.index("stdout"), STREAMS.index("stderr")
_TELLING = {
    b"@": (b"mpiexec@", b"proxy:"),
    b"=": (b": cmd=",),
    b"_": (b"boot_pmi: ",),
    b"-": (b"fluxstart-tui: ", b"pmi-debug-"),
    b":": (b"srun: ", b"slurmstepd", b"bootstrap: "),
}
"""One of these words is in every line of Flux, and in all of a launcher's that may bear a label. A
single byte is found ten times faster, and most of them are in no line."""
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
    whose = itemgetter(rank, side) if side >= 0 else itemgetter(rank)
    found = form.findall(lines[:-1])
    ranks = set(map(itemgetter(rank), found)) - {b""}
    if not all((known := launch.ranks.get(int(name))) and known.speaks for name in ranks):
        return None
    taken: list[Said] = []
    parts: defaultdict[Any, list[bytes]] = defaultdict(list)

    def close() -> None:
        for key, texts in parts.items():
            name, at = key, stream
            if side >= 0:
                name, where = key
                at = _STDERR if where in (b"err", b"(err)") else _STDOUT
            taken.append(Said(int(name), at, b"\n".join(texts)))
            launch.lines += len(texts)
        parts.clear()

    for group in found:
        if group[rank]:
            parts[whose(group)].append(group[said])
        else:
            close()
            taken.append(one(group[own]))
    close()
    return taken


def _tells(lines: bytes) -> bool:
    """Tell whether there may be lines of Flux among some."""
    for byte, words in _TELLING.items():
        if byte in lines and any(map(lines.__contains__, words)):
            return True
    return b"]" in lines and _LOGGED in lines and any(map(lines.__contains__, _SEVERITIES))
