"""The spool: what was written can be read, whole or broken, from the front or from the end."""

from __future__ import annotations

import operator
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.session.output import RECORD, STREAMS, Spool
from fluxstart_tui.session.output_reader import START, Chunk, Position, SpoolReader
from fluxstart_tui.session.output_segment import BLOCK, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from fluxstart_tui.session.events import Lost
    from fluxstart_tui.session.output import Piece
    from fluxstart_tui.session.output_segment import Entry

ALL = 1 << 40
PIECES = st.tuples(
    st.floats(0, 1e6),
    st.integers(0, 2),
    st.integers(0, len(STREAMS) - 1),
    st.binary(max_size=30) | st.lists(st.sampled_from([b"ab\n", b"\n", b"cde"])).map(b"".join),
)
BATCHES = st.lists(st.lists(PIECES, max_size=5), max_size=4)
SEGMENTS = st.sampled_from([1, 30, 45, 100, 200, 10_000])
FEW = settings(max_examples=40)  # each makes files


def written(directory: str, batches: Iterable[list[Piece]], limit: int, segment: int) -> list[Lost]:
    spool = Spool(directory, limit, segment)
    lost = [loss for batch in batches for loss in spool.append(batch)]
    spool.close()
    return lost


def streams(pieces: Iterable[Piece | Chunk]) -> dict[tuple[int, int], bytes]:
    """All bytes of each rank and stream."""
    joined: dict[tuple[int, int], bytes] = {}
    for _, rank, stream, data, *_ in pieces:
        if data:
            joined[rank, stream] = joined.get((rank, stream), b"") + data
    return joined


def in_order(pieces: Iterable[Piece | Chunk]) -> list[tuple[int, int, int]]:
    return [(piece[1], piece[2], byte) for piece in pieces for byte in piece[3]]


@FEW
@given(BATCHES, SEGMENTS)
def test_bytes_come_back_in_their_order(batches: list[list[Piece]], segment: int) -> None:
    """Whatever the segments' size, each byte has its rank, stream and place."""
    with tempfile.TemporaryDirectory() as directory:
        assert written(directory, batches, ALL, segment) == []
        chunks = list(SpoolReader(directory).chunks())
        assert in_order(chunks) == in_order(piece for batch in batches for piece in batch)
        times = {(piece[0], *piece[1:3]) for batch in batches for piece in batch}
        assert {chunk[:3] for chunk in chunks} <= times
        for name in os.listdir(directory):
            assert os.stat(os.path.join(directory, name)).st_mode & 0o777 == 0o600
        for number in range(len(os.listdir(directory)) // 2):
            path = Path(directory, f"output.{number:03d}")
            index = Path(f"{path}.idx").read_bytes()
            lengths = [length for *_, length in RECORD.iter_unpack(index)]
            assert sum(lengths) == path.stat().st_size
            # One byte is written in any case.
            assert path.stat().st_size + len(index) <= max(segment, RECORD.size + 1)


@FEW
@given(BATCHES, SEGMENTS, st.sets(st.integers(0, 2)), st.sets(st.integers(0, 5)), st.data())
def test_readers_start_anywhere_follow_and_choose(
    batches: list[list[Piece]],
    segment: int,
    ranks: set[int],
    wanted: set[int],
    data: st.DataObject,
) -> None:
    """A follower sees what a late reader sees; from a chunk's position on, the rest is read."""
    with tempfile.TemporaryDirectory() as directory:
        spool, reader = Spool(directory, ALL, segment), SpoolReader(directory)
        every, some = reader.follow(), reader.follow(ranks=ranks, streams=wanted)
        seen: list[Chunk] = []
        chosen: list[Chunk] = []
        for batch in batches:
            before = reader.end
            spool.append(batch)
            new = list(every.poll())
            seen += new
            chosen += some.poll()
            assert in_order(reader.chunks(before)) == in_order(new) == in_order(batch)
            assert every.position == some.position
            assert not [*every.poll(), *some.poll()]
        spool.close()
        late = list(SpoolReader(directory).chunks())
        assert streams(late) == streams(seen)
        right = [one for one in seen if one.rank in ranks and one.stream in wanted]
        assert in_order(chosen) == in_order(right)
        if late:
            at = data.draw(st.integers(0, len(late) - 1))
            assert list(reader.chunks(late[at].position)) == late[at:]
        assert not list(reader.chunks(Position(10**9, 5, 5)))
        list(reader.chunks(data.draw(st.builds(Position, *[st.integers(0, 300)] * 3))))


@FEW
@given(BATCHES, SEGMENTS, st.data())
def test_what_is_left_of_a_truncated_spool_is_read(
    batches: list[list[Piece]], segment: int, data: st.DataObject
) -> None:
    """Of each segment one sees the bytes that are there and that whole index records cover."""
    with tempfile.TemporaryDirectory() as directory:
        written(directory, batches, ALL, segment)
        reader = SpoolReader(directory)
        chunks = list(reader.chunks())
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            os.truncate(path, data.draw(st.integers(0, os.path.getsize(path))))
        left = []
        for number in reader.numbers():
            path = os.path.join(directory, f"output.{number:03d}")
            covered, records = os.path.getsize(path), os.path.getsize(path + ".idx") // RECORD.size
            its = [
                c for c in chunks if c.position.segment == number and c.position.record < records
            ]
            left += in_order(its)[:covered]
        assert in_order(SpoolReader(directory).chunks()) == left == in_order(reader.chunks())


@FEW
@given(st.lists(st.binary(max_size=100), min_size=2, max_size=4), st.data())
def test_no_index_does_harm(files: list[bytes], data: st.DataObject) -> None:
    """Any bytes may stand in the files of a spool."""
    record = st.builds(
        RECORD.pack,
        st.floats(),
        st.integers(0, 2**32 - 1) | st.integers(0, 2),
        st.integers(0, 9) | st.just(2**32 - 1),
        st.integers(0, 9) | st.just(2**32 - 1),
    )
    with tempfile.TemporaryDirectory() as directory:
        for number, content in enumerate(files):
            path = Path(directory, f"output.{number:03d}")
            path.write_bytes(content)
            index = data.draw(st.lists(record).map(b"".join) | st.binary(max_size=100))
            Path(f"{path}.idx").write_bytes(index)
        reader = SpoolReader(directory)
        for chunk in reader.chunks():
            assert -1e18 < chunk.t < 1e18
            assert 0 < len(chunk.data) <= len(files[chunk.position.segment])
            assert chunk.stream < len(STREAMS)
        for rank in range(3):
            reader.tail(rank, 3)


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    """FIFOs, directories and odd names in the place of segments are as if they were not there."""
    os.mkfifo(tmp_path / "output.000")
    os.mkfifo(tmp_path / "output.000.idx")
    (tmp_path / "output.001").mkdir()
    (tmp_path / "output.001.idx").mkdir()
    for name in ("output.1", "output.002.idx", "output.x", "output.", "output.0004", "output.²"):
        (tmp_path / name).touch()
    reader = SpoolReader(str(tmp_path))
    assert list(reader.chunks()) == []
    assert reader.tail(0, 5) == []
    assert reader.end == START
    assert list(SpoolReader(str(tmp_path / "none")).chunks()) == []


@FEW
@given(BATCHES, st.integers(1, 60), st.integers(4, 400))
def test_the_limit_keeps_the_first_and_the_newest_and_tells_what_is_lost(
    batches: list[list[Piece]], segment: int, limit: int
) -> None:
    """First and newest segment stay; the bytes that are gone are those that are reported."""
    with tempfile.TemporaryDirectory() as directory:
        lost = written(directory, batches, limit, segment)
        reader = SpoolReader(directory)
        numbers = reader.numbers()
        assert numbers[0] == 0
        assert numbers[1:] == list(range(numbers[-1] - len(numbers) + 2, numbers[-1] + 1))
        size = sum(os.path.getsize(os.path.join(directory, n)) for n in os.listdir(directory))
        # A segment takes a record and a byte however small it is to be; three stay at least.
        assert size <= max(limit, 3 * max(min(segment, limit // 4), RECORD.size + 1))
        before = streams(piece for batch in batches for piece in batch)
        kept = streams(reader.chunks())
        for number, name in enumerate(STREAMS):
            gone = sum(len(d) for (_, s), d in before.items() if s == number)
            gone -= sum(len(d) for (_, s), d in kept.items() if s == number)
            assert sum(loss.bytes for loss in lost if loss.what == name) == gone
        assert {loss.reason for loss in lost} <= {"limit"}


def test_a_follower_survives_the_deletion_of_what_it_reads(tmp_path: Path) -> None:
    """It finishes the segment that it has open and goes on with the next that is there."""
    spool, reader = Spool(str(tmp_path), 1000, 250), SpoolReader(str(tmp_path))
    follower = reader.follow()
    lines = [f"{number:099d}\n".encode() for number in range(40)]
    for line in lines[:4]:
        spool.append([(0.0, 0, 0, line)])
    chunks = follower.poll()
    seen = [next(chunks).data for _ in range(3)]  # now within the second segment
    for line in lines[4:]:
        spool.append([(0.0, 0, 0, line)])
    assert not (tmp_path / "output.001").exists()
    seen += [chunk.data for chunk in chunks]
    seen += [chunk.data for chunk in follower.poll()]
    spool.close()
    assert seen == [*lines[:4], *lines[-len(seen) + 4 :]]
    assert [chunk.data for chunk in reader.chunks()] == [*lines[:2], *seen[4:]]


def test_segments_end_with_a_line_where_they_can(tmp_path: Path) -> None:
    """A run that does not fit is cut after a line, or goes into the next segment whole."""
    text = b"".join(b"%03d\n" % number for number in range(100))
    written(str(tmp_path), [[(0.0, 0, 0, text)], [(0.0, 0, 0, b"x" * 60)]], ALL, 130)
    for path in sorted(tmp_path.glob("output.???"))[:-1]:
        assert path.read_bytes().endswith(b"\n")
    last = max(tmp_path.glob("output.???"))
    assert last.read_bytes() == b"x" * 60


def slow_tail(
    pieces: list[Piece], rank: int, lines: int, wanted: set[int]
) -> list[tuple[int, bytes]]:
    found: list[tuple[int, int, bytes]] = []
    begun: dict[int, tuple[int, bytes]] = {}
    for at, (_, its, stream, data) in enumerate(pieces):
        if its == rank and stream in wanted and data:
            *whole, rest = (begun.get(stream, (0, b""))[1] + data).split(b"\n")
            found += [(at, stream, line) for line in whole]
            begun[stream] = at, rest
    found += [(at, stream, rest) for stream, (at, rest) in begun.items() if rest]
    found.sort(key=operator.itemgetter(0))
    return [(stream, line) for _, stream, line in found][-lines:] if lines else []


@FEW
@given(BATCHES, SEGMENTS, st.integers(0, 5), st.sets(st.integers(0, 2), min_size=1))
def test_the_tail_of_a_rank_is_what_reading_all_would_tell(
    batches: list[list[Piece]], segment: int, lines: int, wanted: set[int]
) -> None:
    """The last lines, whole, in the order in which they ended, whatever else was written."""
    with tempfile.TemporaryDirectory() as directory:
        written(directory, batches, ALL, segment)
        pieces = [piece for batch in batches for piece in batch]
        for rank in range(3):
            found = SpoolReader(directory).tail(rank, lines, wanted)
            expected = slow_tail(pieces, rank, lines, wanted)
            assert [(line.stream, line.data) for line in found] == expected
            assert not any(line.cut for line in found)


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_long_spool_is_opened_without_reading_it(tmp_path: Path) -> None:
    """The end, a tail, and a rank's chunks take the index and little more than their bytes."""
    line = b"x" * 79 + b"\n"
    spool = Spool(str(tmp_path), ALL)
    for at in range(100):
        spool.append([(float(at), 1 + number % 1024, 0, line) for number in range(2048)])
        spool.append([(float(at), 0, 0, line)])
    spool.append([(1e3, 7, 0, b"y" * (9 << 20))])
    spool.close()
    index = (tmp_path / "output.000.idx").stat().st_size
    reader = SpoolReader(str(tmp_path))
    before = bytes_read()
    assert reader.end == Position(0, 100 * 2049 + 1)
    assert bytes_read() - before < 1000
    assert [found.data for found in reader.tail(5, 10)] == [line[:-1]] * 10
    assert [found.t for found in reader.tail(5, 3)] == [98.0, 99.0, 99.0]
    assert bytes_read() - before < 2 * index
    before = bytes_read()
    assert len(list(reader.chunks(ranks={0}))) == 100
    assert bytes_read() - before < 3 * index
    parts = [chunk.data for chunk in reader.chunks(ranks={7}) if chunk.t == 1e3]
    assert b"".join(parts) == b"y" * (9 << 20)
    assert max(map(len, parts)) == 1 << 20
    before = bytes_read()
    (cut,) = reader.tail(7, 1)
    assert cut.cut
    assert 4 << 20 <= len(cut.data) < 5 << 20
    assert bytes_read() - before < 6 << 20


def test_blocks_of_other_streams_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader of the brokers' log does not look at each of two million runs of PMI."""
    log, pmi = STREAMS.index("log"), STREAMS.index("pmi-c")
    spool = Spool(str(tmp_path), 1 << 30)
    spool.append([(0.0, at % 2, pmi, b"x") for at in range(3 * BLOCK)])
    spool.append([(1.0, 7, log, b"hello\n")])
    spool.close()
    looked_at: list[int] = []
    entries = Segment.entries

    def counted(self: Segment, record: int, count: int) -> list[Entry]:
        looked_at.append(count)
        return entries(self, record, count)

    monkeypatch.setattr(Segment, "entries", counted)
    reader = SpoolReader(str(tmp_path))
    found = list(reader.chunks(streams={log}))
    assert [(chunk.rank, chunk.data) for chunk in found] == [(7, b"hello\n")]
    assert list(reader.chunks(ranks={9})) == []
    assert [line.data for line in reader.tail(7, 1, {log})] == [b"hello"]
    assert looked_at == [1, 1]
