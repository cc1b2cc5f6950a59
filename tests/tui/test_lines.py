"""The index of output lines, and the rows that are made of them, against naive ones."""

from __future__ import annotations

import re
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.session.output import Spool
from fluxstart_tui.session.output_reader import SpoolReader
from fluxstart_tui.tui import lines, lines_block
from fluxstart_tui.tui.lines import LineStore
from fluxstart_tui.tui.lines_filter import Filter, Matcher
from fluxstart_tui.tui.lines_rows import Row, Rows
from fluxstart_tui.tui.lines_search import Search
from fluxstart_tui.tui.lines_severity import Severity, bad_lines, severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Piece = tuple[float, int, int, bytes]

TEXT = st.lists(
    st.sampled_from([b"a", b"b", b"Ab", b"\n", b"\n\n", b"x y", b"error", b"\x1b[1m"]), max_size=8
).map(b"".join)
PIECES = st.lists(
    st.tuples(st.just(0.0), st.integers(0, 2), st.sampled_from([0, 0, 1, 2, 3]), TEXT), max_size=30
).map(lambda pieces: [(float(at), *piece[1:]) for at, piece in enumerate(pieces)])


@pytest.fixture(autouse=True)
def tiny_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make blocks so small that a few lines take several."""
    monkeypatch.setattr(lines, "_BYTES", 16)
    monkeypatch.setattr(lines_block, "PIECE", 5)
    monkeypatch.setattr(lines_block, "WINDOW", 11)


def naive(pieces: list[Piece]) -> tuple[list[tuple[int, int, bytes]], dict[tuple[int, int], bytes]]:
    """Split output into lines in the order of their ends; return what is not finished, too."""
    found = []
    begun: dict[tuple[int, int], bytes] = {}
    for _, rank, stream, data in pieces:
        if stream < 2:
            *whole, rest = (begun.pop((rank, stream), b"") + data).split(b"\n")
            found += [(rank, stream, text) for text in whole]
            if rest:
                begun[rank, stream] = rest
    return found, begun


def filled(pieces: list[Piece], segment: int = 1 << 20) -> Iterator[LineStore]:
    """Yield a store that has read some pieces, after each of them."""
    with tempfile.TemporaryDirectory() as directory:
        spool = Spool(directory, 1 << 30, segment)
        store = LineStore(SpoolReader(directory))
        yield store
        for piece in pieces:
            spool.append([piece])
            caught_up(store, 7)
            yield store
        spool.close()


def caught_up(store: LineStore, budget: int = 1 << 20) -> LineStore:
    """Let a store read all there is, and see that nothing more comes."""
    while store.poll(budget):
        pass
    store.poll(budget)
    return store


def everything(store: LineStore) -> list[tuple[int, int, bytes]]:
    """Return all finished lines."""
    return [(line.rank, line.stream, line.data) for line in map(store.line, range(len(store)))]


@settings(max_examples=150, deadline=None)
@given(PIECES, st.sampled_from([30, 60, 1 << 20]))
def test_lines_are_those_of_a_naive_splitter(pieces: list[Piece], segment: int) -> None:
    for at, store in enumerate(filled(pieces, segment)):
        expected, begun = naive(pieces[:at])
        assert everything(store) == expected
        unfinished = {(line.rank, line.stream): line.data for line in store.unfinished}
        assert unfinished == begun


@settings(max_examples=50, deadline=None)
@given(PIECES)
def test_what_is_read_at_once_is_what_is_read_bit_by_bit(pieces: list[Piece]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        spool = Spool(directory, 1 << 30, 100)
        spool.append(pieces)
        spool.close()
        store = LineStore(SpoolReader(directory))
        caught_up(store)
        assert everything(store) == naive(pieces)[0]


def test_short_runs_count_for_what_they_cost(tmp_path: Path) -> None:
    """A budget is one of time: a thousand runs take as long as some hundred kilobytes."""
    spool = Spool(str(tmp_path), 1 << 30)
    spool.append([(0.0, at % 64, 0, b"a\n") for at in range(100)])
    spool.close()
    store = LineStore(SpoolReader(str(tmp_path)))
    assert store.poll(10 * lines._RUN)
    assert store.behind
    assert 0 < len(store) <= 10


@settings(max_examples=60, deadline=None)
@given(PIECES, st.integers(-1, 31))
def test_a_limit_hides_what_is_later(pieces: list[Piece], limit: int) -> None:
    *_, store = filled(pieces)
    store.limit = float(limit)
    # A run that neighbours are joined to has one time; here each piece is a run of its own.
    expected = naive([piece for piece in pieces if piece[0] <= limit])[0]
    assert everything(store) == expected
    assert len(Rows(store, Filter())) == len(expected)


FILTERS = st.builds(
    Filter,
    ranks=st.sampled_from([None, frozenset((1,)), frozenset((0, 2))]),
    streams=st.sampled_from([frozenset((0, 1)), frozenset((1,))]),
    worst=st.sampled_from([None, Severity.ERROR]),
    matcher=st.sampled_from([None, "a", "A", "^b", r"a\s*b", "y$", "[^a]", "^$", "(?!a)"]).map(
        lambda pattern: pattern and Matcher(pattern)
    ),
    inverse=st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(PIECES, FILTERS, st.booleans())
def test_rows_are_the_lines_that_are_wanted(
    pieces: list[Piece], wanted: Filter, growing: bool
) -> None:
    rows = None
    for store in filled(pieces):
        if rows is None or not growing:
            rows = Rows(store, wanted)
        while rows.advance(0):
            pass
    assert rows is not None
    expected = [
        at for at in range(len(store) + len(store.unfinished)) if wanted.wants(store.line(at))
    ]
    assert [rows.row(at) for at in range(len(rows))] == [Row(at) for at in expected]
    for row, line in enumerate(expected[: rows.finished]):
        assert rows.find(line) == row


@settings(max_examples=60, deadline=None)
@given(PIECES, FILTERS, st.integers(0, 20))
def test_search_finds_each_row_once_round_the_end(
    pieces: list[Piece], wanted: Filter, row: int
) -> None:
    search = rows = None
    for store in filled(pieces):
        rows = Rows(store, wanted) if rows is None else rows
        search = Search(rows, Matcher("a"), row) if search is None else search
        while rows.advance(0):
            pass
        while search.advance(0):
            pass
    assert search is not None
    assert rows is not None
    expected = [
        at for at in range(rows.finished) if b"a" in store.text(rows.row(at).number).lower()
    ]
    assert search.count == len(expected)
    at, found = -1, []
    for index in range(len(expected)):
        following = search.find(at, 1)
        assert following is not None
        assert search.index(following) == index + 1
        found.append(following)
        at = following
    assert found == expected
    if expected:
        assert search.find(expected[-1], 1) == expected[0]
        assert search.find(expected[0], -1) == expected[-1]
    else:
        assert search.find(0, 1) is None


@pytest.mark.parametrize("pattern", ["ab", "AB", r"\Bb", r"\Sb", "a.b", "ä", "[", "(?i)A"])
@given(st.lists(st.sampled_from([b"ab", b"Ab", b"aB", b"\xc3\xa4", b"a\x1b[1mb", b"", b"a b"])))
def test_all_lines_at_once_are_matched_like_each(pattern: str, texts: list[bytes]) -> None:
    if pattern == "[":
        with pytest.raises(re.error):
            Matcher(pattern)
        return
    matcher = Matcher(pattern)
    for times in (1, 100):
        lines = texts * times
        one_by_one = [at for at, text in enumerate(lines) if matcher.test(text)]
        assert matcher.find(lines) == one_by_one


def test_case_matters_only_with_a_capital_letter() -> None:
    assert Matcher("err").test(b"ERR")
    assert not Matcher("Err").test(b"ERR")
    assert Matcher(r"\Serr").test(b"xERR")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (b"Nov 22 12:36:27.9 UTC broker.err[0]: rc1.0: sh Exited (rc=1)", Severity.ERROR),
        (b"broker.warning[3]: slow", Severity.WARNING),
        (b"broker.info[3]: 0 errors, no warnings", Severity.OTHER),
        (b"ValueError: no such thing", Severity.ERROR),
        (b"Traceback (most recent call last):", Severity.ERROR),
        (b"WARN: disk is nearly full", Severity.WARNING),
        (b"the terrorist was forewarned: unfailed", Severity.OTHER),
        (b"all is well", Severity.OTHER),
    ],
)
def test_severity_is_that_of_flux_and_of_usual_words(text: bytes, level: Severity) -> None:
    assert severity(text) == level


@given(st.lists(st.sampled_from([b"", b"error", b"warn: x", b"x.err[1]", b"terror", b"warned"])))
def test_bad_lines_are_those_of_severity(texts: list[bytes]) -> None:
    for worst in (Severity.ERROR, Severity.WARNING):
        expected = [at for at, text in enumerate(texts) if severity(text) <= worst]
        assert list(bad_lines(texts, worst)) == expected


def rows_of(pieces: list[Piece], **options: int) -> tuple[LineStore, Rows]:
    *_, store = filled(pieces)
    rows = Rows(store, Filter(), **options)  # type: ignore[arg-type]
    while rows.advance(0):
        pass
    return store, rows


def test_equal_lines_of_ranks_are_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_BYTES", 1 << 20)
    pieces = [(0.1, rank, 0, b"one\ntwo\n") for rank in range(4)]
    pieces += [(0.2, 2, 0, b"only two\n"), (0.3, 1, 0, b"one\n"), (9.0, 3, 0, b"one\n")]
    store = LineStore(SpoolReader("/nowhere"))
    with tempfile.TemporaryDirectory() as directory:
        spool = Spool(directory, 1 << 30)
        spool.append(pieces)
        spool.close()
        store = LineStore(SpoolReader(directory))
        store.poll(1 << 20)
        rows = Rows(store, Filter(), merged=True)
        rows.advance(1)
        shown = [(store.text(row.number), row.ranks) for row in map(rows.row, range(len(rows)))]
    assert shown == [
        (b"one", (0, 1, 2, 3)),
        (b"two", (0, 1, 2, 3)),
        (b"only two", (2,)),
        (b"one", (1,)),  # a second time, so not the first "one"
        (b"one", (3,)),  # too late
    ]


def test_a_chatty_rank_gets_its_share_of_each_second() -> None:
    pieces: list[Piece] = []
    for second in range(2):
        pieces += [(second + at / 100, 0, 0, b"spin %d\n" % at) for at in range(30)]
        pieces.append((second + 0.5, 1, 0, b"important\n"))
    with tempfile.TemporaryDirectory() as directory:
        spool = Spool(directory, 1 << 30)
        for piece in pieces:
            spool.append([piece])
        spool.close()
        store = LineStore(SpoolReader(directory))
        store.poll(1 << 20)
        rows = Rows(store, Filter(), fair=3)
        while rows.advance(0):
            pass
        shown = [rows.row(at) for at in range(len(rows))]
        hidden = Row(3, (0,), 27)
        again = Row(34, (0,), 27)
        assert shown == [
            Row(0), Row(1), Row(2), hidden, Row(30), Row(31), Row(32), Row(33), again, Row(61),
        ]  # fmt: skip
        assert rows.find(30) == 3  # the fold before it stands for where one would look


def test_deleted_and_torn_segments_do_no_harm(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), 1 << 30, 100)
    spool.append([(0.0, 0, 0, b"line %d\n" % at) for at in range(60)])
    store = LineStore(SpoolReader(str(tmp_path)))
    caught_up(store)
    assert len(store) == 60
    first = (tmp_path / "output.000").read_bytes()
    (tmp_path / "output.000").write_bytes(first[:5])
    (tmp_path / "output.001").unlink()
    store = LineStore(SpoolReader(str(tmp_path)))
    store.poll(1 << 20)
    known = len(store)
    (tmp_path / "output.002").unlink()
    assert 0 < known < 60
    for at in range(known):
        store.text(at)
    spool.close()


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), 1 << 30)
    for _ in range(400):
        spool.append([(0.0, 0, 0, b"." * 1000), (0.0, 1, 0, b"other\n")])
    spool.append([(0.0, 0, 0, b"\n")])
    store = LineStore(SpoolReader(str(tmp_path)))
    caught_up(store)
    assert len(store) == 401
    assert lines_block.LINE_MAX <= len(store.text(400)) <= lines_block.LINE_MAX + 1000
    spool.close()
