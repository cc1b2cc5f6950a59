"""The index of the PMI trace and what it comes to."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluxstart_tui.session.files import Files
from fluxstart_tui.session.output_reader import SpoolReader
from fluxstart_tui.tui.pmi_tables import Kvs, Lanes, members
from fluxstart_tui.tui.pmi_trace import NONE, Trace
from tests.tui.rows_support import Launch


def launch(tmp_path: Path, size: int = 4) -> Trace:
    one = Launch(tmp_path / "s", size)
    one.pmi()
    trace = Trace(SpoolReader(str(one.close())))
    assert trace.poll()
    return trace


def test_requests_and_replies_are_paired_and_decoded(tmp_path: Path) -> None:
    """A put and its reply know each other, the key, and the time between them."""
    trace = launch(tmp_path)
    puts = [i for i in range(len(trace)) if trace.decode(i).command == "put"]
    assert len(puts) == 4
    put = trace.decode(puts[1])
    assert (put.rank, put.client, put.key, put.rc) == (1, True, "1", None)
    assert put.value.startswith('{"host":"node1"')
    reply = trace.decode(trace.peer[puts[1]])
    assert (reply.command, reply.client, reply.key, reply.rc) == ("put_result", False, "1", 0)
    assert put.latency is not None
    assert abs(put.latency - 0.0001) < 1e-9


def test_a_barrier_is_answered_when_all_are_in(tmp_path: Path) -> None:
    """barrier_out is the reply to barrier_in; where it has not come there is no latency."""
    trace = launch(tmp_path)
    waits = [trace.decode(i) for i in range(len(trace)) if trace.decode(i).command == "barrier_in"]
    assert all(one.latency for one in waits)
    stuck = Launch(tmp_path / "stuck", 4)
    stuck.pmi(without=frozenset({2}))
    trace = Trace(SpoolReader(str(stuck.close())))
    trace.poll()
    waits = [trace.decode(i) for i in range(len(trace)) if trace.decode(i).command == "barrier_in"]
    assert [one.rank for one in waits] == [0, 1, 3]
    assert all(one.latency is None for one in waits)


def test_a_client_that_lies_spoils_only_its_own_lines(tmp_path: Path) -> None:
    """A request that reads like a reply changes nothing in how other lines are read."""
    (tmp_path / "s").mkdir()
    files = Files(str(tmp_path / "s"), {}, 1 << 20)
    lies = b"cmd=barrier_out rc=0\ncmd=get_result\ncmd=put_result\n"
    files.write([(0.1, 0, 3, lies), (0.2, 1, 3, b"cmd=barrier_in\n")], [])
    files.write([(0.3, 1, 4, b"cmd=barrier_out rc=0\n")], [])
    files.close(0.5)
    trace = Trace(SpoolReader(str(tmp_path / "s")))
    trace.poll()
    assert trace.decode(3).command == "barrier_in"
    assert trace.decode(3).latency is not None


def test_the_kvs_says_who_put_and_who_got(tmp_path: Path) -> None:
    """Every card was put by its rank and read by all; a key that is not there is told so."""
    trace = launch(tmp_path)
    kvs = Kvs(trace)
    assert not kvs.advance(len(trace))
    entries = {one.key: one for one in kvs.entries()}
    assert [entries[str(rank)].put_by for rank in range(4)] == [0, 1, 2, 3]
    assert members(entries["2"].getters) == [0, 1, 2, 3]
    missing = entries["flux.instance-level"]
    assert (missing.put_by, missing.line, missing.gets, missing.failed) == (None, NONE, 4, 4)


def test_the_kvs_goes_back_in_time(tmp_path: Path) -> None:
    """With fewer lines there are fewer keys, however many there were before."""
    trace = launch(tmp_path)
    kvs = Kvs(trace)
    kvs.advance(len(trace))
    kvs.advance(2)
    assert kvs.entries() == []


def test_lanes_join_gets_and_close_barriers(tmp_path: Path) -> None:
    """Gets in a row are one mark; a barrier lasts until the rank is let out."""
    lanes = Lanes(launch(tmp_path))
    assert not lanes.advance()
    marks = lanes.marks[0]
    assert [mark.kind for mark in marks] == ["init", "get", "put", "barrier", "get", "finalize"]
    assert marks[4].count == 4
    assert marks[3].last is not None


def test_lines_are_put_together_and_taken_apart(tmp_path: Path) -> None:
    """Runs may hold several requests or a part of one; a line of another rank may be between."""
    (tmp_path / "s").mkdir()
    files = Files(str(tmp_path / "s"), {}, 1 << 20)
    files.write([(0.1, 0, 3, b"cmd=init pmi"), (0.2, 1, 3, b"cmd=get_maxes\ncmd=barrier_in\n"),
                 (0.3, 0, 3, b"_version=1 pmi_subversion=1\ncmd=fin")], [])  # fmt: skip
    trace = Trace(SpoolReader(str(tmp_path / "s")))
    trace.poll()
    assert [trace.raw(i) for i in range(len(trace))] == [
        b"cmd=get_maxes", b"cmd=barrier_in", b"cmd=init pmi_version=1 pmi_subversion=1",
    ]  # fmt: skip
    files.write([(0.4, 0, 3, b"alize\n")], [])
    files.close(0.5)
    trace.poll()
    assert trace.decode(3).command == "finalize"
    assert trace.raws([0, 1, 2, 3])[3] == b"cmd=finalize\n"


pieces = st.lists(
    st.tuples(
        st.floats(allow_nan=True), st.integers(0, 3), st.integers(3, 5),
        st.one_of(st.binary(min_size=1, max_size=60), st.sampled_from(
            [b"cmd=get kvsname=- key=a\n", b"cmd=get_result rc=0 value=1\n", b"cmd=put key=\n",
             b"cmd=barrier_in\n", b"cmd=barrier_out rc=0\n", b"mcmd=spawn\n", b"cmd=\n"])),
    ), max_size=30,
)  # fmt: skip


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pieces, st.binary(max_size=50))
def test_whatever_was_said_can_be_looked_at(
    tmp_path_factory: object, pieces: list[tuple[float, int, int, bytes]], torn: bytes
) -> None:
    """No bytes of clients or servers, and no torn index, do harm."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        files = Files(name, {}, 1 << 20)
        files.write(pieces, [])
        files.close(0.0)
        with (Path(name) / "output.000.idx").open("ab") as index:
            index.write(torn)
        trace = Trace(SpoolReader(name))
        trace.poll()
        for i in range(len(trace)):
            trace.decode(i)
        lanes, kvs = Lanes(trace), Kvs(trace)
        while lanes.advance():
            pass
        while kvs.advance(len(trace)):
            pass
        kvs.entries()
