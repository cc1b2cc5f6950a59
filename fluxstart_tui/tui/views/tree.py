"""The Tree view: the tree based overlay network, who is online, who keeps whom waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from fluxstart_tui.tui.views.tree_rows import TreeSource
from fluxstart_tui.tui.widgets.page import RowsPage

if TYPE_CHECKING:
    from fluxstart_tui.tui.widgets.rows import RowsView
    from fluxstart_tui.tui.widgets.source import Source


class TreeView(RowsPage):
    """Brokers as they are connected."""

    TITLE: ClassVar[str] = "Tree"
    KEYS: ClassVar[list[tuple[str, str]]] = [
        ("{tree.fold} {tree.unfold}, click on ▸ ▾", "fold and unfold what is below a rank"),
        ("{tree.unfold-all} {tree.fold-all}", "unfold all, fold all"),
        ("{tree.missing}",
         "go to the next missing rank, topmost ancestors only: the cause, not its victims"),
        *RowsPage.KEYS,
    ]  # fmt: skip
    hints = (("{tree.fold}{tree.unfold}", "fold"), ("{tree.unfold-all}", "unfold all"),
             ("{tree.fold-all}", "fold all"), ("{tree.missing}", "missing"),
             ("{rows.search}", "search"))  # fmt: skip
    BINDINGS: ClassVar = [
        Binding("left", "fold(True)", "Fold", show=False, id="tree.fold"),
        Binding("right", "fold(False)", "Unfold", show=False, id="tree.unfold"),
        Binding("e", "fold_all(False)", "Unfold all", show=False, id="tree.unfold-all"),
        Binding("c", "fold_all(True)", "Fold all", show=False, id="tree.fold-all"),
        Binding("m", "missing", "Next missing", show=False, id="tree.missing"),
    ]

    def make_sources(self) -> list[Source]:
        """Return the tree."""
        self._network = TreeSource(self.model)
        return [self._network]

    def empty(self) -> str:
        """Return what is said if there are no rows."""
        return "how many brokers there are to be is not known yet"

    def action_fold(self, folded: bool) -> None:
        """Fold or unfold what is below the cursor's rank."""
        if len(self._network):
            self._network.fold(self._network.cursor, folded)
            self._changed()

    def action_fold_all(self, folded: bool) -> None:
        """Fold or unfold everything."""
        self._network.fold_all(folded)
        self._changed()

    def action_missing(self) -> None:
        """Go to the next rank that is missing."""
        row = self._network.next_missing()
        if row is None:
            self.notify("no rank is missing")
            return
        self._changed()
        self._rows.move_to(row, middle=True)

    def _changed(self) -> None:
        self._rows.sync()
        self._rows.move_to(self._network.cursor)

    def on_rows_view_entered(self, message: RowsView.Entered) -> None:
        """Fold by a click on the mark, choose by one elsewhere."""
        if message.clicked and message.x < self._network.mark_column(message.row)[1]:
            message.prevent_default()
            self._network.fold(message.row)
            self._changed()
