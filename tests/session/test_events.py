"""The language of sessions: what is written can be read, and nothing that is read does harm."""

from __future__ import annotations

import json
import math
import signal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.session import events
from tests.session import strategies


@pytest.mark.parametrize("kind", events.KINDS.values())
@given(st.data())
def test_every_kind_survives_the_journal(kind: type[events.Event], data: st.DataObject) -> None:
    """What is written of an event is one line of ASCII and JSON, and reads as the same event."""
    t, event = data.draw(strategies.TIMES), data.draw(strategies.of_kind(kind))
    line = events.encode(t, event)
    assert line.isascii()
    assert line.index("\n") == len(line) - 1
    assert json.loads(line)["e"] == kind.__name__.lower()
    assert events.decode(line) == (t, event) == events.decode(line.encode())


def test_a_signal_may_be_named_by_its_enum() -> None:
    """signal.SIGTERM is written as a number."""
    line = events.encode(1.0, events.Signal("0", signal.SIGTERM, "me"))
    assert events.decode(line) == (1.0, events.Signal("0", 15, "me"))


@given(strategies.OBJECTS)
def test_any_json_is_an_event_of_right_types_or_none(value: Any) -> None:
    """Fields of another type, missing ones and unknown kinds make no event."""
    found = events.decode(json.dumps(value))
    if found is not None:
        t, event = found
        assert math.isfinite(t)
        assert events.decode(events.encode(0.0, event)) == (0.0, event)


@given(st.binary() | st.text())
def test_any_bytes_are_no_event(line: bytes | str) -> None:
    """What is no object of a known kind is passed over."""
    assert events.decode(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\x00" * 100,
        b'{"t":1,"e":"message","text":"\xff"}',
        b'{"t":1,"e":"message","text":"a\x00b"}',
        b'{"t":NaN,"e":"message","text":""}',
        b'{"t":1e999,"e":"message","text":""}',
        b'{"t":1,"e":"barrier","number":' + b"9" * 100_000 + b"}",
        b'{"t":1,"e":"barrier","number":true}',
        b'{"t":1,"e":"barrier","number":1.0}',
        b'{"t":1,"e":["barrier"],"number":1}',
        b'{"t":1,"e":"later","number":1}',
        b'{"t":1,"e":"barrier"',
        b"[" * 1_000_000,
        b'{"t":' * 100_000,
    ],
    ids=range(14),
)
def test_what_is_no_event(line: bytes) -> None:
    """Torn, hostile and unknown lines are None."""
    assert events.decode(line) is None


def test_a_newer_writer_may_add_fields_and_an_older_one_lack_them() -> None:
    """Fields that are not known are passed over, those with a default may be missing."""
    line = '{"t":1.5,"e":"pmi","rank":3,"phase":"put","colour":"blue"}'
    assert events.decode(line) == (1.5, events.Pmi(3, "put", 0))
