"""Whose line it is, whatever label it has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.launchers.labels import GRAMMARS, Labelled, Labels

TRACE = "bootstrap: flux-pmi-client: trying 'simple'"
LOG = "<6>broker.info[node0]: boot: rank=0 size=2"
DATE = "Sun Nov 22 07:03:39 2026"


@pytest.mark.parametrize(
    ("label", "rank", "stream", "name"),
    [
        ("3: ", 3, "", "colon"),
        (" 9: ", 9, "", "colon"),
        ("[3] ", 3, "", "brackets"),
        ("[1,3]<stderr>:", 3, "err", "tag"),
        ("[1,3]<stdout>: ", 3, "out", "tag"),
        ("[3]<stderr>: ", 3, "err", "tag"),
        (f"{DATE}[1,3]<stderr>:", 3, "err", "tag"),
        (f"[{DATE}][3]<stderr>: ", 3, "err", "tag"),
        ("[prterun-vm-1@1,3][vm:77]<stderr>: ", 3, "err", "tag"),
        ("3(err)>", 3, "err", "angle"),
        ("3>", 3, "out", "angle"),
        ("x3005c0s31b1n0.hsn.cm.polaris.alcf.anl.gov 3: ", 3, "", "host"),
    ],
)
@pytest.mark.parametrize("text", [TRACE, LOG, "fluxstart-tui: hello rank=3 host=h"])
def test_a_label_is_settled_on_by_what_is_behind_it(
    label: str, rank: int, stream: str, name: str, text: str
) -> None:
    labels = Labels()
    assert labels.split(label + text) == Labelled(rank, stream, text)
    assert labels.name == name
    assert labels.split(label + "any text: 7") == Labelled(rank, stream, "any text: 7")
    assert labels.split("srun: error") == Labelled(None, "", "srun: error")


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("<<task 4 @ node4>> ", "<<task 12 @ node12>> "),
        ("node4|4| ", "node12|12| "),
        ("STDERR 004 of 9 host=node4 4>> ", "STDERR 004 of 9 host=node12 12>> "),
    ],
)
def test_a_hello_line_teaches_labels_that_nobody_knows(line: str, other: str) -> None:
    labels = Labels()
    hello = "fluxstart-tui: hello rank=4 host=node4 pid=1"
    assert labels.split(line + hello) == Labelled(4, "", hello)
    assert labels.split(other + TRACE) == Labelled(12, "", TRACE)


def test_a_servers_trace_has_no_label() -> None:
    line = "0: C: cmd=init pmi_version=1 pmi_subversion=1"
    assert Labels().split(line) == Labelled(None, "", line)


def test_lines_without_labels_are_no_reason_to_see_some() -> None:
    labels = Labels()
    for line in (TRACE, LOG, "3: a line of the program", "[4] another"):
        assert labels.split(line) == Labelled(None, "", line)


def test_labels_may_come_after_lines_of_an_outer_instance() -> None:
    labels = Labels()
    assert labels.split(LOG).rank is None
    assert labels.split(f"1: {TRACE}").rank == 1


def test_a_label_without_text() -> None:
    labels = Labels("colon")
    assert labels.split("0: ") == labels.split("0:") == Labelled(0, "", "")


@given(st.text(), st.sampled_from(["", *GRAMMARS]))
def test_any_line_is_split(line: str, grammar: str) -> None:
    labels = Labels(grammar)
    for text in (line, f"7: {line}", f"x{line} fluxstart-tui: hello rank=1 host={line}"):
        rank, _, rest = labels.split(text)
        assert text.endswith(rest)
        assert rank is not None or rest == text
