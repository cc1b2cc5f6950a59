"""What is made of a launch's lines, whoever sends them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.diagnose.launch.launch import Launch
from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.diagnose.launch.state import Stage
from fluxstart_tui.diagnose.progress import NAMES
from tests.diagnose import captures
from tests.diagnose.launch.logs import findings, join, labelled, launch, put, quorum, steps

LINES = [text for one in captures.ALL if not one.kept_out for _, text in one.lines()]


def test_phases_are_those_of_test_mode() -> None:
    read = launch(labelled(0, join(0, 3)), labelled(2, put(2, 3)))
    phases = {phase.name: phase for phase in read.phases()}
    assert tuple(phases) == NAMES
    assert phases["put"].reached == {0, 2}
    assert phases["put"].missing == {1}
    assert phases["get"].reached == {0}
    assert phases["join"].reached == {0}
    assert phases["run"].reached == frozenset()


def test_an_instance_of_one_has_no_cards_to_exchange() -> None:
    read = launch(labelled(0, [*quorum(0, 1), *steps(0, "quorum-full: quorum->run")]))
    assert {"put", "barrier", "get"}.isdisjoint(phase.name for phase in read.phases())


def test_a_followers_lines_may_come_with_the_leaders_label() -> None:
    date = "Nov 22 06:37:11.702552 UTC 2026"
    read = launch([f"0: {date} broker.info[3]: rc1-success: init->quorum 1s"])
    assert read.rank(3).stage == Stage.QUORUM
    assert read.rank(0).stage == Stage.SILENT


def test_singletons_are_told_by_their_label() -> None:
    alone = [
        "bootstrap: flux-pmi-client: trying 'simple'",
        "bootstrap: simple: PMI_FD not found in environ",
        "bootstrap: single: initialize: rank=0 size=1 name=single: success",
        "<6>broker.info[0]: builtins-success: load-builtins->join 1ms",
    ]
    read = launch(labelled(0, alone), labelled(1, alone))
    assert read.singletons == {0, 1}
    assert read.rank(1).stage == Stage.JOIN
    found = findings(labelled(0, alone), labelled(1, alone))
    assert set(found) == {"P1"}
    assert "simple: PMI_FD not found in environ" in found["P1"].sentence


def test_singletons_are_counted_where_there_are_no_labels() -> None:
    boot = "<6>broker.info[vm]: boot: rank=0 size=1"
    assert set(findings([boot], [boot])) == {"P1"}
    assert not findings([boot])
    over = steps(0, "rc2-success: run->cleanup")
    assert not findings([boot, *over, boot, *over])


def test_many_ranks_are_read_quickly() -> None:
    size, each = 1024, 50
    read = Launch()
    lines = [f"{rank:4}: {line}" for rank in range(size) for line in put(rank, size)]
    lines += [
        f"{rank:4}: <7>broker.debug[{rank}]: insmod {n}"
        for n in range(each)
        for rank in range(size)
    ]
    start = time.process_time()
    for line in lines:
        read.feed(line)
    found = diagnose(read, None)
    spent = time.process_time() - start
    assert {one.id for one in found} == {"S4"}
    assert spent / len(lines) < 50e-6  # 2 us on an idle machine


@given(st.lists(st.one_of(st.text(max_size=200), st.sampled_from(LINES)), max_size=60))
def test_any_lines_are_harmless(lines: list[str]) -> None:
    read = Launch()
    for number, line in enumerate(lines):
        read.feed(line, float(number))
        diagnose(read, float(number))
    read.end()
    for one in diagnose(read):
        assert one.sentence.isprintable()
        assert one.sentence.isascii()


@pytest.mark.parametrize(
    "line",
    [
        "99999999: bootstrap: simple: initialize: rank=99999999 size=9999999 name=: success",
        "9999999: <6>broker.info[x]: boot: rank=9999999 size=9999999",
        "0: <3>broker.err[0]: quorum delayed: waiting for x (rank 0-2147483647)",
        "srun: error: n: tasks 0-2147483647: Killed",
        "0: bootstrap: simple: put key=0 value=" + "{" * 100_000 + ": success",
        "[1,99999999999]<stderr>: x",
    ],
)
def test_numbers_beyond_reason_cost_nothing(line: str) -> None:
    start = time.process_time()
    read = launch([line])
    diagnose(read)
    read.phases()
    assert time.process_time() - start < 1.0
    assert len(read.ranks) < 3


@given(st.data())
def test_the_order_of_ranks_does_not_matter(data: st.DataObject) -> None:
    ranks = [labelled(0, put(0, 3)), labelled(2, put(2, 3))]
    mixed: list[str] = []
    while any(ranks):
        mixed.append(data.draw(st.sampled_from([lines for lines in ranks if lines])).pop(0))
    assert set(findings(mixed)) == {"S2"}
