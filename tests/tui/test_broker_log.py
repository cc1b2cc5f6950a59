"""The index of broker log records."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.session.events import Pmi, State
from fluxstart_tui.session.files import Files
from fluxstart_tui.session.output_reader import SpoolReader
from fluxstart_tui.tui.broker_log import BrokerLog, epoch
from tests import support
from tests.tui.rows_support import START, Launch

if TYPE_CHECKING:
    from pathlib import Path


def test_a_record_is_read(tmp_path: Path) -> None:
    """Severity is the priority's upper part, the time its own, relative to the session's start."""
    one = Launch(tmp_path / "s", 4)
    one.log(1.25, 3, 3, "sched-simple", "alloc failed")
    log = BrokerLog(SpoolReader(str(one.close())), START)
    assert log.poll()
    record = log.decode(0)
    assert (record.rank, record.severity, record.app) == (3, 3, "sched-simple")
    assert record.text == "alloc failed"
    assert record.t == pytest.approx(1.25)
    assert log.raws([0]) == [b"alloc failed"]


def test_what_is_no_record_is_a_line_all_the_same(tmp_path: Path) -> None:
    """Text without a header keeps the rank and the time of its coming; controls are shown."""
    (tmp_path / "s").mkdir()
    files = Files(str(tmp_path / "s"), {}, 1 << 20)
    files.write([(2.0, 5, 5, b"hello\x1b[2J\n")], [])
    files.close(2.0)
    log = BrokerLog(SpoolReader(str(tmp_path / "s")), "nonsense")
    log.poll()
    assert log.decode(0) == (2.0, 5, 6, "?", "hello\\x1b[2J")


def test_time_stamps() -> None:
    """Stamps are UTC; what is none is None."""
    days: dict[bytes, float] = {}
    assert epoch(b"1970-01-02T00:00:01.5Z", days) == 86401.5
    assert epoch(b"1970-01-02T01:00:00Z", days) == 90000.0
    assert epoch(b"1970-13-02T01:00:00Z", days) is None
    assert epoch(b"yesterday", days) is None


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.builds(
                lambda pri, stamp, rank, text: b"<%d>1 %b %d a b - - %b\n" % (
                    pri, stamp, rank, text),
                st.integers(0, 9999),
                st.sampled_from([b"2026-11-22T12:00:01.5Z", b"9999-99-99T99:99:99Z", b"-"]),
                st.integers(0, 10**9), st.binary(max_size=20),
            ),
        ), max_size=20,
    )
)  # fmt: skip
def test_whatever_was_logged_can_be_looked_at(lines: list[bytes]) -> None:
    """No bytes in the log stream do harm."""
    with tempfile.TemporaryDirectory() as name:
        files = Files(name, {}, 1 << 20)
        files.write([(float(n), n % 3, 5, line) for n, line in enumerate(lines) if line], [])
        files.close(0.0)
        log = BrokerLog(SpoolReader(name), START)
        log.poll()
        for i in range(len(log)):
            log.decode(i)
        log.raws(list(range(len(log))))


def test_the_log_and_the_journal_have_one_time(scene: Path) -> None:
    """No broker enters a state before its PMI has begun, whichever of the two is asked."""
    words = ("--headless", "--record=s", "--broker=embedded", "-s4", "sleep", "0.2")
    assert support.run(scene, *words).code == 0
    recorded = support.session(scene / "s")
    log = BrokerLog(recorded.output, recorded.header["start"])
    log.poll()
    records = [log.decode(i) for i in range(len(log))]
    told = {(one.rank, one.text.partition(": ")[0]): one.t for one in records}
    events = list(recorded.events())
    greeted = {one.rank: t for t, one in events if isinstance(one, Pmi) and one.phase == "init"}
    entered = [(t, one) for t, one in events if isinstance(one, State) and one.event]
    assert {one.rank for _, one in entered} == {0, 1, 2, 3}
    for t, one in entered:
        assert t > greeted[one.rank]
        assert told[one.rank, one.event] == pytest.approx(t, abs=1e-4)
