"""What brokers' log records say: of states, of the initial program, and when.

A record reads `<PRI>1 TIME RANK APP PID - - TEXT`, the severity being PRI >> 3 (flux-core:
libflux/stdlog.h). There are thousands during a boot, and most are of no interest here: they are
taken apart only as far as it takes to see that.
"""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.rfc import fsd
from fluxstart_tui.session import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.record import Record


class LogRecord(NamedTuple):
    """One record, in bytes as it came."""

    severity: int
    stamp: bytes
    app: bytes
    text: bytes


def parse(record: bytes, rank: int) -> LogRecord | None:
    """Take apart a record of a rank's own.

    Returns:
        None if it is none, or one that another rank has forwarded: that one's log has it.
    """
    parts = record.split(b" ", 7)
    if len(parts) < 8 or parts[2] != b"%d" % rank:
        return None
    priority = parts[0][1 : parts[0].find(b">")]
    severity = int(priority) >> 3 if priority.isdigit() and len(priority) < 5 else 7
    return LogRecord(severity, parts[1], parts[3], parts[7])


def transition(rank: int, text: str) -> events.State | None:
    """Return the transition of a broker's state that a record tells of, if it does.

    It reads `EVENT: FORMER->STATE SECONDS` (flux-core: broker/state_machine.c).
    """
    name, _, rest = text.partition(": ")
    former, arrow, more = rest.partition("->")
    state, _, spent = more.partition(" ")
    seconds = _seconds(spent) if arrow and spent else None
    return None if seconds is None else events.State(rank, state, name, former, seconds)


def program_end(text: str) -> events.Program | None:
    """Return the end of the initial program that a record of rank 0 tells of, if it does.

    It reads `rc2.0: COMMAND Exited (rc=N) SECONDS` (flux-core: broker/broker.c).
    """
    if not text.startswith("rc2."):
        return None
    command, marker, code = text.partition(": ")[2].rpartition(" (rc=")
    try:
        return events.Program("ended", int(code.partition(")")[0]), command) if marker else None
    except ValueError:
        return None


class Clock:
    """Turns the wall clock time of log records into seconds since the record began.

    It is what views do with the session's start (tui/broker_log.py): both have the same times.
    """

    def __init__(self, record: Record) -> None:
        self._record = record

    def at(self, stamp: bytes) -> float:
        """Return when a record `YYYY-MM-DDTHH:MM:SS.ffffffZ` was made; now if it is not that.

        Only the time of day is looked at: a record is hours old at the most. None comes from the
        future, whatever somebody has done to the wall clock.
        """
        now = self._record.now()
        try:
            day = int(stamp[11:13]) * 3600 + int(stamp[14:16]) * 60 + float(stamp[17:-1])
        except ValueError:
            return now
        age = (self._record.began + now - day) % 86400
        return max(0.0, now - age) if age < 43200 else now


def _seconds(text: str) -> float | None:
    """Parse a duration (RFC 23), those with little ado that are in every transition."""
    try:
        if text.endswith("ms"):
            return round(float(text[:-2]) / 1000, 9)
        return float(text[:-1]) if text.endswith("s") else fsd.parse(text)
    except ValueError:
        return None
