"""Nothing that a journal can say breaks what is concluded from it and printed of it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.diagnose import progress
from fluxstart_tui.diagnose.doing import sentence
from fluxstart_tui.report import summary
from fluxstart_tui.report.text import WIDTH, text
from fluxstart_tui.session import events, tree
from fluxstart_tui.session.state import replay
from tests.report.test_listing import HEADERS

WORDS = st.sampled_from(
    [*events.PMI_PHASES, *events.CAUSES, "load-builtins", "join", "init", "quorum", "run",
     "cleanup",
     "shutdown", "exit", "rc1-fail", "rc2-fail", "parent-fail", "armed", "fired", "cancelled",
     "started", "ended", "SIGINT to us", "a second signal: SIGINT to us", "exit timer", "", "0-3",
     "0,2,4", "[1-2]", "\x1b[31mred\x9b\r\n\0", "\udcff\u202e"]
) | st.text(max_size=400)  # fmt: skip
RANKS = st.integers(-2, 40) | st.integers()
TIMES = st.floats(0, 100) | st.floats(allow_nan=False)
VALUES = {
    "int": RANKS | st.sampled_from([0, 1, 3, 9, 15, 127, 130, 137, 139]),
    "float": TIMES,
    "bool": st.booleans(),
    "str": WORDS,
    "list[int]": st.lists(RANKS, max_size=4),
    "list[float]": st.lists(TIMES, max_size=4),
}


def _of(kind: Any) -> st.SearchStrategy[events.Event]:
    fields = kind.__annotations__.items()
    return st.builds(kind, **{name: VALUES[getattr(a, "__forward_arg__", a)] for name, a in fields})


EVENTS = st.lists(st.tuples(TIMES, st.one_of(*map(_of, events.KINDS.values()))), max_size=40)


@settings(max_examples=300, deadline=None)
@given(EVENTS, st.integers(0, 20), HEADERS, st.lists(WORDS, max_size=50), WORDS, st.booleans())
def test_any_events(
    timed: list[tuple[float, events.Event]],
    size: int,
    header: dict[str, Any],
    lines: list[str],
    directory: str,
    live: bool,
) -> None:
    """Printable ASCII, less than 60 lines, whatever has happened."""
    # Ranks up to a million are ranks; they are tried by one test below, not by hundreds.
    state = replay([(t, e) for t, e in timed if getattr(e, "rank", 0) < 100], size)
    if state.size > 100:
        return
    for phase in progress.phases(state):
        assert 0 <= phase.k <= phase.total == state.size
        assert len(phase.missing) == phase.total - phase.k
    for now in (0.0, state.t, 1e300):
        said = sentence(state, now, tree.parents("kary:2", state.size))
        assert all(" " <= c <= "~" for c in said)
    found = summary.summarize(header, state, lambda _: lines, directory=directory, live=live)
    out = text(found)
    rows = out.splitlines()
    assert 0 < len(rows) < 60
    assert all(" " <= c <= "~" or c == "\n" for c in out)
    assert all(len(row) <= WIDTH or "--replay=" in row for row in rows)
    assert json.loads(summary.as_json(found))["size"] == state.size


def test_a_million_ranks() -> None:
    """A hostile rank number costs a moment, not all memory."""
    state = replay([(0.0, events.Spawn((1 << 20) - 1, 5)), (1.0, events.End(1))])
    assert len(text(summary.summarize({}, state)).splitlines()) < 60


def test_unreadable_output() -> None:
    """A session whose disk fails still has a summary."""

    def tail(_rank: int) -> list[str]:
        raise OSError(5, "Input/output error")

    state = replay([(0.0, events.Spawn(0, 5)), (1.0, events.Exit(0, 5, 1)), (1.0, events.End(1))])
    assert "can not be read" in text(summary.summarize({}, state, tail))
