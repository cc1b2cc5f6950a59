"""Ranks in tables: how far they came, how they died, how long phases took, and their tree."""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.diagnose.words import ending, ids, span
from fluxstart_tui.report import parts
from fluxstart_tui.report.html.markup import Markup, join, table, tag
from fluxstart_tui.report.text import seen
from fluxstart_tui.rfc import idset
from fluxstart_tui.session import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fluxstart_tui.report.gathered import Gathered

_DEEP = 24
"""Levels of the tree that are drawn."""
_KINDS = 100
"""Groups of ranks that are told apart."""


def groups(found: Gathered) -> Markup:
    """Return all ranks, those that came equally far and ended alike in one row."""
    verdict = found.verdict
    rows = [
        (
            _link(one.ranks),
            f"{one.number:,}",
            one.where,
            one.end or "running",
            _when(one),
            one.detail,
        )
        for one in parts.groups(verdict.state, verdict.then, _KINDS)
    ]
    head = ("ranks", "number", seen(verdict.summary), "end", "at", "details")
    # A column in which nothing is takes room from the others.
    used = len(head) if any(row[-1] for row in rows) else len(head) - 1
    caption = "Where ranks were, and how they ended"
    return table(caption, head[:used], (row[:used] for row in rows))


def _when(one: parts.Group) -> str:
    if one.first is None or one.last is None:
        return ""
    first, last = span(one.first), span(one.last)
    return first if first == last else f"{first} to {last}"


def phases(found: Gathered) -> Markup:
    """Return when ranks came to each phase."""
    rows = []
    for name, one in found.phases.items():
        if one.first is None or one.last is None:
            continue
        late = one.last_rank
        last = span(one.last) + ("" if late is None else f" (rank {late})")
        rows.append(
            (name, f"{len(one.ranks):,}", span(one.first), last, span(one.last - one.first))
        )
    head = ("phase", "ranks", "first came", "last came", "apart")
    return table("When ranks came to each phase", head, rows) if rows else Markup()


def _link(ranks: str) -> Markup:
    """Return ranks as a link to what they printed."""
    whole = ranks if "..." not in ranks else None
    return tag("a", ranks, href="#output", data_ranks=whole)


class _Node(NamedTuple):
    """Siblings whose subtrees are alike."""

    ranks: list[int]
    text: str
    below: list[_Node]
    number: int
    """Ranks in the subtree of one of them."""


def topology(found: Gathered) -> Markup:
    """Return the tree, siblings whose subtrees are alike as one."""
    state, then = found.verdict.state, found.verdict.then
    size = state.size
    if size < 2:
        return tag("p", "A single broker has no tree.")
    kind = found.verdict.header.get("topology") or state.attributes.get("tbon.topo")
    kind = kind if isinstance(kind, str) else None
    parent = tree.parents(kind, size)
    children: dict[int, list[_Node]] = {}
    depths = [0] * size
    for rank in range(1, size):
        above = parent(rank)
        depths[rank] = depths[above] + 1 if above is not None and above < rank else 1
    top = _Node([0], "", [], 1)
    for rank in reversed(range(size)):  # children come after their parents
        end = state.broker(rank).exit
        where = parts.place(then, rank)
        text = f"{where}, {ending(end)}" if end is not None else where
        below = _alike(reversed(children.pop(rank, [])))
        number = 1 + sum(len(one.ranks) * one.number for one in below)
        deep = depths[rank] >= _DEEP
        top = _Node([rank], text, [] if deep else below, number)
        if rank:
            children.setdefault(parent(rank) or 0, []).append(top)
    about = tag("p", f"Topology {kind or tree.DEFAULT}, {max(depths) + 1} levels.")
    return about + tag("ul", _item(top, 0), class_="tree")


def _shape(node: _Node) -> tuple[object, ...]:
    return node.text, tuple((len(one.ranks), one.number, one.text) for one in node.below)


def _alike(nodes: Iterable[_Node]) -> list[_Node]:
    found: dict[tuple[object, ...], _Node] = {}
    for node in nodes:
        shape = _shape(node)
        if shape in found:
            first = found[shape]
            below = [
                one._replace(ranks=[*one.ranks, *other.ranks])
                for one, other in zip(first.below, node.below, strict=True)
            ]
            found[shape] = first._replace(ranks=[*first.ranks, *node.ranks], below=below)
        else:
            found[shape] = node
    return list(found.values())


def _item(node: _Node, depth: int) -> Markup:
    name = "rank" if len(node.ranks) == 1 else f"{len(node.ranks):,} ranks"
    label = join((tag("b", name, " ", ids(node.ranks, 60)), " ", node.text))
    if not node.below:
        hidden = f" and {node.number - 1:,} below each" if node.number > 1 else ""
        return tag("li", label, hidden, data_ranks=idset.encode(node.ranks[:64]))
    inner = tag("ul", *(_item(one, depth + 1) for one in node.below))
    return tag("li", tag("details", tag("summary", label), inner, open=depth < 3))
