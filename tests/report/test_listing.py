"""The table of sessions."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.report import listing
from tests.diagnose.blocks import HEADER


def test_text() -> None:
    """One line for each, exit code or that it runs."""
    rows = [
        listing.row("20261122-065102-ci-7-99", HEADER, live=True, code=None),
        listing.row("20261121-065102-ci-7-98", HEADER, live=False, code=3, failure="x" * 99),
        listing.row("20261120-065102-ci-7-97", {}, live=False, code=None),
    ]
    assert listing.text(rows) == (
        "SESSION                  START             SIZE  BROKER              EXIT     "
        "FIRST FAILURE\n"
        "20261122-065102-ci-7-99  2026-11-22 06:51     4  flux-broker 0.88.0  running\n"
        "20261121-065102-ci-7-98  2026-11-22 06:51     4  flux-broker 0.88.0  3        "
        "xxxxxxxxxxxxxxxxxxx...\n"
        "20261120-065102-ci-7-97                       ?                      ?\n"
    )


def test_none() -> None:
    """No sessions are no empty table."""
    assert listing.text([]) == "no sessions are recorded\n"


ANY = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
HEADERS = st.dictionaries(st.sampled_from(sorted(HEADER)), ANY)


@given(st.text(), HEADERS, st.text())
def test_anything(name: str, header: dict[str, object], failure: str) -> None:
    """Whatever a header says, it is a line of printable ASCII."""
    row = listing.row(name, header, live=False, code=1, failure=failure)
    out = listing.text([row])
    assert out.count("\n") == 2
    assert all(" " <= c <= "~" or c == "\n" for c in out)
    assert json.loads(listing.as_json([row]))[0]["code"] == 1
