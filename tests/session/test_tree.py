"""Parents in the tree, against the embedded broker's topologies."""

from __future__ import annotations

import pytest

from fluxstart_tui.broker import topology
from fluxstart_tui.session import tree


@pytest.mark.parametrize("size", [1, 2, 3, 8, 1025, 1026, 1027, 2052, 3000])
@pytest.mark.parametrize(
    "name", ["kary:0", "kary:1", "kary:2", "kary:32", "mincrit", "mincrit:3", "binomial", "custom"]
)
def test_parents(name: str, size: int) -> None:
    """Both know the same trees."""
    parent = tree.parents(name, size)
    expected = topology.Topology(topology._parents(name, size, None))
    assert [parent(r) for r in range(size)] == [expected.parent(r) for r in range(size)]


@pytest.mark.parametrize("name", ["", "kary", "kary:x", "kary:" + "9" * 5000, "nonsense:1", ":"])
def test_anything_is_a_tree(name: str) -> None:
    """What is no topology is taken for the default or for flat, but nothing fails."""
    assert tree.parents(name, 8)(5) == 0
    assert tree.parents(name, 8)(0) is None


def test_topmost_and_deepest() -> None:
    """Who is to blame for a quorum delayed is at the top, for a shutdown delayed at the bottom."""
    parent = tree.parents("kary:2", 15)
    assert tree.topmost(frozenset({1, 3, 4, 6}), parent) == {1, 6}
    assert tree.deepest(frozenset({0, 1, 3, 6}), parent) == {3, 6}
