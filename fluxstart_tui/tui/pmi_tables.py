"""What a PMI trace comes to: what each rank did when, and what is in the key-value space."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.rfc import pmi1
from fluxstart_tui.tui.pmi_trace import (
    BARRIER_IN,
    BARRIER_OUT,
    CODE,
    FINALIZE,
    GET,
    INIT,
    NONE,
    PUT,
)  # fmt: skip

if TYPE_CHECKING:
    from fluxstart_tui.tui.pmi_trace import Trace

_STEP = 4096
_GET_RESULT = CODE["get_result"]
_KINDS = {INIT: "init", PUT: "put", GET: "get", BARRIER_IN: "barrier", FINALIZE: "finalize"}
_FAILED_MAX = 23
"""Bytes of a reply to a get that has no value."""


class Mark:
    """Something that a rank did, once or several times in a row."""

    __slots__ = ("count", "first", "kind", "last")

    def __init__(self, kind: str, first: float) -> None:
        self.kind = kind
        """init, put, get, barrier, finalize."""
        self.first = first
        self.last: float | None = None if kind == "barrier" else first
        """When it was done for the last time; of a barrier when the rank was let out."""
        self.count = 1


class Lanes:
    """What each rank did, in its order.

    Args:
        trace: the trace, which may grow.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.done = 0
        """How many lines of the trace have been taken."""
        self.marks: dict[int, list[Mark]] = {}
        self.begin: float | None = None
        """When the first rank spoke."""
        self.end = 0.0

    def work(self, until: float) -> bool:
        """Read the trace until a time and take it; tell whether there is more to do."""
        more = True
        while more and time.monotonic() < until:
            self._trace.poll(min(until, time.monotonic() + 0.004))
            more = self.advance() or self._trace.progress < 1.0
        return more

    def barrier(self, rank: int, number: int, since: float = 0.0) -> Mark | None:
        """Return when a rank was in a barrier, from 1; None if it has not been there.

        Args:
            rank: whose.
            number: which of those that it was in, from 1.
            since: when it was started last.
        """
        marks = (
            mark
            for mark in self.marks.get(rank, ())
            if mark.kind == "barrier" and mark.first >= since
        )
        return next(islice(marks, number - 1, None), None)

    def advance(self) -> bool:
        """Take some more of the trace; tell whether there is more."""
        trace = self._trace
        stop = min(len(trace), self.done + _STEP)
        window = slice(self.done, stop)
        codes, ranks, times = trace.code[window], trace.rank[window], trace.t[window]
        for code, rank, t in zip(codes, ranks, times, strict=True):
            marks = self.marks.get(rank)
            if marks is None:
                marks = self.marks[rank] = []
            if code == GET and marks and marks[-1].kind == "get":
                marks[-1].last = t
                marks[-1].count += 1
            elif code == BARRIER_OUT:
                if marks and marks[-1].kind == "barrier":
                    marks[-1].last = t
            elif code in _KINDS:
                if code == INIT and marks and marks[-1].last is None:
                    marks[-1].last = t  # it has died in a barrier, and was started again
                marks.append(Mark(_KINDS[code], t))
        if times:
            self.begin = times[0] if self.begin is None else self.begin
            self.end = max(self.end, times[-1])
        self.done = stop
        return stop < len(trace)


class Entry(NamedTuple):
    """A key."""

    key: str
    put_by: int | None
    """Who put it last; None if it was there from the beginning, or is not there."""
    put_at: float | None
    puts: int
    line: int
    """A line of the trace that has the value, NONE if none has."""
    gets: int
    failed: int
    """Gets that found nothing."""
    getters: int
    """Who asked for it: bit r for rank r."""


class Kvs:
    """The keys, as far as the trace tells of them: up to a time.

    Args:
        trace: the trace, which may grow.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._reset()

    def _reset(self) -> None:
        self._done = 0
        self._rows: dict[int, list[int]] = {}  # key -> [put line, puts, value line, gets, failed]
        self._getters: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def advance(self, total: int) -> bool:
        """Take some more of the first `total` lines; tell whether there is more."""
        if total < self._done:
            self._reset()
        trace = self._trace
        stop = min(total, self._done + _STEP)
        rows, getters = self._rows, self._getters
        for i in range(self._done, stop):
            key = trace.key[i]
            if key == NONE:
                continue
            row = rows.get(key)
            if row is None:
                row = rows[key] = [NONE, 0, NONE, 0, 0]
                getters[key] = 0
            code = trace.code[i]
            if code == GET:
                row[3] += 1
                getters[key] |= 1 << trace.rank[i]
            elif code == PUT:
                row[0] = row[2] = i
                row[1] += 1
            elif code == _GET_RESULT:
                if trace.length(i) <= _FAILED_MAX:
                    row[4] += 1
                elif row[2] == NONE:
                    row[2] = i
        self._done = stop
        return stop < total

    def entries(self) -> list[Entry]:
        """Return the keys in the order in which they came up."""
        trace = self._trace
        return [
            Entry(
                pmi1.printable(trace.keys[number]).decode("ascii"),
                None if put == NONE else trace.rank[put],
                None if put == NONE else trace.t[put],
                puts, value, gets, failed, self._getters[number],
            )
            for number, (put, puts, value, gets, failed) in self._rows.items()
        ]  # fmt: skip


def members(bits: int) -> list[int]:
    """Return which bits are set."""
    return [n for n, bit in enumerate(reversed(f"{bits:b}")) if bit == "1"]
