"""The session that the engine writes, with those who look at the brokers for it."""

from __future__ import annotations

import os
from functools import partial

from fluxstart_tui.engine import rundir
from fluxstart_tui.engine.monitor import Monitor
from fluxstart_tui.session import home
from fluxstart_tui.session.events import Backtrace, Exit, Program
from fluxstart_tui.session.recorder import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.engine.sampler import Sampler
    from fluxstart_tui.options import Options
    from fluxstart_tui.reactor import Reactor, Timer

_LINGER = 0.5
"""Seconds; views look every quarter of a second at the least."""

_START, _LATEST = 0.25, 1.0
"""Seconds after which a session is written, if nobody waits for it: brokers start meanwhile, and
as long as one is not done with PMI a thread that writes takes time from those it waits for."""

_SECOND = 1.0
"""Seconds after which it is looked at what brokers use: many a short run is over by then."""

_AGAIN = 0.01
"""Seconds after which it is asked again whether all are done with PMI."""

_TOTAL = 64 << 30
"""Bytes that all sessions may take where they live."""

_QUIET = 0.05
"""Seconds after PMI for which brokers are asked nothing. flux-broker waits for a timer of 0.1 s
then (flux-core: modules/groups), so that there is time; the embedded broker has none."""


class Session:
    """A session being written.

    Args:
        reactor: the engine's loop.
        record: is recorded from now on.
        messages: where it is said that recording had to stop.
        options: the command line.
        header: what the session begins with; its own place is added.
        connector: tells where a rank's socket is; None for its place in the rundir.

    Raises:
        OSError: it can not be made.
    """

    def __init__(
        self,
        reactor: Reactor,
        record: Record,
        messages: Messages,
        options: Options,
        header: dict[str, Any],
        connector: Callable[[int], str] | None = None,
    ) -> None:
        self._reactor = reactor
        self._record = record
        self._messages = messages
        self._said = False
        self.on_growth: Callable[[], bool] = lambda: False
        """Called when more of the session can be read; tells whether somebody follows."""
        self.path = header["session"] = home.create(options.record_dir)
        self._keep = options.keep if home.is_home(os.path.dirname(self.path)) else None
        # Stays open: a disk that hangs may let the recorder's thread go on when all is over.
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        followed = options.tether is not None
        self._recorder = Recorder(
            self.path, header, limit=options.record_limit, grown=self._grown, at_once=followed
        )
        if not followed:
            self._latest = reactor.now() + _LATEST
            reactor.call_later(_START, self._begin)
        reactor.add_reader(self._wake, self._woken)
        for t, event in record.events:
            self._recorder.event(t, event)
        record.recorder = self._recorder
        where = connector or partial(rundir.connector, header["rundir"])
        # Where there is PMI, descriptors and environment are known to reach brokers: a program that
        # wraps a singleton may keep them.
        log = None
        if header["mode"] == "test" and header["broker_kind"] == "embedded":
            from fluxstart_tui.engine.shared_log import SharedLog  # real ones have none

            log = SharedLog()
        self.monitor = Monitor(reactor, record, where, header["size"], _QUIET, log)
        self._sampling: Timer | None = None
        self._sampler: Sampler | None = None

    def _begin(self) -> None:
        if self.monitor.booting and self._reactor.now() < self._latest:
            self._reactor.call_later(_AGAIN, self._begin)
        else:
            self._recorder.begin()

    def sample(self, pids: Mapping[int, int]) -> None:
        """Look at what these processes use, by rank, every second from now on."""

        def begin() -> None:
            from fluxstart_tui.engine.sampler import Sampler  # not before there is time

            self._sampler = Sampler(self._reactor, self._record, pids)

        self._sampling = self._reactor.call_later(_SECOND, begin)

    def _grown(self) -> None:
        os.eventfd_write(self._wake, 1)

    def _woken(self) -> None:
        os.eventfd_read(self._wake)
        self._complain()
        self._recorder.followed = self.on_growth()

    def _complain(self) -> None:
        if self._recorder.error is not None and not self._said:
            self._said = True
            self._messages.say(
                f"recording has stopped: {self._recorder.error};"
                " views see the newest as long as this runs"
            )

    def unwatch(self) -> None:
        """Look at brokers no more."""
        self.monitor.close()
        if self._sampling is not None:
            self._sampling.cancel()
        if self._sampler is not None:
            self._sampler.close()

    def explain(self, program: str) -> None:
        """Record what helps to understand an end.

        That is what a debugger says of the core files that `program` has left, and how the initial
        program has failed, if rank 0 was gone before it could be asked for that.
        """
        exits = [event for _, event in self._record.events if isinstance(event, Exit)]
        self._explain_cores(program, [event for event in exits if event.core])
        self._explain_program([event for event in exits if event.rank == 0])

    def _explain_cores(self, program: str, left: list[Exit]) -> None:
        if not left:
            return
        from fluxstart_tui.engine import backtrace  # most instances leave none

        for event in left:
            text = backtrace.of(event.core, program)
            if text:
                self._record.event(Backtrace(event.rank, text))

    def _explain_program(self, leader: list[Exit]) -> None:
        printed = self._record.printed
        if printed is None or not leader or leader[-1].signum or not leader[-1].code:
            return
        programs = (event for _, event in self._record.events if isinstance(event, Program))
        if any(event.action == "ended" for event in programs):
            return
        from fluxstart_tui.engine import log_record  # is there if anybody was heard

        failure = log_record.printed_end(printed[1])
        # The program may have printed of an instance of its own: rank 0 ends as its own does.
        if failure is not None and failure.code == leader[-1].code:
            self._record.event(failure, printed[0])

    def close(self) -> None:
        """Write what is left; the oldest sessions make room for this one."""
        self._recorder.close()
        if self._keep is not None:
            from fluxstart_tui.session import store  # not before all brokers are gone

            store.retain(self._keep, _TOTAL)
        self._complain()
        if self._recorder.error is not None:
            self._linger()
        self._reactor.remove_reader(self._wake)

    def _linger(self) -> None:
        """Let views open what is in our memory only, which they may keep then."""
        end = self._reactor.now() + _LINGER
        while (left := end - self._reactor.now()) > 0:
            self._reactor.run_once(left)
