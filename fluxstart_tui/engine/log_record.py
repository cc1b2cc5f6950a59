"""What brokers' log records say: of states, of the initial program, and when.

A record reads `<PRI>1 TIME RANK APP PID - - TEXT`, the severity being PRI >> 3 (flux-core:
libflux/stdlog.h). There are thousands during a boot, and most are of no interest here: they are
taken apart only as far as it takes to see that. Functions here take what `split` returns.
"""

from __future__ import annotations

from fluxstart_tui.rfc import fsd
from fluxstart_tui.session import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.engine.record import Record

INFO = 6
"""Severity of records of transitions."""

_DEBUG = b"<56>1"
_BROKER = b"broker"


def split(record: bytes) -> list[bytes] | None:
    """Return the fields of a record, PRI and version being one of them; None if it is none."""
    fields = record.split(b" ", 7)
    return fields if len(fields) == 8 else None


def idle(fields: list[bytes]) -> bool:
    """Tell at a glance whether it is a debug record: half are, and tell nothing."""
    return fields[0] == _DEBUG


def severity(fields: list[bytes]) -> int:
    """Return the severity of a record, 7 if it has none."""
    priority = fields[0][1 : fields[0].find(b">")]
    return int(priority) >> 3 if priority.isdigit() and len(priority) < 5 else 7


def lines(records: list[bytes]) -> bytes:
    """Return records as lines, one each."""
    text = b"\n".join(records)
    if text.count(b"\n") >= len(records):
        text = b"\n".join([record.replace(b"\n", b" ") for record in records])
    return text + b"\n"


def transition(rank: int, fields: list[bytes]) -> events.State | None:
    """Return the transition of a broker's state that a record tells of, if it does.

    Its text reads `EVENT: FORMER->STATE SECONDS` (flux-core: broker/state_machine.c).
    """
    if fields[3] != _BROKER or severity(fields) != INFO:
        return None
    name, _, rest = fields[7].decode(errors="replace").partition(": ")
    former, arrow, more = rest.partition("->")
    state, _, spent = more.partition(" ")
    seconds = _seconds(spent) if arrow and spent else None
    return None if seconds is None else events.State(rank, state, name, former, seconds)


def program_end(fields: list[bytes]) -> events.Program | None:
    """Return the end of the initial program that a record of rank 0 tells of, if it does."""
    return _program_end(fields[7].decode(errors="replace")) if fields[3] == _BROKER else None


def _program_end(text: str) -> events.Program | None:
    """Understand a text.

    It reads `rc2.0: COMMAND Exited (rc=N) SECONDS` (flux-core: broker/broker.c).
    """
    if not text.startswith("rc2."):
        return None
    command, marker, code = text.partition(": ")[2].rpartition(" (rc=")
    try:
        return events.Program("ended", int(code.partition(")")[0]), command) if marker else None
    except ValueError:
        return None


def printed_end(printed: bytes) -> events.Program | None:
    """Return the failure of the initial program that rank 0 has printed of, if it has.

    A line reads `TIME broker.err[0]: TEXT` (flux-core: broker/log.c), TEXT as above.
    """
    for line in reversed(printed.splitlines()):
        text = line.partition(b" broker.err[0]: ")[2].decode(errors="replace")
        if (ended := _program_end(text)) is not None:
            return ended
    return None


class Clock:
    """Turns the wall clock time of log records into seconds since the record began.

    It is what views do with the session's start (tui/broker_log.py): both have the same times.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._minute = b""  # of the last record, up to its seconds
        self._began = 0.0  # when that minute did, in seconds since 1970
        self._now = 0.0  # some time that has been

    def at(self, stamp: bytes) -> float:
        """Return when a record `YYYY-MM-DDTHH:MM:SS.ffffffZ` was made; now if it is not that.

        Only the time of day is looked at: a record is hours old at the most. None comes from the
        future, whatever somebody has done to the wall clock.
        """
        try:
            seconds = float(stamp[17:-1])
            if stamp[:17] == self._minute:
                at = self._began + seconds - self._record.began
                if 0.0 <= at <= self._now:
                    return at
            self._now = now = self._record.now()
            minute = int(stamp[11:13]) * 3600 + int(stamp[14:16]) * 60
        except ValueError:
            return self._record.now()
        age = (self._record.began + now - minute - seconds) % 86400
        if not age < 43200:  # nor if it is no number
            return now
        self._minute, self._began = stamp[:17], self._record.began + now - age - seconds
        return max(0.0, now - age)


def _seconds(text: str) -> float | None:
    """Parse a duration (RFC 23), those with little ado that are in every transition."""
    try:
        if text.endswith("ms"):
            return round(float(text[:-2]) / 1000, 9)
        return float(text[:-1]) if text.endswith("s") else fsd.parse(text)
    except ValueError:
        return None
