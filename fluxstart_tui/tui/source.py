"""Where what one looks at comes from: an instance that is started, one that runs, or a record."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from fluxstart_tui.session import home
from fluxstart_tui.tui.child import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fluxstart_tui.tui.commands import Commands

_PATIENCE = 30.0
"""Seconds in which an engine has to begin its session."""

_POLL = 0.01
_WAY = 0.25
"""Seconds after the engine's start up to which we leave the processors to brokers."""
_LOOK = 0.5
"""Seconds between two looks at whether somebody else's engine is still there."""


class SourceError(Exception):
    """There is nothing to look at; the text is one line."""


class Source:
    """A session that can be looked at, and the instance behind it if there is one.

    Args:
        directory: the session's.
        replay: it is only played, even if the instance still runs.
    """

    in_memory = ""
    """Why the session is in memory, if that is so: it goes with the machine's next start."""
    again: Sequence[str] = ()
    """Command line of the launch that is to be tried once this one has ended, if any."""

    def __init__(self, directory: str, *, replay: bool = False) -> None:
        # While these are imported an engine of ours starts already.
        from fluxstart_tui.session.reader import Session, SessionError
        from fluxstart_tui.tui.clock import LiveClock, ReplayClock
        from fluxstart_tui.tui.commands import Commands
        from fluxstart_tui.tui.model import Model

        try:
            session = Session(directory)
        except SessionError as error:
            raise SourceError(str(error)) from None
        self.directory = directory
        uri = session.header.get("start_uri")
        self.commands: Commands | None = None
        self._looked = 0.0
        if replay:
            events = list(Session(directory).events())
            clock = ReplayClock(max((t for t, _ in events), default=0.0))
            self.model = Model(session, clock)
        else:
            self.model = Model(session, LiveClock(str(session.header.get("start") or "")))
            if session.live and isinstance(uri, str):
                self.commands = Commands(uri)

    @property
    def kind(self) -> str:
        """What one looks at: `live`, `attached` or `replay`."""
        return "replay" if self.model.replay is not None else "attached"

    @property
    def owned(self) -> bool:
        """Whether the instance is ours: it ends with us unless it is let go."""
        return False

    async def started(self) -> None:
        """Wait until there is something to see."""

    async def begun(self, seconds: float) -> None:
        """Wait until the initial program runs, or for so long."""
        import asyncio

        end = time.monotonic() + seconds
        while not self.model.begun and time.monotonic() < end:
            await asyncio.sleep(_POLL)
            self.model.poll()

    def poll(self) -> int | None:
        """Return the exit code of an engine of ours that has ended, else None."""
        return None

    def over(self) -> bool:
        """Tell whether nothing more will come: the engine has ended, or was killed."""
        now = time.monotonic()
        if self.commands is None or now < self._looked + _LOOK:
            return False
        self._looked = now
        return not self.model.session.live

    def let_go(self) -> None:
        """Leave the instance running when we end."""

    @property
    def complaints(self) -> str:
        """What the engine has said on stderr."""
        return ""


class Live(Source):
    """An instance that is started for us, in a session of its own, tied to us by a pipe.

    Args:
        engine: runs the instance in a child of ours, given where its session goes and the
            descriptor of the pipe; returns its exit code.
        directory: where the session is to go; None is where sessions live.

    Raises:
        OSError: there is no room for a session.
    """

    def __init__(self, engine: Callable[[str, int], int], directory: str | None = None) -> None:
        self.directory, self.in_memory = home.create_or_spare(directory)
        theirs, self._tether = os.pipe2(os.O_CLOEXEC)
        self._released = False
        self._begin = time.monotonic()
        self._stderr = os.memfd_create("stderr", os.MFD_CLOEXEC)
        self._child = Child(lambda fd: engine(self.directory, fd), theirs, self._stderr)
        os.close(theirs)

    @property
    def kind(self) -> str:
        """What one looks at."""
        return "live"

    @property
    def owned(self) -> bool:
        """Whether the instance is ours."""
        return True

    async def started(self) -> None:
        """Wait until there is a session.

        Raises:
            SourceError: the engine has ended without one.
        """
        import asyncio  # see Source

        path = os.path.join(self.directory, "session.json")
        for _ in range(int(_PATIENCE / _POLL)):
            if os.path.exists(path):
                super().__init__(self.directory)
                if self.owned and len(os.sched_getaffinity(0)) <= self.model.size:
                    # What comes now costs as much as brokers do, and would have nothing to show.
                    await self.begun(self._begin + _WAY - time.monotonic())
                return
            if self.poll() is not None:
                break
            await asyncio.sleep(_POLL)
        else:
            self._child.kill()
        with contextlib.suppress(OSError):
            os.rmdir(self.directory)  # unless something was begun there
        raise SourceError(self.complaints or "the engine has not begun a session")

    def poll(self) -> int | None:
        """Return the exit code of the engine if it has ended, else None."""
        return self._child.poll()

    def over(self) -> bool:
        """Tell whether the engine has ended."""
        return self.poll() is not None

    def let_go(self) -> None:
        """Leave the instance running when we end."""
        self._released = True
        os.write(self._tether, b"d")

    def finish(self, patience: float) -> int | None:
        """End the instance unless it was let go, and wait for that.

        Args:
            patience: seconds after which the engine is killed; its guardian does the rest.

        Returns:
            The exit code, None if the instance was let go.
        """
        os.close(self._tether)
        if self._released:
            return None
        if self._child.wait(patience) is None:
            self._child.kill()
        return self._child.wait(_PATIENCE)

    @property
    def complaints(self) -> str:
        """What the engine has said on stderr."""
        size = os.fstat(self._stderr).st_size
        return os.pread(self._stderr, size, 0).decode(errors="replace").rstrip("\n")


class Observed(Live):
    """An instance that somebody else has started: only its watcher is ours."""

    @property
    def kind(self) -> str:
        """What one looks at."""
        return "attached"

    @property
    def owned(self) -> bool:
        """Whether the instance is ours."""
        return False
