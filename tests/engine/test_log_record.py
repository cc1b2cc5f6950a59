"""What is understood of brokers' log records."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.engine import log_record
from fluxstart_tui.engine.record import Record
from fluxstart_tui.session import events


def test_a_record_is_taken_apart() -> None:
    """Severity, time, rank, app and text."""
    line = b"<48>1 2026-11-22T14:54:07.509663Z 7 broker 17854 - - rc1-none: init->quorum 0.00712ms"
    found = log_record.split(line)
    assert found is not None
    assert found[1:4] == [b"2026-11-22T14:54:07.509663Z", b"7", b"broker"]
    assert found[7] == b"rc1-none: init->quorum 0.00712ms"
    assert log_record.severity(found) == log_record.INFO
    assert not log_record.idle(found)
    assert log_record.transition(7, found) == events.State(
        7, "quorum", "rc1-none", "init", 0.00000712
    )
    assert log_record.split(line[:-40]) is None


def record(text: str, app: str = "broker", priority: str = "48") -> list[bytes]:
    """Return the fields of a record."""
    found = log_record.split(f"<{priority}>1 - 0 {app} 1 - - {text}".encode())
    assert found is not None
    return found


@pytest.mark.parametrize("priority", ["", "x", "-8", "²", "9" * 5000])
def test_what_is_no_priority_is_debug(priority: str) -> None:
    found = record("text", priority=priority)
    assert log_record.severity(found) == 7
    assert (found[1], found[3], found[7]) == (b"-", b"broker", b"text")


@pytest.mark.parametrize(
    "text",
    ["", "a: b", "insmod overlay", "x->y", "e: a->b", "e: a->b 1x", "e: a->b ²s", "->", ": -> s"],
)
def test_what_tells_of_no_transition(text: str) -> None:
    """Only an event, two states and a duration make one, said by the broker itself as usual."""
    assert log_record.transition(0, record(text)) is None


def test_nobody_else_tells_of_transitions() -> None:
    step = "rc1-none: init->quorum 0.00712ms"
    assert log_record.transition(0, record(step)) is not None
    assert log_record.transition(0, record(step, app="logger")) is None
    assert log_record.transition(0, record(step, priority="56")) is None
    assert log_record.transition(0, record(step, priority="49")) is not None  # another facility


def test_records_are_lines() -> None:
    """One line each, whatever is in them."""
    assert log_record.lines([b"a", b"b"]) == b"a\nb\n"
    assert log_record.lines([b"a\nb", b"c"]) == b"a b\nc\n"


def test_the_end_of_the_initial_program() -> None:
    """Its command and exit code; nothing that merely looks like it."""
    text = "rc2.0: sh -c (rc=x) Exited (rc=3) 0.1s"
    ended = events.Program("ended", 3, "sh -c (rc=x) Exited")
    assert log_record.program_end(record(text)) == ended
    assert log_record.program_end(record(text, app="logger")) is None
    for text in ("rc2.0: a (rc=²) 1s", f"rc2.0: a (rc={'9' * 5000}) 1s", "rc1.0: a (rc=1) 1s"):
        assert log_record.program_end(record(text)) is None


def test_a_failure_that_is_printed() -> None:
    """A line of rank 0's own stderr; what the program prints itself is none."""
    line = b"Nov 22 23:49:39.411802 UTC 2026 broker.err[0]: rc2.0: sh -c x Exited (rc=3) 0.0s"
    ended = events.Program("ended", 3, "sh -c x Exited")
    assert log_record.printed_end(b"a\n" + line + b"\r\nb") == ended
    for text in (b"rc2.0: sh (rc=3)", line.replace(b"[0]", b"[1]"), line[:-15], b"]: rc2.0: "):
        assert log_record.printed_end(text) is None


def test_a_record_has_its_own_time() -> None:
    """Seconds since the session began; what is no time of today was now."""
    record = Record(time.monotonic)
    clock = log_record.Clock(record)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() - 60))
    assert clock.at(stamp.encode()) == 0.0  # before the session began
    assert clock.at(b"yesterday") == pytest.approx(record.now(), abs=1.0)


@given(st.binary(), st.integers(0, 9))
def test_nothing_that_a_broker_says_raises(data: bytes, rank: int) -> None:
    """Any bytes are taken, whatever they are."""
    clock = log_record.Clock(Record(time.monotonic))
    for record in (data, b"<48>1 %b %d broker 1 - - %b" % (data[:20], rank, data)):
        found = log_record.split(record)
        if found is not None:
            log_record.severity(found)
            log_record.transition(rank, found)
            log_record.program_end(found)
            clock.at(found[1])
