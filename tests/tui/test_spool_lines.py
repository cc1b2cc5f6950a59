"""Whole lines of some streams of the spool, block by block."""

from __future__ import annotations

import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.session.output import Spool
from fluxstart_tui.session.output_reader import SpoolReader
from fluxstart_tui.tui.spool_lines import Lines, SpoolLines

CLIENT = 3
TEXT = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b"\r"]), min_size=1, max_size=9).map(
    b"".join
)


def blocks(reader: SpoolLines) -> list[Lines]:
    """Return all that is there."""
    return list(iter(reader.poll, None))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(2, 4), TEXT), max_size=20))
def test_lines_are_those_of_a_naive_reader(pieces: list[tuple[int, int, bytes]]) -> None:
    """Each is a line of one rank and stream, in the order of their ends, and can be read again."""
    expected = []
    begun: dict[tuple[int, int], bytes] = {}
    with tempfile.TemporaryDirectory() as directory:
        spool = Spool(directory, 1 << 20)
        for t, (rank, stream, text) in enumerate(pieces):
            spool.append([(float(t), rank, stream, text)])
            if stream == CLIENT:
                *whole, begun[rank, stream] = (begun.get((rank, stream), b"") + text).split(b"\n")
                expected += [(float(t), rank, stream, line + b"\n") for line in whole]
        spool.close()
        reader = SpoolLines(SpoolReader(directory), (CLIENT,))
        found = [
            line for lines in blocks(reader) for line in zip(*lines, strict=True)
        ]  # fmt: skip
        assert [(t, rank, stream, text) for t, rank, stream, _, text in found] == expected
        assert all(reader.read(place, len(text)) == text for *_, place, text in found)


def test_a_block_is_short_however_much_a_run_holds() -> None:
    """Keys come between blocks: 300 runs of 300 lines are not taken at once."""
    run = b"cmd=get kvsname=- key=1\n" * 300
    with tempfile.TemporaryDirectory() as directory:
        spool = Spool(directory, 1 << 24)
        spool.append([(float(rank), rank, CLIENT, run) for rank in range(300)])
        spool.close()
        counts = [len(lines.t) for lines in blocks(SpoolLines(SpoolReader(directory), (CLIENT,)))]
    assert sum(counts) == 300 * 300
    assert max(counts) < 4000
