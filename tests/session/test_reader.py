"""Reading journals, whole, growing and hostile."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.session import events, state
from fluxstart_tui.session.journal import LINE_MAX
from fluxstart_tui.session.reader import Session, SessionError
from tests.session import strategies


def session(directory: str | Path, journal: bytes = b"", header: object = None) -> Session:
    Path(directory, "session.json").write_text(json.dumps(header or {}))
    Path(directory, "events.jsonl").write_bytes(journal)
    return Session(str(directory))


@settings(max_examples=50)
@given(st.lists(strategies.TIMED, max_size=6), st.data())
def test_any_prefix_of_a_journal_loads(timed: list[Any], data: st.DataObject) -> None:
    """Its whole lines are read, the torn one when the rest of it has come."""
    journal = "".join(events.encode(*one) for one in timed).encode()
    cut = data.draw(st.integers(0, len(journal)))
    whole = journal[:cut].count(b"\n")
    with tempfile.TemporaryDirectory() as directory:
        ours = session(directory, journal[:cut])
        assert list(ours.events()) == timed[:whole]
        assert ours.state == state.replay(timed[:whole])
        assert ours.poll() == []
        with open(os.path.join(directory, "events.jsonl"), "ab") as file:
            file.write(journal[cut:])
        assert ours.poll() == timed[whole:]
        assert ours.state == state.replay(timed)
        assert list(ours.events()) == timed
        ours.close()


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=50) | strategies.OBJECTS.map(lambda o: json.dumps(o).encode())))
def test_any_journal_loads(lines: list[bytes]) -> None:
    """Whatever the lines are, a state comes of those that are events."""
    with tempfile.TemporaryDirectory() as directory:
        ours = session(directory, b"\n".join([*lines, events.encode(1.0, events.End(3)).encode()]))
        assert ours.state.end == events.End(3)
        ours.close()


def test_endless_lines_are_left_out(tmp_path: Path) -> None:
    """Lines of many megabytes, with a newline or without, are passed over in bounded memory."""
    good = events.encode(1.0, events.Message("x" * (LINE_MAX // 2))).encode()
    giant = b'{"t":1,"e":"message","text":"' + b"x" * (10 << 20) + b'"}\n'
    ours = session(tmp_path, giant + good + b"[" * (10 << 20) + b"\n" + good + giant[:-1])
    assert [type(event) for _, event in ours.poll()] == [events.Message] * 2
    assert sum(map(len, ours._journal._parts)) == 0
    ours.close()


def test_a_journal_may_come_later(tmp_path: Path) -> None:
    """A session that has just begun has no events yet; polls find them when they come."""
    (tmp_path / "session.json").write_text('{"size": 3}')
    ours = Session(str(tmp_path))
    assert ours.poll() == [] == list(ours.events())
    assert ours.state == state.InstanceState(3)
    assert not ours.live
    (tmp_path / "events.jsonl").write_text(events.encode(2.0, events.Quorum(3)))
    assert ours.poll() == [(2.0, events.Quorum(3))]
    assert ours.state.quorum == 3
    ours.close()


@pytest.mark.parametrize("size", [-1, 10**30, True, "4", None, 1.0, [1], {"a": 1}])
def test_a_header_may_say_anything(tmp_path: Path, size: object) -> None:
    """A size that is none is taken for unknown."""
    ours = session(tmp_path, header={"size": size})
    assert ours.state.size == 0
    assert ours.header == {"size": size}


@pytest.mark.parametrize("text", [b"", b"[]", b"nul", b"\xff", b'"a"', b"{", b"[" * 100_000])
def test_what_has_no_header_is_no_session(tmp_path: Path, text: bytes) -> None:
    """One line says so."""
    (tmp_path / "session.json").write_bytes(text)
    with pytest.raises(SessionError, match="is no session"):
        Session(str(tmp_path))


def test_what_is_no_directory_is_no_session(tmp_path: Path) -> None:
    """Neither is a missing one, nor one in which FIFOs lie in wait."""
    for path in (tmp_path / "none", tmp_path, Path("/dev/null")):
        with pytest.raises(SessionError, match="is no session"):
            Session(str(path))
    for name in ("session.json", "events.jsonl", "lock"):
        os.mkfifo(tmp_path / name)
    with pytest.raises(SessionError, match="is no session"):
        Session(str(tmp_path))
    (tmp_path / "session.json").unlink()
    (tmp_path / "session.json").write_text("{}")
    ours = Session(str(tmp_path))
    assert ours.poll() == []
    assert not ours.live
