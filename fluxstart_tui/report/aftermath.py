"""What a failure led to, or what became of an instance whose time was up, in order of time."""

from __future__ import annotations

from fluxstart_tui.diagnose import interrupt
from fluxstart_tui.diagnose.doing import sentence
from fluxstart_tui.diagnose.rewind import rewind
from fluxstart_tui.diagnose.words import ending, printable, seconds, who

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.diagnose.interrupt import Failure
    from fluxstart_tui.session.state import InstanceState
    from fluxstart_tui.session.tree import Parent

_MOST = 8
"""How many things are told."""


def aftermath(
    state: InstanceState, first: Failure | None, parent: Parent, option: str = ""
) -> list[str]:
    """Tell what followed on the first failure, or on the end of an instance's time.

    Args:
        state: what the instance has come to.
        first: its first failure, if it had one.
        parent: gives a rank's parent in the tree.
        option: what sets the exit timer, if something does.
    """
    late = first is not None and first.kind == "timeout"
    found = _after_timeout(state, parent, option) if late else _consequences(state, first)
    return [text for _, text in sorted(found)[:_MOST]]


def _consequences(state: InstanceState, first: Failure | None) -> Iterator[tuple[float, str]]:
    """Yield other failures, and kills."""
    named = set(first.ranks) if first is not None else set()
    if first is not None and first.kind == "program":
        named.add(0)
    signal = interrupt.interrupted(state)
    if signal is not None and signal != first:
        yield signal.t, signal.text
    for how, (at, alike) in _ends(state).items():
        ranks = [rank for rank in alike if rank not in named]
        if how == "exited with code 0" or not ranks:
            continue
        armed = state.timer.cause if state.timer is not None and "exit timer" in how else ""
        # Nothing new if it is the first failure that armed it.
        known = first is not None and first.ranks and armed.startswith(f"rank {first.ranks[0]} ")
        since = f" (armed by: {printable(armed, 80)})" if armed and not known else ""
        yield at, f"at {seconds(at)} {who(ranks)} {_was(how, ranks)}{since}"


def _after_timeout(
    state: InstanceState, parent: Parent, option: str
) -> Iterator[tuple[float, str]]:
    """Yield how the end was asked for, whom it waited for, and how ranks ended."""
    asked = min((t for t, one in state.signals if not one.ranks), default=state.t)
    yield asked, f"at {seconds(asked)}, its state recorded, the instance was told to end"
    closed = [
        one for one in state.brokers.values() if one.pmi == "closed" and one.pmi_since >= asked
    ]
    if closed:
        t = min(one.pmi_since for one in closed)
        inside = [one.barrier for one in closed if one.pmi_before == "barrier"]
        failed = f", so PMI barrier {max(inside)} failed" if inside else ""
        yield t, f"at {seconds(t)} PMI was closed to {who([one.rank for one in closed])}{failed}"
    if state.timer is not None and state.timer.action == "fired":
        fired = state.timer_t
        before = rewind(state, fired)._replace(timer=state.timer._replace(action="armed"))
        held = sentence(before, fired, parent, timed=False)
        yield fired - 1e-6, f"then for {seconds(fired - asked)} {printable(held)}"
    for how, (at, ranks) in _ends(state).items():
        sets = f" ({option})" if option and "exit timer" in how else ""
        yield at, f"at {seconds(at)} {who(ranks)} {_was(how, ranks)}{sets}"


def _ends(state: InstanceState) -> dict[str, tuple[float, list[int]]]:
    """Return how ranks ended, when the first of those that ended alike did, and which."""
    found: dict[str, tuple[float, list[int]]] = {}
    for rank, broker in state.brokers.items():
        if broker.exit is not None:
            at, ranks = found.get(ending(broker.exit), (broker.exit_t, []))
            found[ending(broker.exit)] = min(at, broker.exit_t), [*ranks, rank]
    return found


def _was(how: str, ranks: list[int]) -> str:
    if not how.startswith("killed"):
        return how
    return f"{'was' if len(ranks) == 1 else 'were'} {how}"
