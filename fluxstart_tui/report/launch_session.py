"""A launch from a session: its output, with what its journal knows for certain."""

from __future__ import annotations

import time

from fluxstart_tui.diagnose.interrupt import killed
from fluxstart_tui.diagnose.launch.launch import TEXT_MAX, Launch
from fluxstart_tui.diagnose.launch.state import NO_LINE, Line, Probe, Stage
from fluxstart_tui.diagnose.rewind import rewind
from fluxstart_tui.launchers import table
from fluxstart_tui.report import launch_instance
from fluxstart_tui.report.launch_instance import Spoken
from fluxstart_tui.session.broker_state import HALTED
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.session.reader import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.session.events import Exit
    from fluxstart_tui.session.output_reader import SpoolReader
    from fluxstart_tui.session.state import InstanceState

LAUNCHER = "launcher"
"""The mode of a session whose brokers a launcher has started; its own stream is named so too."""

_TTY = STREAMS.index("tty")
_SAID = (STREAMS.index("stderr"), _TTY)
"""What is read in test mode: its journal knows all of PMI, and stdout is the program's."""
_SPOKEN = 1 << 12
"""Lines of test mode that are kept."""
_SIDES = {STREAMS.index("pmi-c"): "C", STREAMS.index("pmi-s"): "S"}
_OWN = STREAMS.index(LAUNCHER)

_AFTER = 8 << 20
"""Bytes that are read of what comes while the program runs: it may print for ever."""

_UP = b"fluxstart-tui: up uri="
"""How the program begins its line that waits where none was given (engine/launch_command.py)."""


def read(directory: str) -> tuple[Launch, float | None]:
    """Read a session into a launch.

    Returns:
        The launch, and the time since its start if it still goes on.

    Raises:
        SessionError: it is no session.
    """
    session = Session(directory)
    final = session.state
    reading = Reading(session.header, session.output)
    reading.read(killed(final))
    reading.settle(final)
    launch = reading.launch
    launch.session = directory
    if launch.stopped is None and session.live:
        return launch, max(final.t, time.time() - _started(session))
    launch.end(final.end.code if final.end is not None else None)
    return launch, None


def _started(session: Session) -> float:
    started = session.header.get("time")
    return float(started) if isinstance(started, int | float) else time.time()


class Reading:
    """Reads a session's output into a launch, at once or bit by bit.

    Args:
        header: of the session.
        output: of the session.
    """

    def __init__(self, header: Mapping[str, Any], output: SpoolReader) -> None:
        self.launched = header.get("mode") == LAUNCHER
        """Whether a launcher has started the brokers."""
        self.launch = _launch(header) if self.launched else Launch()
        self.launch.engine = self._engine = str(header.get("pid", ""))
        self._host = str(header.get("host", ""))
        self.lines = 0
        """How many lines have been taken."""
        self._output = output
        self._follower = output.follow(streams=None if self.launched else _SAID)
        self._spoken: list[Spoken] = []
        self._last: dict[int, Spoken] = {}  # the last plain line of each rank
        self._rests: dict[tuple[int, int], bytes] = {}
        self._left = _AFTER
        self.up: tuple[str, str] | None = None
        """URI and host of the instance, once a program that waits has told them."""

    def read(self, limit: float | None = None, until: float = float("inf")) -> bool:
        """Take the lines of all ranks in the order in which they ended.

        Args:
            limit: seconds since the session's start: what came then or later is left.
            until: monotonic time after which nothing more is taken.

        Returns:
            Whether there may be more to take.
        """
        before = self._follower.position
        for chunk in self._follower.poll():
            if limit is not None and chunk.t >= limit:
                self._follower.position = before
                return False
            self._take(chunk.rank, chunk.stream, chunk.data, chunk.t)
            before = self._follower.position
            if time.monotonic() >= until:
                return True
            if self._calmer(len(chunk.data)):
                return self.read(limit, until)
        return False

    def _take(self, rank: int, stream: int, data: bytes, t: float) -> None:
        key = rank, stream
        *whole, rest = (self._rests.get(key, b"") + data).split(b"\n")
        self._rests[key] = rest[:TEXT_MAX]
        if not self.up and _UP in data:
            self.up = next((told for line in whole if (told := _up(line))), None)
        for line in whole:
            text = line[:TEXT_MAX].decode(errors="replace")
            self.lines += 1
            if not self.launched:
                self._hear(Spoken(t, rank, text.rstrip("\r")), typed=stream == _TTY)
            elif stream in _SIDES:
                self.launch.take(None, f"{rank}: {_SIDES[stream]}: {text}", t)
            else:
                self.launch.take(None if stream == _OWN else rank, text, t)

    def _hear(self, said: Spoken, *, typed: bool) -> None:
        if launch_instance.matters(said.text, typed=typed):
            if len(self._spoken) < _SPOKEN:
                self._spoken.append(said)
        elif not typed and said.text.strip() and not launch_instance.is_told(said.text):
            self._last[said.rank] = said

    def _calmer(self, size: int) -> bool:
        """Read the launcher alone once the program has printed much; tell if that is new."""
        if self.launch.leader.stage < Stage.RUN or self._left <= 0:
            return False
        self._left -= size
        if self._left > 0:
            return False
        self._follower = self._output.follow(self._follower.position, streams=(_OWN,))
        return True

    def settle(self, state: InstanceState) -> None:
        """Take what the journal knows beside the output.

        Args:
            state: of the session, at the time until which it was read.
        """
        if not self.launched:
            self.launch = launch_instance.made(state, [*self._spoken, *self._last.values()])
            self.launch.engine = self._engine
            self.launch.host = self._host if state.away else ""
            return
        launch = self.launch
        launch.past = state.end is not None
        # What follows on the end of somebody's patience is no evidence.
        limit = killed(state)
        before = state if limit is None else rewind(state, limit)
        for broker in before.brokers.values():
            if broker.exit is not None and broker.exit.pid > 0:
                self._died(broker.exit, broker.exit_t)
            if broker.probe is not None:
                self._looked(broker)
        if limit is not None:
            launch.stop(Line(NO_LINE, limit, None, "interrupted"))
            for broker in state.brokers.values():
                if broker.exit is not None and broker.exit.pid > 0:
                    self._died(broker.exit, broker.exit_t)
        elif state.end is not None:
            launch.end(state.end.code)

    def _looked(self, broker: BrokerState) -> None:
        """Take what a broker was seen to do; a signal since then is known, too."""
        assert broker.probe is not None
        rank = self.launch.rank(broker.rank)
        look = Probe.of(broker.probe_t, rank.host, broker.probe)
        if broker.suspended is not None:
            since = max(broker.suspended, rank.since or 0.0)
            look = look._replace(t=since, state=HALTED[broker.traced])
        elif look.state in HALTED:
            look = look._replace(state="S")
        self.launch.probe(broker.rank, look)

    def _died(self, end: Exit, t: float) -> None:
        """Take that a process was seen to end, unless its launcher has said more of it."""
        told = self.launch.rank(end.rank).exit
        if told is None:
            self.launch.died(end, t)


def _up(line: bytes) -> tuple[str, str] | None:
    """Return what a line of the program that waits tells."""
    begin, _, rest = line.decode(errors="replace").partition(_UP.decode())
    uri, _, host = rest.partition(" host=")
    return (uri, host.strip()) if not begin.strip() and uri and host else None


def _launch(header: Mapping[str, Any]) -> Launch:
    """Return the launch of a session under a launcher; what its header lacks is not known."""
    known = table.BY_NAME.get(str(header.get("launcher")))
    asked, command = header.get("size"), header.get("command")
    launch = Launch(known.grammar if known is not None else "", asked if type(asked) is int else 0)
    launch.host = str(header.get("host", ""))
    if isinstance(command, list):
        launch.command = tuple(map(str, command))
    return launch
