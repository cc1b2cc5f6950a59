"""A launch from a session of test mode: its output, with what its journal knows for certain."""

from __future__ import annotations

import time

from fluxstart_tui.diagnose.interrupt import killed
from fluxstart_tui.diagnose.launch.launch import TEXT_MAX, Launch
from fluxstart_tui.diagnose.launch.state import NO_LINE, PHASES, Line, Stage
from fluxstart_tui.diagnose.progress import passed
from fluxstart_tui.diagnose.rewind import rewind
from fluxstart_tui.diagnose.words import ending
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.reader import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.session.state import BrokerState, InstanceState

_STAGES = dict(PHASES) | {"spawned": Stage.SILENT}
_SIDES = {STREAMS.index("pmi-c"): "C", STREAMS.index("pmi-s"): "S"}
_LAUNCHER = "launcher"
"""Name of the stream of a launcher's own lines, where a launcher has started the brokers."""

_FOLLOWS = ("timer", "shutdown", "abort", "parent", "user")
"""Causes of exits that are not the rank's own."""


def read(directory: str) -> tuple[Launch, float | None]:
    """Read a session into a launch.

    Returns:
        The launch, and the time since its start if it still goes on.

    Raises:
        SessionError: it is no session.
    """
    session = Session(directory)
    final = session.state
    # What follows on the end of somebody's patience is no evidence.
    limit = killed(final)
    before = final if limit is None else rewind(final, limit)
    launch = Launch(asked=final.size, topology=final.attributes.get("tbon.topo"))
    launch.launcher = "flux start"
    launch.size = final.size
    _output(launch, session, limit)
    for number, broker in sorted(before.brokers.items()):
        _broker(launch, before, number, broker)
    if limit is not None:
        launch.stopped = Line(NO_LINE, limit, None, "interrupted")
    elif session.live:
        return launch, max(final.t, time.time() - _started(session))
    launch.end(final.end.code if final.end is not None else None)
    return launch, None


def _started(session: Session) -> float:
    started = session.header.get("time")
    return float(started) if isinstance(started, int | float) else time.time()


def _output(launch: Launch, session: Session, limit: float | None) -> None:
    """Take the lines of all ranks in the order in which they ended, until a time."""
    rests: dict[tuple[int, int], bytes] = {}
    for chunk in session.output.follow().poll():
        if limit is not None and chunk.t >= limit:
            break
        key = chunk.rank, chunk.stream
        *whole, rest = (rests.get(key, b"") + chunk.data).split(b"\n")
        rests[key] = rest[:TEXT_MAX]
        for data in whole:
            text = data[:TEXT_MAX].decode(errors="replace")
            if chunk.stream in _SIDES:
                launch.take(None, f"{chunk.rank}: {_SIDES[chunk.stream]}: {text}", chunk.t)
            else:
                own = STREAMS[chunk.stream] == _LAUNCHER
                launch.take(None if own else chunk.rank, text, chunk.t)


def _broker(launch: Launch, state: InstanceState, number: int, broker: BrokerState) -> None:
    rank = launch.rank(number)
    furthest = max((_STAGES[name] for name in passed(state, broker)), default=Stage.SILENT)
    if broker.spawned is not None:
        rank.hello = {"pid": str(broker.pid)}
    line = rank.step or Line(NO_LINE, broker.state_since, number, broker.state)
    if broker.exit is None:
        furthest = min(furthest, Stage.SHUTDOWN)
    launch.reach(rank, furthest, line)
    if broker.exit is not None and broker.exit.cause not in _FOLLOWS:
        if broker.exit.code or broker.exit.signum:
            end = Line(NO_LINE, broker.exit_t, number, ending(broker.exit))
            launch.exited({number}, ending(broker.exit), end)
        launch.reach(rank, Stage.EXIT, line)
