"""Task maps (RFC 34)."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxstart_tui.rfc import idset, taskmap
from fluxstart_tui.rfc.taskmap import Block, TaskMap, TaskMapError


def _encode_json(decoded: TaskMap) -> str:
    return json.dumps(decoded.blocks, separators=(",", ":"))


# flux start -s4 --test-pmi-clique, capture pmi-clique.txt: argument, PMI value, broker.mapping
CAPTURED = [
    ("[[0,2,2,1]]", "(vector,(0,2,2))", "[[0,2,2,1]]"),
    ("[[0,1,1,1],[1,1,3,1]]", "(vector,(0,1,1),(1,1,3))", "[[0,1,1,1],[1,1,3,1]]"),
    ("[[0,2,1,2]]", "(vector,(0,2,1),(0,2,1))", "[[0,2,1,2]]"),
    ('{"version":1,"map":[[0,2,2,1]]}', "(vector,(0,2,2))", "[[0,2,2,1]]"),
    ("0-1;2-3", "(vector,(0,2,2))", "[[0,2,2,1]]"),
    ("0,2;1,3", "(vector,(0,2,1),(0,2,1))", "[[0,2,1,2]]"),
    ("0;1-3", "(vector,(0,1,1),(1,1,3))", "[[0,1,1,1],[1,1,3,1]]"),
    ("(vector,(0,2,2))", "(vector,(0,2,2))", "[[0,2,2,1]]"),
    ("(vector,(0,2,1),(0,2,1))", "(vector,(0,2,1),(0,2,1))", "[[0,2,1,2]]"),
    ("", "", "[]"),
    ("(vector,)", "", "[]"),
    ("[[0,1,2,1]]", "(vector,(0,1,2))", "[[0,1,2,1]]"),
    ("[[0,8,1,1]]", "(vector,(0,8,1))", "[[0,8,1,1]]"),
    ("[]", "", "[]"),
    ("0-3", "(vector,(0,1,4))", "[[0,1,4,1]]"),
    ("0-1", "(vector,(0,1,2))", "[[0,1,2,1]]"),
]


@pytest.mark.parametrize(("text", "pmi", "mapping"), CAPTURED)
def test_captured(text: str, pmi: str, mapping: str) -> None:
    """Every map flux start was seen to accept gives its PMI value and its broker.mapping."""
    decoded = taskmap.decode(text)
    assert taskmap.encode_pmi(decoded) == pmi
    assert _encode_json(decoded) == mapping


RFC_VECTORS = [
    ("0", "[[0,1,1,1]]"),
    ("0;1", "[[0,2,1,1]]"),
    ("0-1", "[[0,1,2,1]]"),
    ("0-1;2-3", "[[0,2,2,1]]"),
    ("0,2;1,3", "[[0,2,1,2]]"),
    ("1;0", "[[1,1,1,1],[0,1,1,1]]"),
    ("0-3;4-7;8-11;12-15", "[[0,4,4,1]]"),
    ("0,4,8,12;1,5,9,13;2,6,10,14;3,7,11,15", "[[0,4,1,4]]"),
    ("0-1,8-9;2-3,10-11;4-5,12-13;6-7,14-15", "[[0,4,2,2]]"),
    ("0-1;2-3;4-5;6-7;8-11;12-15", "[[0,4,2,1],[4,2,4,1]]"),
    ("0,6;1,7;2,8;3,9;4,10,12,14;5,11,13,15", "[[0,6,1,2],[4,2,1,2]]"),
    (
        "14-15;12-13;10-11;8-9;4-7;0-3",
        "[[5,1,4,1],[4,1,4,1],[3,1,2,1],[2,1,2,1],[1,1,2,1],[0,1,2,1]]",
    ),
    ("0-1;2-3;4-5;6-7;8-9;12-13;10-11;14-15", "[[0,5,2,1],[6,1,2,1],[5,1,2,1],[7,1,2,1]]"),
    ("12-15;8-11;4-7;0-3", "[[3,1,4,1],[2,1,4,1],[1,1,4,1],[0,1,4,1]]"),
]


@pytest.mark.parametrize(("raw", "mapping"), RFC_VECTORS)
def test_rfc_vectors(raw: str, mapping: str) -> None:
    """Raw maps give the blocks of the RFC's table."""
    assert _encode_json(taskmap.decode(raw)) == mapping


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("(vector,(0,8,16),(0,4,32))", "[[0,8,16,1],[0,4,32,1]]"),
        ("(vector,(0,4,1),(0,4,1),(0,4,1),(0,4,1))", "[[0,4,1,4]]"),
        ("    (vector, (0,4,4), (0,4,1), )", "[[0,4,4,1],[0,4,1,1]]"),
        ("(vector, (0,1,1), (1,5,3), (6,2, 5))", "[[0,1,1,1],[1,5,3,1],[6,2,5,1]]"),
        ("(vector,(0,1,1),(0,1,2))", "[[0,1,3,1]]"),
        ("(vector,(0,1,2),(1,1,2))", "[[0,2,2,1]]"),
        ("(vector,(0,2,1),(0,1,1),(1,1,1))", "[[0,2,1,2]]"),
        ("vector,(,1,1)junk", "[[0,1,1,1]]"),
        ("0-1,2;;3", "[[0,1,3,1],[1,1,1,1]]"),
        (";", "[]"),
        ("0;,", "[[0,1,1,1]]"),
        ("0-2147483646", "[[0,1,2147483647,1]]"),
        ('{"map":[],"version":1,"more":[true,null,"",{},1.5]}', "[]"),
        ("[[4294967296,1,1,1,9]]", "[[0,1,1,1]]"),
    ],
)
def test_decode_quirks(text: str, mapping: str) -> None:
    """Loosely written maps are read, and blocks joined, as libtaskmap does."""
    assert _encode_json(taskmap.decode(text)) == mapping


# the first five were captured from flux start, the rest compared with libtaskmap
ERRORS = [
    ("0;2", "missing taskid: 1"),
    ("0;0-3", "duplicate taskid specified: 0"),
    ("[[0,0,1,1]]", "invalid entry [0,0,1,1]"),
    ("[[0,1]]", "error in taskmap entry: Array index 2 out of range"),
    ("x", "error parsing range 'x'"),
    ("0;4", "missing taskids: 1-3"),
    ("1", "missing taskid: 0"),
    ("3", "missing taskids: 0-2"),
    ("0-3;1-2", "duplicate taskids specified: 1-2"),
    ("2-3;0-14;2", "duplicate taskids specified: 2-3"),
    ("2,1", "range '1' is out of order"),
    ("0-999999999999", "set universe size would exceed maximum"),
    ("((1,1,1), vector,)", "vector prefix must precede blocklist"),
    ("vector, (1,1))", "unable to parse block: (1,1))"),
    ("(vector, (1.11, 2.2))", "unable to parse block: (1.11, 2.2))"),
    ("(vector, (1,1,0))", "invalid number in block: (1,1,0))"),
    ("(vector,(-1,1,1))", "invalid number in block: (-1,1,1))"),
    ("(vector,(0,1,99999999999999999999))", "unable to parse block: (0,1,99999999999999999999))"),
    ("{}", "Object item not found: version"),
    ('{"version":1}', "Object item not found: map"),
    ('{"version":1,"map":{}}', "taskmap must be an array"),
    ('{"version":2,"map":[]}', "expected version=1, got 2"),
    ('{"version":"1","map":[]}', "Expected integer, got string"),
    ('{"version":1,"map":[[]]}', "error in taskmap entry: Array index 0 out of range"),
    ('"("', "taskmap must be an object or array"),
    ("[[0,1,1,1],1]", "entry 1 in taskmap is not an array"),
    ('[["1",1,1,1]]', "error in taskmap entry: Expected integer, got string"),
    ("[[0,1.5,1,1]]", "error in taskmap entry: Expected integer, got real"),
    ("[[0,true,1,1]]", "error in taskmap entry: Expected integer, got true"),
    ("[[0,null,1,1]]", "error in taskmap entry: Expected integer, got null"),
    ("[[0,{},[],1]]", "error in taskmap entry: Expected integer, got object"),
    ("[[-1,1,1,1]]", "invalid entry [-1,1,1,1]"),
]


@pytest.mark.parametrize(("text", "reason"), ERRORS)
def test_errors(text: str, reason: str) -> None:
    """A bad map is refused in the words of flux start."""
    with pytest.raises(TaskMapError) as caught:
        taskmap.decode(text)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "text",
    ["{", "(", "[[0,2,2,1]", "[0,]", "}", "[NaN]", "[01]", "[\udcff]", '["a\nb"]', "[" * 5000],
)
def test_broken_json_is_refused(text: str) -> None:
    """What is no JSON is refused in one line that says so or names what is wrong in it."""
    with pytest.raises(TaskMapError) as caught:
        taskmap.decode(text)
    assert "\n" not in str(caught.value)


def test_long_reasons_are_cut() -> None:
    """A reason that quotes a huge map is cut with a plus sign where flux-core cuts it."""
    with pytest.raises(TaskMapError) as caught:
        taskmap.decode("x" * 100_000)
    assert str(caught.value) == f"error parsing range '{'x' * 137}+"


def test_encode_pmi_refuses_hostile_repeats() -> None:
    """A short map cannot make a value of gigabytes."""
    with pytest.raises(TaskMapError, match="more than 65536 blocks"):
        taskmap.encode_pmi(taskmap.decode("[[0,1,1,2147483647]]"))


def test_constructors() -> None:
    """The two named cliques map all ranks to one node, or each to its own."""
    assert taskmap.encode_pmi(taskmap.single(4)) == "(vector,(0,1,4))"
    assert taskmap.encode_pmi(taskmap.per_broker(4)) == "(vector,(0,4,1))"


def test_maps_are_immutable_values() -> None:
    """Maps compare by value and cannot be changed."""
    decoded = taskmap.decode("0-1")
    assert decoded == taskmap.single(2) == TaskMap((Block(nodeid=0, nnodes=1, ppn=2, repeat=1),))
    with pytest.raises(AttributeError):
        decoded.blocks = ()  # type: ignore[misc]


def test_imports_stay_cheap() -> None:
    """No encoding drags in the modules that cost milliseconds at every start."""
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; "
        "from fluxstart_tui.rfc import fsd, hostlist, idset, taskmap; "
        "print({'dataclasses', 'json'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], check=False, capture_output=True, text=True
    )
    assert result.stdout == "set()\n", result.stderr


def _expand(decoded: TaskMap) -> list[int]:
    """List the node of every task, by RFC 34's definition of a block."""
    return [
        node
        for block in decoded.blocks
        for _ in range(block.repeat)
        for node in range(block.nodeid, block.nodeid + block.nnodes)
        for _ in range(block.ppn)
    ]


@given(st.lists(st.integers(0, 5), max_size=24))
def test_raw_maps_mean_what_they_list(nodes: list[int]) -> None:
    """However tasks are dealt out, the blocks of a raw map put each task on its node."""
    used = sorted(set(nodes))
    raw = ";".join(
        idset.encode(task for task, node in enumerate(nodes) if node == owner) for owner in used
    )
    assert _expand(taskmap.decode(raw)) == [used.index(node) for node in nodes]


_blocks = st.builds(
    Block, st.integers(0, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)
)


@given(st.lists(_blocks, max_size=6))
def test_pmi_round_trip(blocks: list[Block]) -> None:
    """A PMI value decodes to blocks with the same meaning, however often it is done.

    The blocks themselves may change each time: joining looks back at one block only, as libtaskmap
    does, so some maps take several passes to become as short as they get.
    """
    original = TaskMap(tuple(blocks))
    decoded = taskmap.decode(taskmap.encode_pmi(original))
    assert _expand(decoded) == _expand(original)
    assert _expand(taskmap.decode(taskmap.encode_pmi(decoded))) == _expand(original)


@given(st.lists(_blocks, max_size=6), st.booleans())
def test_json_round_trip(blocks: list[Block], wrapped: bool) -> None:
    """JSON blocks are kept to the number, bare or wrapped."""
    value = {"version": 1, "map": blocks} if wrapped else blocks
    assert taskmap.decode(json.dumps(value)).blocks == tuple(blocks)


@given(st.text('0123-,;[]{}()":.e x\\', max_size=14))
def test_decode_never_fails_otherwise(text: str) -> None:
    """Whatever the input, the outcome is a map or a TaskMapError of bounded length."""
    try:
        taskmap.decode(text)
    except TaskMapError as e:
        reason = str(e)
    else:
        return
    assert 0 < len(reason) < 160
