"""The columns of the table of brokers, and which brokers a filter means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxstart_tui.diagnose.words import ordinal
from fluxstart_tui.rfc import idset
from fluxstart_tui.tui.settings import COLUMNS
from fluxstart_tui.tui.widgets import looks
from fluxstart_tui.tui.widgets.paint import clock, memory, span
from fluxstart_tui.tui.widgets.table import Column, text_width
from fluxstart_tui.tui.widgets.waited import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fluxstart_tui.session.broker_state import BrokerState, Usage
    from fluxstart_tui.tui.model import Model

_PMI_ORDER = ("", "init", "put", "barrier", "get", "finalize", "closed")
_FAR = 1e18
_CAUSE = 24
"""Cells for the cause of an exit, once there is one worth reading."""


def columns(model: Model, wanted: Sequence[str] = COLUMNS, *, failed: bool = False) -> list[Column]:
    """Return the columns, made for the hosts there are.

    Args:
        model: the session.
        wanted: which of them come after the rank, in this order.
        failed: whether some ranks have failed, so that the cause needs room.
    """

    def broker(rank: int) -> BrokerState:
        return model.state.broker(rank)

    def usage(rank: int) -> Usage | None:
        one = broker(rank)
        return one.usage if one.exit is None else None

    def name(rank: int) -> tuple[str, str]:
        wanted = rank in progress(model).missing
        return (f"!{rank}", "warn") if wanted else (str(rank), "strong")

    def where(rank: int) -> tuple[str, str]:
        one = broker(rank)
        kind = looks.look(one)
        return f"{kind.glyph} {looks.word(one)}", kind.tone

    def place(rank: int) -> tuple[int, int, str]:
        one = broker(rank)
        text = looks.word(one)
        return -looks.look(one).weight, ordinal(one.state), text

    def since(rank: int) -> tuple[str, str]:
        t = looks.since(broker(rank))
        if t is None:
            return "", "dim"
        return span(model.now - t) if broker(rank).exit is None else f"at {clock(t)}", "dim"

    def pmi(rank: int) -> tuple[str, str]:
        one = broker(rank)
        if one.held:
            return "held", "warn"
        if one.pmi == "closed":
            return f"✗ {one.pmi_before}" if one.pmi_before else "closed", "warn"
        if one.pmi == "barrier":
            return f"barrier {one.barrier}", "info"
        return ("✓", "dim") if one.pmi == "finalize" else (one.pmi, "info")

    def cpu(rank: int) -> tuple[str, str]:
        one = usage(rank)
        if one is None:
            return "", "dim"
        return f"{one.cpu:.0f}", "dim" if one.cpu < 1 else "warn" if one.cpu > 95 else "plain"

    def ended(rank: int) -> tuple[str, str]:
        one = broker(rank)
        if one.exit is None:
            # What a broker in run complains of is of others, and may be over: the log has it.
            said = one.errors[-1][1].split("\n")[0] if one.errors and one.state != "run" else ""
            return said.removeprefix("broker: "), "warn"
        failed = looks.look(one).name in looks.FAILED
        return looks.end(one), looks.look(one).tone if failed else "dim"

    def used(rank: int, field: str) -> int:
        return int(getattr(one, field)) if (one := usage(rank)) else -1

    def number(field: str) -> Callable[[int], tuple[str, str]]:
        return lambda rank: (str(one) if (one := used(rank, field)) >= 0 else "", "dim")

    def phase(rank: int) -> int:
        return _PMI_ORDER.index(pmi) if (pmi := broker(rank).pmi) in _PMI_ORDER else -1

    def rss(rank: int) -> tuple[str, str]:
        return (memory(one) if (one := used(rank, "rss")) >= 0 else "", "plain")

    hosts = [model.host(rank) for rank in range(min(model.size, 4096))]
    width = max(5, len(str(max(0, model.size - 1))) + 1)
    exits = _CAUSE if failed else 8
    known = [
        Column("host", text_width(hosts, 4, 16), lambda r: (model.host(r), "dim"), gives_way=2),
        Column("pid", 7, lambda r: _pid(broker(r)), lambda r: broker(r).pid, right=True),
        Column("state", 17, where, place),
        Column("for", 7, since, lambda r: looks.since(broker(r)) or _FAR, right=True),
        Column("PMI", 9, pmi, phase, gives_way=1),
        Column("CPU%", 4, cpu, lambda r: u.cpu if (u := usage(r)) else -1.0, True, False, True),
        Column("RSS", 5, rss, lambda r: used(r, "rss"), True, False, True),
        Column("thr", 3, number("threads"), lambda r: used(r, "threads"), True, False, True, 4),
        Column("fds", 4, number("fds"), lambda r: used(r, "fds"), True, False, True, 3),
        Column("exit", exits, ended, lambda r: _end_order(broker(r)), flexible=True),
    ]
    by_title = {one.title: one for one in known}
    first = Column("rank", width, name, lambda rank: rank, right=True)
    return [first, *(by_title[title] for title in wanted)]


def _pid(broker: BrokerState) -> tuple[str, str]:
    return (str(broker.pid), "dim") if broker.pid > 0 else ("", "dim")


def _end_order(broker: BrokerState) -> tuple[float, str]:
    """Those that failed come first, in the order in which they did."""
    failed = looks.look(broker).name in looks.FAILED
    return (broker.exit_t if failed else _FAR, "" if failed else looks.end(broker))


def matching(model: Model, text: str) -> list[int]:
    """Return the ranks that a filter means.

    Args:
        model: the session.
        text: an idset, or words that all have to be somewhere in a broker's state, PMI phase,
            exit or host; one with a ! before it must not be there.
    """
    everyone = range(model.size)
    text = text.strip()
    if not text:
        return list(everyone)
    try:
        return sorted(rank for rank in idset.decode(text) if rank < model.size)
    except ValueError:
        words = text.lower().split()
        return [rank for rank in everyone if _matches(model, rank, words)]


def _matches(model: Model, rank: int, words: list[str]) -> bool:
    broker = model.state.broker(rank)
    facts = (
        looks.word(broker), looks.look(broker).name, f"pmi {broker.pmi}", model.host(rank),
        str(broker.pid), looks.end(broker) if broker.exit is not None else broker.state,
    )  # fmt: skip
    known = " ".join(facts).lower()
    return all(
        (word[1:] not in known) if word[0] == "!" and word[1:] else word in known for word in words
    )
