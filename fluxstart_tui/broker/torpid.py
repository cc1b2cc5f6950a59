"""Brokers that are there and do not answer (flux-core: overlay.c, sync_cb)."""

from __future__ import annotations

from fluxstart_tui.broker.groups import TORPID
from fluxstart_tui.rfc import fsd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluxstart_tui.broker.attrs import Attributes
    from fluxstart_tui.broker.boot import Card
    from fluxstart_tui.broker.children import Children
    from fluxstart_tui.broker.groups import Groups
    from fluxstart_tui.broker.log import Log
    from fluxstart_tui.broker.parent import Parent


def look(
    now: float,
    log: Log,
    attrs: Attributes,
    cards: Mapping[int, Card],
    children: Children,
    parent: Parent | None,
    groups: Groups,
) -> None:
    """Show the parent that we are there, and see which children have not done so.

    Args:
        now: the time.
        log: takes who is torpid, and who is not any more.
        attrs: say after how long.
        cards: names of hosts by rank.
        children: those that are looked at.
        parent: who looks at us.
        groups: has that of the torpid.
    """
    least, most = (fsd.parse(attrs.get(f"tbon.torpid_{which}") or "0") for which in ("min", "max"))
    if parent is not None and now - parent.sent > least:
        parent.show()
    for child in children.all.values():
        silent = now - child.seen
        torpid = child.online and 0 < most <= silent
        if child.torpid == torpid or not child.online:
            continue
        name = f"broker on {cards[child.rank].host} (rank {child.rank})"
        if torpid:
            log.err(f"{name} has been unresponsive for {fsd.format(silent)}", "overlay")
        else:
            log.err(f"{name} is responsive now", "overlay")
        child.torpid = torpid
        groups.change(TORPID, (child.rank,), member=torpid)
        children.on_change(child)
