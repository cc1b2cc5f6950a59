"""Read a session, recorded or live. Whatever its files hold, nothing here is harmed by it."""

from __future__ import annotations

from fluxstart_tui.session import state
from fluxstart_tui.session.header import SessionError, is_live, read_header
from fluxstart_tui.session.journal import JournalReader
from fluxstart_tui.session.memory import MemoryReader
from fluxstart_tui.session.output_reader import SpoolReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.session.events import Event
    from fluxstart_tui.session.state import InstanceState

__all__ = ["Session", "SessionError", "is_live"]


class Session:
    """A session that is read.

    Args:
        path: its directory.

    Raises:
        SessionError: it is none.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.header = read_header(path)
        """What session.json holds; a field may be missing or of any type."""
        self._memory = MemoryReader(path)
        self.output = SpoolReader(path, self._memory)
        self._journal = JournalReader(path, self._memory)
        self._state = state.initial(self.header)
        self._begun = False

    @property
    def live(self) -> bool:
        """Whether it is still recorded."""
        return is_live(self.path)

    @property
    def state(self) -> InstanceState:
        """The sum of all events until now when it is first asked, then of what `poll` returned.

        A view takes the state once and then both the events of each poll and their sum.
        """
        if not self._begun:
            self._begun = True
            self._state = state.advance(self._state, self._journal.read())
        return self._state

    def events(self) -> Iterator[tuple[float, Event]]:
        """Yield all events from the first until now, whatever was read before."""
        journal = JournalReader(self.path, self._memory)
        yield from journal.read()
        journal.close()

    def poll(self) -> list[tuple[float, Event]]:
        """Return the events that came since the last poll or since `state` was first asked."""
        self._begun = True
        timed = list(self._journal.read())
        self._state = state.advance(self._state, timed)
        return timed

    def close(self) -> None:
        """Close the files."""
        self._journal.close()
        self.output.close()
