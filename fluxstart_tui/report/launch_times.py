"""Time stamps before the lines of a log, whoever has put them there."""

from __future__ import annotations

import datetime
import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TRIES = 20
"""Lines from the log's beginning of which one has to have a time stamp."""

_DAY = 86400.0

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?:Z|[+-]\d\d:?\d\d)?[ \t]"
)
_DATE = re.compile(r"[A-Z][a-z]{2} [ \d]\d (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (?!\S+ \d{4} )")
_CLOCK = re.compile(r"\[?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\]?[ \t]")
_SECONDS = re.compile(r"\[? *(\d{1,12}\.\d{1,9})\]?:?[ \t]")


def _iso(found: re.Match[str]) -> float:
    at = datetime.datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
    return at.timestamp() + float(f"0.{found[3] or 0}")


def _clock(found: re.Match[str]) -> float:
    whole = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])
    return whole + float(f"0.{found[4] or 0}")


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], float]], ...] = (
    (_ISO, _iso),
    (_DATE, _clock),
    (_CLOCK, _clock),
    (_SECONDS, lambda found: float(found[1])),
)
"""What CI systems, ts(1) and others print."""


class Times:
    """Takes the time stamps off lines; a log has one form of them, or none."""

    def __init__(self) -> None:
        self._form: tuple[re.Pattern[str], Callable[[re.Match[str]], float]] | None = None
        self._tries = _TRIES
        self._first: float | None = None
        self._day = 0.0
        self._before = 0.0

    def split(self, line: str) -> tuple[float | None, str]:
        """Return seconds since the log's first time, None if the line has none, and the rest."""
        if line.startswith('{"t"'):
            timed = _json(line)
            if timed is not None:
                return timed
        if self._form is None:
            if self._tries == 0:
                return None, line
            self._tries -= 1
            self._form = next((form for form in _FORMS if form[0].match(line)), None)
            if self._form is None:
                return None, line
        pattern, seconds = self._form
        found = pattern.match(line)
        if found is None:
            return None, line
        try:
            t = seconds(found)
        except ValueError:  # the 31st of February
            return None, line
        return self._since(t), line[found.end() :]

    def _since(self, t: float) -> float:
        if self._form is not None and self._form[1] is _clock:
            if t + self._day < self._before - _DAY / 2:
                self._day += _DAY  # past midnight
            t += self._day
        self._before = t
        if self._first is None:
            self._first = t
        return max(0.0, t - self._first)


def _json(line: str) -> tuple[float, str] | None:
    """Read a line of a log that has an object with time and text in each."""
    try:
        entry = json.loads(line)
        t, text = float(entry["t"]), entry["s"]
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None
    return (t, text) if isinstance(text, str) and 0 <= t < 1e9 else None
