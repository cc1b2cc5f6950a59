"""The files of a session that is written: header, lock, journal, spool.

A disk that takes no more of one of the two is given up for good: what comes then goes to memory,
where views find what is newest of it (memory.py), and is not recorded.
"""

from __future__ import annotations

import fcntl
import json
import os

from fluxstart_tui.session import output
from fluxstart_tui.session.events import Lost, encode
from fluxstart_tui.session.header import HEADER, LOCK
from fluxstart_tui.session.journal import Journal
from fluxstart_tui.session.memory import Memory, MemorySpool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fluxstart_tui.session.events import Event

    Timed = tuple[float, Event]


class Files:
    """Writes what it is told, to the disk or to memory.

    Args:
        directory: an existing directory in which there is no session; it is made private.
        header: what goes into session.json.
        limit: bytes of output that are kept (output.Spool).

    Raises:
        OSError: the files can not be made, or there are some already.
    """

    def __init__(self, directory: str, header: Mapping[str, object], limit: int) -> None:
        self.error: str | None = None
        """Why something is not written to the disk any more."""
        self._journal: Journal | None = None
        self._spool: output.Spool | None = None
        self._unwritten: dict[tuple[int, int], int] = {}
        os.chmod(directory, 0o700)
        # The lock comes first: whoever sees a header sees that the session lives.
        self._lock = os.open(os.path.join(directory, LOCK), output.CREATE, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._memory = Memory(directory)
            output.write_all(self._lock, self._memory.place)
            self._write_header(os.path.join(directory, HEADER), header)
            self._journal = Journal(directory, self._memory)
            self._spool = output.Spool(directory, limit)
        except BaseException:
            self.close(0.0)
            raise
        self.position = (0, 0, 0)
        """What can be read now: bytes of the journal, number of the newest segment, its records."""

    def _write_header(self, path: str, header: Mapping[str, object]) -> None:
        fd = os.open(path + ".new", output.CREATE, 0o600)
        try:
            output.write_all(fd, (json.dumps(header, indent=1) + "\n").encode())
        finally:
            os.close(fd)
        os.rename(path + ".new", path)

    def write(self, pieces: list[output.Piece], timed: list[Timed]) -> None:
        """Write output, then events: so there is what an event speaks of."""
        if pieces:
            timed += self._write_output(pieces)
        if timed:
            self._write_events(timed)
        journal, segment, records = self.position
        if self._journal is not None:
            journal = self._journal.total
        if self._spool is not None:
            segment, records = self._spool.segment, self._spool.records
        self.position = (journal, segment, records)

    def _write_output(self, pieces: list[output.Piece]) -> list[Timed]:
        """Write output; return what is to be told of it."""
        t = pieces[-1][0]
        failed_now = False
        if self._spool is not None and not isinstance(self._spool, MemorySpool):
            written = self._spool.total
            try:
                return [(t, loss) for loss in self._spool.append(pieces)]
            except Exception as error:  # noqa: BLE001 - neither a disk nor a bug may end the rest
                self._fail(error)
                self._spool.give_up()
                pieces = list(_behind(pieces, self._spool.total - written))
                failed_now = True
        for _, rank, stream, data in pieces:
            self._unwritten[rank, stream] = self._unwritten.get((rank, stream), 0) + len(data)
        self._remember(pieces)
        # That it began is told at once, how much it came to at the end.
        return self._report_unwritten(t) if failed_now else []

    def _remember(self, pieces: list[output.Piece]) -> None:
        """Write output to memory."""
        if self._spool is None:
            return
        try:
            if not isinstance(self._spool, MemorySpool):
                self._spool = MemorySpool(self._memory, self._spool.segment + 1)
            self._spool.append(pieces)
        except Exception as error:  # noqa: BLE001 - see above
            self._fail(error)
            self._spool.close()
            self._spool = None

    def _report_unwritten(self, t: float) -> list[Timed]:
        unwritten, self._unwritten = self._unwritten, {}
        return [(t, loss) for loss in output.losses(unwritten, "disk")]

    def _write_events(self, timed: list[Timed]) -> None:
        if self._journal is None:
            return
        try:
            lines = "".join([encode(t, event) for t, event in timed]).encode()
            failure = self._journal.write(lines)
            if failure is not None:
                self._fail(failure)
                told = encode(timed[-1][0], Lost("journal", "", len(lines), "disk"))
                self._journal.write(told.encode())
        except Exception as error:  # noqa: BLE001 - see above
            self._fail(error)
            self._journal.close()
            self._journal = None

    def _fail(self, error: Exception) -> None:
        text = error.strerror if isinstance(error, OSError) else None
        self.error = self.error or text or repr(error)

    def close(self, t: float) -> None:
        """Report at time `t` what was not written, close the files and give up the lock.

        What is in memory stays for as long as we do.
        """
        self._write_events(self._report_unwritten(t))
        if self._spool is not None:
            self._spool.close()
        if self._journal is not None:
            self._journal.close()
        # A process that is just being started may have it still: closing alone would not do.
        try:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
        except OSError:  # a file system without locks, or one that is gone
            pass
        os.close(self._lock)
        self._spool = self._journal = None


def _behind(pieces: list[output.Piece], size: int) -> Iterator[output.Piece]:
    """Yield what of pieces comes after so many bytes."""
    for t, rank, stream, data in pieces:
        if size < len(data):
            yield t, rank, stream, data[size:]
        size = max(0, size - len(data))
