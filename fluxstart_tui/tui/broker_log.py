"""Log records of all brokers: where they are, when, whose, how bad, of which module."""

from __future__ import annotations

import calendar
import re
import time
from array import array
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.tui.spool_lines import NEVER, SpoolLines

if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.session.output_reader import SpoolReader

LOG, STDERR = STREAMS.index("log"), STREAMS.index("stderr")
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
DONE = len(SEVERITIES)
"""Stands for the severity of what was done to the instance, which is no record of a broker."""
_APPS_MAX = 1 << 12
_TOGETHER = 1.0
"""Seconds by which a record may be newer than the bytes it came with: what a rank says within a
moment has the time of its first piece (session/output.py)."""
_OLDEST = 43200
"""Seconds that a record may have been waiting for us."""
_UNKNOWN = 6
"""The severity of what is no record: info."""

_HEAD = re.compile(rb"<(\d{1,4})>\d+ (\S+) (\d{1,9}) (\S+) \S+ \S+ \S+ ?")
_PRINTED = re.compile(rb"(?:<\d>)?(\S{1,40})\.(%s)\[(\d{1,9})\]: " % "|".join(SEVERITIES).encode())
"""How flux-broker prints a record on stderr (src/broker/log.c)."""
_STAMP = re.compile(rb"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d(?:\.\d{1,9})?)Z")


class Record(NamedTuple):
    """One record, decoded."""

    t: float
    rank: int
    severity: int
    """Index into SEVERITIES."""
    app: str
    text: str


def epoch(stamp: bytes, days: dict[bytes, float]) -> float | None:
    """Return a record's time stamp as seconds since 1970, None if it is none.

    Args:
        stamp: `2026-11-22T06:54:27.593457Z`.
        days: midnights that are known already, by their date.
    """
    found = _STAMP.fullmatch(stamp)
    if found is None:
        return None
    day = stamp[:10]
    midnight = days.get(day)
    if midnight is None:
        try:
            year, month, date = (int(found[n]) for n in (1, 2, 3))
            midnight = float(calendar.timegm(datetime(year, month, date).timetuple()))
        except ValueError:
            return None
        if len(days) < 1000:
            days[day] = midnight
    return midnight + int(found[4]) * 3600 + int(found[5]) * 60 + float(found[6])


class BrokerLog:
    """The index of the brokers' log records, which may grow.

    Args:
        spool: the spool.
        start: when the session began (RFC 3339), as its header says.
        printed: records are those on stderr, since there is no log stream: nobody could ask the
            brokers for their logs.
    """

    def __init__(self, spool: SpoolReader, start: str = "", *, printed: bool = False) -> None:
        self._lines = SpoolLines(spool, (STDERR if printed else LOG,))
        self._printed = printed
        self._start: float | None
        try:
            self._start = datetime.fromisoformat(start).timestamp()
        except (ValueError, TypeError, OverflowError):
            self._start = None
        self.t = array("d")
        """When it was written: seconds since the session's start, by its own time stamp."""
        self.rank = array("H")
        self.severity = array("B")
        self.app = array("H")
        """Index into `apps`."""
        self.apps: list[str] = []
        self.complete = False
        self._place = array("Q")
        self._length = array("I")
        self._deeds: list[bytes] = []
        self._days: dict[bytes, float] = {}
        self._numbers: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self.t)

    @property
    def progress(self) -> float:
        """How much of the spool has been read, from 0 to 1."""
        return 1.0 if self.complete else self._lines.progress()

    def poll(self, until: float = NEVER, clock: Callable[[], float] = time.monotonic) -> bool:
        """Index what is new, but not much longer than `until` by the clock; tell if there was."""
        before = len(self.t)
        while (lines := self._lines.poll()) is not None:
            for t, rank, place, text in zip(lines.t, lines.rank, lines.place, lines.text,
                                            strict=True):  # fmt: skip
                self._take(t, rank, place, text)
            if clock() >= until:
                self.complete = False
                return len(self.t) > before
        self.complete = True
        return len(self.t) > before

    def add(self, t: float, kind: str, text: str) -> None:
        """Add something that was done to the instance: a line of its own kind."""
        self._append(t, 0, DONE, kind.encode(), len(self._deeds), 0)
        self._deeds.append(text.encode())

    def _take(self, came: float, of: int, place: int, line: bytes) -> None:
        t, rank, severity, app = came if -NEVER < came < NEVER else 0.0, of, _UNKNOWN, b"?"
        found = None if self._printed else _HEAD.match(line)
        if self._printed:
            printed = _PRINTED.match(line)
            if printed is None:
                return
            app, severity = printed[1], SEVERITIES.index(printed[2].decode())
        elif found is not None:
            severity = min(int(found[1]) >> 3, 7)
            rank = int(found[3]) if int(found[3]) < 1 << 16 else of
            app = found[4]
            wrote = None if self._start is None else epoch(found[2], self._days)
            if wrote is not None and self._start is not None:
                # A clock that was set, or another host's, must not throw it out of all order;
                # the journal has the same rule (engine/log_record.py).
                since = wrote - self._start
                t = max(0.0, since) if -_TOGETHER <= t - since < _OLDEST else t
        self._append(t, rank, severity, app, place, len(line))

    def _append(
        self, t: float, rank: int, severity: int, app: bytes, place: int, length: int
    ) -> None:
        self.t.append(t)
        self.rank.append(rank)
        self.severity.append(severity)
        self.app.append(self._number(app))
        self._place.append(place)
        self._length.append(length)

    def _number(self, app: bytes) -> int:
        number = self._numbers.get(app)
        if number is None:
            if len(self.apps) >= _APPS_MAX:
                return 0
            number = self._numbers[app] = len(self.apps)
            self.apps.append(_shown(app)[:40])
        return number

    def raw(self, i: int) -> bytes:
        """Return a record as it was written, without the newline."""
        if self.severity[i] == DONE:
            return self._deeds[self._place[i]]
        return self._lines.read(self._place[i], self._length[i]).rstrip(b"\r\n")

    def raws(self, lines: list[int]) -> list[bytes]:
        """Return the texts of records, without what precedes them."""
        records = [i for i in lines if self.severity[i] != DONE]
        read = self._lines.read_many(
            [self._place[i] for i in records], [self._length[i] for i in records]
        )
        texts = dict(zip(records, read, strict=True))
        return [_text(texts[i] if i in texts else self.raw(i)) for i in lines]

    def decode(self, i: int) -> Record:
        """Return what a record says."""
        text = _shown(_text(self.raw(i)))
        return Record(self.t[i], self.rank[i], self.severity[i], self.apps[self.app[i]], text)


def _text(line: bytes) -> bytes:
    found = _HEAD.match(line) or _PRINTED.match(line)
    return (line[found.end() :] if found else line).rstrip(b"\r\n")


def _shown(data: bytes) -> str:
    """Return text in which nothing moves a cursor."""
    text = data.decode("utf-8", "replace").replace("\t", "    ")
    return text if text.isprintable() else "".join(
        c if c.isprintable() else f"\\x{ord(c):02x}" for c in text
    )  # fmt: skip
