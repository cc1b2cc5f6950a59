"""Sessions of launches: those of captures, and a large one, without running them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxstart_tui.diagnose.launch.live import STDERR, Watch
from fluxstart_tui.launchers import table
from fluxstart_tui.session import events
from fluxstart_tui.session.files import Files
from tests.diagnose import captures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

START = "2026-11-22T12:00:00+00:00"


def header(launcher: Sequence[str], program: Sequence[str] = ("sleep", "inf")) -> dict[str, object]:
    """Return what session.json holds of such a launch."""
    known = table.recognise(launcher)
    return {
        "format": 1, "start": START, "host": "node0", "mode": "launcher", "terminals": "",
        "broker_kind": "flux", "rundir": "/tmp/flux-abcdef", "size": table.asked(launcher) or 0,
        "launcher": known.name if known is not None else "",
        "command": [*launcher, "flux", "start", *program],
        "argv": ["fluxstart-tui", f"--launcher={' '.join(launcher)}", *program],
        "options": {"launcher": list(launcher), "command": list(program)},
    }  # fmt: skip


def write(path: Path, command: Sequence[str], lines: Sequence[tuple[float, bytes]],
          end: float) -> str:  # fmt: skip
    """Write the session of a launcher that prints these lines, as the engine does."""
    told = header(command)
    known = table.recognise(command)
    watch = Watch(
        known.grammar if known is not None else "", table.asked(command) or 0,
        tuple(command), 0.0, plain=False, found=lambda _: None,
    )  # fmt: skip
    out: list[tuple[float, int, int, bytes]] = []
    timed: list[tuple[float, events.Event]] = []
    looked = 0.0
    for t, line in [*lines, (end, b"")]:
        while looked + 1.0 < t:
            looked += 1.0
            timed += [(looked, event) for event in watch.look(looked)]
        said = watch.take(t, STDERR, line)
        if line:
            out.append((t, said.rank, said.stream, said.text + b"\n"))
        timed += [(t, event) for event in said.events]
    timed.append((end, events.Message("the end of the recording")))
    path.mkdir()
    files = Files(str(path), told, 1 << 30)
    files.write(out, timed)
    files.close(end)
    return str(path)


def capture(path: Path, name: str, end: float) -> str:
    """Write the session of a capture up to a time."""
    one = next(one for one in captures.ALL if one.name == name)
    lines = [(t, text.encode()) for t, text in one.lines() if t < end]
    return write(path, one.command, lines, end)


def large(path: Path, size: int = 1024, silent: int = 77) -> str:
    """Write the session of a launch in which one rank never speaks."""
    lines = []
    for rank in range(size):
        t = 0.1 + rank * 0.001
        said = [f"fluxstart-tui: hello rank={rank} host=node{rank // 8} pid={5000 + rank}"]
        if rank != silent:
            said += [
                "bootstrap: flux-pmi-client: trying 'simple'",
                f"bootstrap: simple: initialize: rank={rank} size={size} name=kvs_1: success",
                f'bootstrap: simple: put key={rank} value={{"host":"n","uri":[]}}: success',
            ]
        lines += [(t + 0.0001 * at, f"{rank}: {text}".encode()) for at, text in enumerate(said)]
    return write(path, ("srun", f"-n{size}"), sorted(lines), 20.0)
