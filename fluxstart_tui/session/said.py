"""A line of a launcher's output, understood: what the engine records of it."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from fluxstart_tui.session.events import Event, Exit, Probe

    class Reader(Protocol):
        """Understands what a launcher and its tasks print."""

        def take(self, t: float, stream: int, line: bytes) -> Said:
            """Take a line without its newline.

            Args:
                t: seconds since the session's start.
                stream: the launcher's stdout or stderr, as an index into output.STREAMS.
                line: the line as the launcher printed it.
            """

        def take_many(self, t: float, stream: int, lines: bytes) -> Sequence[Said] | None:
            """Take whole lines at once; None if each is to be taken by itself.

            Only the order of a rank's own lines is kept. All of them are the user's to see.
            """

        def look(self, t: float) -> Sequence[Event]:
            """Return what has come of it with time, such as a stall; called each second."""

        def ended(self, t: float, code: int) -> Sequence[Event]:
            """Take that the launcher has ended with this exit code; return what that tells."""

        def died(self, t: float, end: Exit) -> None:
            """Take that a broker on this host has ended."""

        def stopping(self, t: float, by: str) -> None:
            """Take that we have begun to end the launch."""

        def probed(self, t: float, probe: Probe) -> None:
            """Take how a broker on this host looks from outside."""

        def stalled(self, t: float) -> bool:
            """Tell whether brokers are to be looked at, since none comes any further."""

        @property
        def in_pmi(self) -> bool:
            """Whether rank 0 is still in PMI."""

        @property
        def leads(self) -> bool:
            """Whether rank 0 is so far that the others end with it."""

        @property
        def size(self) -> int:
            """Number of ranks, 0 while it is not known."""

        @property
        def pids(self) -> dict[int, int]:
            """Pids of brokers on this host, as far as they are known."""

    class Checker(Reader, Protocol):
        """Understands what an exchange over PMI prints that no broker takes part in."""

        @property
        def hopeless(self) -> bool:
            """Whether it is not to be waited for any longer."""

        @property
        def works(self) -> bool:
            """Whether PMI works; to be asked at the end, as is the verdict."""

        def verdict(self) -> str:
            """Return in words what has come of it."""


class Said(NamedTuple):
    """What a line was."""

    rank: int
    """Whose it is; 0 if `stream` is the launcher's own."""
    stream: int
    """Where it belongs, as an index into output.STREAMS."""
    text: bytes
    """The line without label and newline."""
    shown: bool = True
    """Whether it is the user's to see; lines that we have asked for are not."""
    events: Sequence[Event] = ()
    """What it tells of."""
    at: float | None = None
    """When it was said, in seconds since the session's start, if the line tells."""
