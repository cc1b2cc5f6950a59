"""The tree based overlay network as rows: who is below whom, and what keeps whom waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fluxstart_tui.diagnose.words import ending, ids, span, where, who
from fluxstart_tui.session import tree
from fluxstart_tui.tui.states import alarm, look, missing
from fluxstart_tui.tui.widgets import looks
from fluxstart_tui.tui.widgets.source import Source, styled

if TYPE_CHECKING:
    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.tui.model import Model

LARGE = 64
"""From so many ranks on subtrees in which nothing is wrong are folded at first."""
_DEEP = 12
"""Levels that are indented; deeper ones tell their level as a number."""

_WIDE = 110
"""Columns from which on a remark fits behind everything else."""

_OVERLAY = {"full": "green", "partial": "yellow", "degraded": "bold yellow",
            "lost": "bold red", "offline": "dim"}  # fmt: skip


class TreeSource(Source):
    """Ranks as they are connected; subtrees can be folded."""

    title = "Tree"

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self._folds: dict[int, bool] = {}  # what somebody wished
        self._rows: list[int] = []
        self._depth: list[int] = []
        self._children: list[list[int]] = []
        self._below: list[int] = []  # how many ranks are in a subtree, its root included
        self._built: object = None
        self._seen = -1
        self._levels = 1
        self.missing: frozenset[int] = frozenset()
        self.top: int = 0
        self.topmost: frozenset[int] = frozenset()
        self._troubled: set[int] = set()

    def __len__(self) -> int:
        return len(self._rows)

    def look(self) -> bool:
        """Take what is new; tell whether rows may have changed."""
        model = self.model
        if self._seen == model.version:
            return False
        self._seen = model.version
        if self._built != (model.topology, model.size):
            self._built = (model.topology, model.size)
            self._build()
        self.missing = missing(model)
        self.topmost = tree.topmost(self.missing, model.parent)
        self._troubled = set()
        for rank in self.topmost:
            above = model.parent(rank)
            while above is not None and above not in self._troubled:
                self._troubled.add(above)
                above = model.parent(above)
        self._flatten()
        return True

    def _build(self) -> None:
        size, parent = self.model.size, self.model.parent
        self._children = [[] for _ in range(size)]
        self._depth = [0] * size
        self._below = [1] * size
        for rank in range(1, size):
            above = parent(rank)
            if above is not None and 0 <= above < rank:  # all topologies of ours number so
                self._children[above].append(rank)
                self._depth[rank] = self._depth[above] + 1
        for rank in range(size - 1, 0, -1):
            above = parent(rank)
            if above is not None and 0 <= above < rank:
                self._below[above] += self._below[rank]
        self._levels = max(self._depth, default=0) + 1

    def folded(self, rank: int) -> bool:
        """Tell whether what is below a rank is not shown."""
        if not self._children[rank]:
            return False
        if rank in self._folds:
            return self._folds[rank]
        return self.model.size >= LARGE and rank > 0 and rank not in self._troubled

    def _flatten(self) -> None:
        here = self._rows[self.cursor] if self.cursor < len(self._rows) else None
        rows: list[int] = []
        stack = [0] if self._children else []
        while stack:
            rank = stack.pop()
            rows.append(rank)
            if not self.folded(rank):
                stack.extend(reversed(self._children[rank]))
        self._rows = rows
        if here is not None:
            at = {rank: row for row, rank in enumerate(rows)}
            above: int | None = here
            while above is not None and above not in at:
                above = self.model.parent(above)
            self.cursor = at.get(above or 0, 0)
        self.version += 1

    def row_of(self, rank: int) -> int | None:
        """Return a rank's row; None if it is folded away."""
        return self._rows.index(rank) if rank in self._rows else None

    def fold(self, row: int, folded: bool | None = None) -> None:
        """Fold a row's subtree, or unfold it; None for the other of what it is."""
        rank = self._rows[row]
        if not self._children[rank]:
            above = self.model.parent(rank)
            if folded and above is not None and above in self._rows:
                self.cursor = self._rows.index(above)
            return
        self._folds[rank] = not self.folded(rank) if folded is None else folded
        self._flatten()

    def fold_all(self, folded: bool) -> None:
        """Fold all subtrees but the root, or none."""
        self._folds = {rank: folded for rank, some in enumerate(self._children) if some and rank}
        self._flatten()

    def next_missing(self) -> int | None:
        """Return the next row of a topmost missing rank, unfolding what hides it."""
        if not self.topmost:
            return None
        for rank in self.topmost:
            above = self.model.parent(rank)
            while above is not None:
                self._folds[above] = False
                above = self.model.parent(above)
        self._flatten()
        rows = [row for row, rank in enumerate(self._rows) if rank in self.topmost]
        return next((row for row in rows if row > self.cursor), rows[0] if rows else None)

    def status(self) -> str:
        """Return the shape of the tree, and what is missing."""
        size = self.model.size
        head = f"{self.model.topology or 'kary:32'}, {size:,} ranks, {self._levels} levels"
        if self.missing:
            return f"▲ missing {who(self.topmost, 24)}  {head}"
        return head

    def header(self, width: int) -> Text:
        """Return the names of the columns."""
        return Text(f" {'RANK':<{self._tree_width(width)}} {'HOST':<{self._host(width)}} "
                    f"{'STATE':<17} {'CAME AT':>8}  {'OVERLAY':<9} ON")  # fmt: skip

    def _tree_width(self, width: int) -> int:
        depth = min(self._levels, _DEEP)
        return max(10, min(depth * 3 + 10, width // 3))

    def _host(self, width: int) -> int:
        return 8 if width < 100 else 16

    def row(self, i: int, width: int) -> Text:
        """Return a rank."""
        rank = self._rows[i]
        model = self.model
        broker = model.state.broker(rank)
        top = rank in self.topmost
        lost = rank in self.missing
        stem = self._stem(rank)
        mark = "▸ " if self.folded(rank) else "▾ " if self._children[rank] else "─ "
        text = styled(" ")
        room = self._tree_width(width)
        label = f"{rank}"
        stem = stem[-max(0, room - len(label) - 2) :]
        text.append(stem, "dim")
        text.append(mark, "bold" if self._children[rank] else "dim")
        text.append(
            label,
            f"bold reverse {alarm(broker)}" if top else f"bold {alarm(broker)}" if lost else "bold",
        )
        text.append(" " * max(1, room + 2 - text.cell_len))
        host = model.host(rank)
        text.append(f"{host[: self._host(width)]:<{self._host(width)}} ", "dim")
        glyph, name, style = look(broker)
        if top and width < _WIDE:
            text.append(f"{glyph} ", style)
            self._note(text, rank, broker)  # it says the state too, and would not fit behind it
            return text
        text.append(f"{glyph} {name:<15.15} ", style)
        since = looks.since(broker)
        text.append(f"{since:>6.2f} s  " if since else " " * 10, "dim")
        if width < _WIDE and lost and not broker.overlay:
            self._note(text, rank, broker)
            return text
        overlay = broker.overlay
        if width < _WIDE and self.folded(rank) and not lost:
            online = rank in model.state.online
            text.append("✓ " if online else "· ", "green" if online else "dim")
            text.append(self._summary(rank), "dim")
            return text
        text.append(f"{overlay or '·':<9} ", _OVERLAY.get(overlay, "dim"))
        online = rank in model.state.online
        text.append("✓      " if online else "✗      " if model.state.online else "·      ",
                    "green" if online else "bold red" if lost else "dim")  # fmt: skip
        self._note(text, rank, broker)
        return text

    def _note(self, text: Text, rank: int, broker: BrokerState) -> None:
        """Say what is wrong with a rank, or what is folded below it."""
        if rank in self.topmost:
            below = self._below[rank] - 1
            hidden = f", {below} below wait for it" if below else ""
            reason = ending(broker.exit) if broker.exit else where(self.model.state, broker)
            text.append(f"◀ {reason}{hidden}", f"bold {alarm(broker)}")
        elif rank in self.missing:
            text.append(f"waits for rank {self._cause(rank)}", alarm(broker))
        elif self.folded(rank):
            text.append(self._summary(rank), "dim")

    def _cause(self, rank: int) -> int:
        above = self.model.parent(rank)
        while above is not None and above in self.missing:
            rank = above
            above = self.model.parent(rank)
        return rank

    def _summary(self, rank: int) -> str:
        counts: dict[str, int] = {}
        for one in self._subtree(rank)[1:]:
            name = look(self.model.state.broker(one))[1]
            counts[name] = counts.get(name, 0) + 1
        parts = sorted(counts.items(), key=lambda pair: -pair[1])
        return "+ " + ", ".join(f"{count} {name}" for name, count in parts[:4])

    def _subtree(self, rank: int) -> list[int]:
        found = [rank]
        for one in found:
            found.extend(self._children[one])
        return found

    def _stem(self, rank: int) -> str:
        """Return the lines that lead to a rank."""
        depth = self._depth[rank]
        if not depth:
            return ""
        if depth > _DEEP:
            return f"{'·' * 3}level {depth} "
        parts = ["├" if self._younger(rank) else "└"]
        above = self.model.parent(rank)
        while above:
            parts.append("│ " if self._younger(above) else "  ")
            above = self.model.parent(above)
        return "".join(reversed(parts))

    def _younger(self, rank: int) -> bool:
        """Tell whether a sibling comes after a rank."""
        above = self.model.parent(rank)
        return above is not None and self._children[above][-1] != rank

    def detail(self, i: int) -> Text:
        """Return a rank's place in the tree and what it waits for."""
        rank = self._rows[i]
        broker = self.model.state.broker(rank)
        parent = self.model.parent(rank)
        text = styled(f"rank {rank}", "bold")
        text.append(f": {where(self.model.state, broker)}")
        if broker.exit is not None:
            text.append(f"; {ending(broker.exit)} at {span(broker.exit_t)}")
        text.append(f" · parent {parent}" if parent is not None else " · root", "dim")
        children = self._children[rank]
        if children:
            text.append(f" · {len(children)} children {ids(children, 24)}, "
                        f"{self._below[rank] - 1} below", "dim")  # fmt: skip
        if self.topmost:
            text.append(f"  ▲ topmost missing: {who(self.topmost)}", "bold red")
        return text

    def rank(self, i: int) -> int | None:
        """Return the row's rank."""
        return self._rows[i]

    def mark_column(self, i: int) -> tuple[int, int]:
        """Return the columns in which a click folds."""
        size = len(self._stem(self._rows[i]))
        return 0, size + 3

    def plain(self, i: int) -> str:
        """Return what is searched in a row."""
        rank = self._rows[i]
        broker = self.model.state.broker(rank)
        return f"{rank} {self.model.host(rank)} {look(broker)[1]} {broker.overlay}"
