"""What went wrong first.

What followed from it is not the failure: a rank that the exit timer killed has done nothing wrong,
the one whose exit started the timer has.
"""

from __future__ import annotations

from fluxstart_tui.diagnose.interrupt import Failure, interrupted, timed_out
from fluxstart_tui.diagnose.words import (
    act,
    code,
    ending,
    ordinal,
    printable,
    reason,
    seconds,
    where,
    who,
)  # fmt: skip
from fluxstart_tui.session.signals import signame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.session.state import InstanceState

_SLACK = 0.25
"""Seconds: ^C reaches the brokers and us in any order."""

_FAILS = {
    "builtins-fail": "could not load its built-in modules or bootstrap",
    "sync-fail": "could not synchronize its configuration",
    "rc1-fail": "failed in rc1",
    "quorum-fail": "gave up waiting for the quorum",
    "panic": "panicked",
    "cleanup-fail": "failed in cleanup",
    "rc3-fail": "failed in rc3",
    "builtins-unload-fail": "could not unload its built-in modules",
}
"""What a broker's own events say of it; parent-fail is the parent's fault."""

FOLLOWS = ("timer", "shutdown", "abort", "parent")
"""Causes of exits that have a cause elsewhere."""


def first(state: InstanceState) -> Failure | None:
    """Return what went wrong first, None if nothing did."""
    interrupt = interrupted(state)
    candidates = [*_aborts(state), *_brokers(state), *_program(state), *_violations(state)]
    if interrupt is not None:
        limit = interrupt.t - _SLACK
        candidates = [one for one in candidates if one.t < limit]
        candidates.append(interrupt)
    if not candidates and (timed_out(state) or (state.end is not None and state.end.code)):
        candidates = list(_late(state))
    return min(candidates, key=lambda one: (one.t, one.ranks), default=None)


def _aborts(state: InstanceState) -> Iterator[Failure]:
    for t, abort in state.aborts:
        text = f": {printable(abort.text, 200)}" if abort.text.strip() else ""
        called = f"rank {abort.rank} called PMI abort at {seconds(t)}"
        yield Failure("abort", t, (abort.rank,), f"{called} with code {abort.code}{text}")


def _violations(state: InstanceState) -> Iterator[Failure]:
    for t, one in state.violations:
        broke = f"rank {one.rank} broke the PMI protocol at {seconds(t)}"
        yield Failure("violation", t, (one.rank,), f"{broke}: {printable(one.text, 200)}")


def _program(state: InstanceState) -> Iterator[Failure]:
    leader = state.broker(0)
    program = state.program
    if program is not None and program.action == "ended":
        if program.code:
            how = _result(program.code)
            text = f"initial program {how} at {seconds(state.program_t)}"
            command = f": {printable(program.text, 200)}" if program.text else ""
            yield Failure("program", state.program_t, (0,), text + command)
        return
    for step in leader.transitions:
        if step.event == "rc2-fail":
            how = _result(leader.exit.code) if leader.exit is not None else "failed"
            yield Failure("program", step.t, (0,), f"initial program {how} at {seconds(step.t)}")
            return
    if _unwatched(state) and leader.exit is not None:
        how = f"rank 0 exited with code {leader.exit.code} at {seconds(leader.exit_t)}"
        why = "most likely with its initial program's code"  # nobody watched its states
        yield Failure("program", leader.exit_t, (0,), f"{how}, {why}")


def _unwatched(state: InstanceState) -> bool:
    """Tell whether rank 0 alone failed, of itself and after PMI, and nothing more is known."""
    leader = state.broker(0)
    if leader.exit is None or not leader.exit.code or leader.exit.signum or leader.state:
        return False
    fine = all(
        (broker.pmi == "finalize" or not state.by_pmi)
        and broker.exit is not None
        and not (broker.rank and broker.exit.code)
        for broker in state.brokers.values()
    )
    return fine and len(state.brokers) == state.size


def _result(number: int) -> str:
    if 128 < number < 160:
        return f"was killed by {signame(number - 128)} (code {number})"
    hint = code(number).partition(" (")[2]
    return f"exited with code {number}" + (f" ({hint}" if hint else "")


def _brokers(state: InstanceState) -> Iterator[Failure]:
    """Give the ranks that failed of themselves, those that failed alike together."""
    alike: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for rank, broker in state.brokers.items():
        if rank == 0 and _unwatched(state):
            continue
        t, what = _trouble(broker)
        if what:
            how = f"{what}|{ending(broker.exit) if broker.exit is not None else ''}"
            alike.setdefault((how, where(state, broker)), []).append((t, rank))
    for found in alike.values():
        found.sort()
        t, rank = found[0]
        broker = state.broker(rank)
        others = sorted(rank for _, rank in found[1:])
        likewise = f"; {who(others)} likewise" if others else ""
        core = broker.exit.core if broker.exit is not None else ""
        text = _story(state, broker, t) + likewise
        yield Failure("broker", t, (rank, *others), text, printable(core))


def _trouble(broker: BrokerState) -> tuple[float, str]:
    """Return when a broker failed of itself and how; "" if it did not."""
    end = broker.exit
    for step in broker.transitions:
        if step.event == "parent-fail":
            return 0.0, ""
        if step.event in _FAILS:
            return step.t, _FAILS[step.event]
    # A program's code becomes the broker's; that is told as the program's.
    programs = any(step.event == "rc2-fail" for step in broker.transitions)
    if end is None or not (end.code or end.signum) or end.cause in FOLLOWS or programs:
        return 0.0, ""
    return broker.exit_t, ending(end)


def _story(state: InstanceState, broker: BrokerState, t: float) -> str:
    end = broker.exit
    at = f"at {seconds(t)}"
    if end is None:
        return f"rank {broker.rank} {_trouble(broker)[1]} {at}"
    name = f"rank {broker.rank} (pid {end.pid})"
    if any(step.event in _FAILS for step in broker.transitions):
        failed = f"{name} {_trouble(broker)[1]} {at}"
        return failed if end.cause in FOLLOWS else f"{failed} and {ending(end)}"
    was = "was " if act(end).startswith("killed") else ""
    note = reason(end)
    if end.cause == "oom" and broker.usage is not None:
        note = f"it had {broker.usage.rss >> 10} MiB at {seconds(broker.usage.t)}"
    if end.detail and end.cause != "user":
        note = f"{note}, {printable(end.detail, 200)}" if note else printable(end.detail, 200)
    note = f"; {note}" if note else ""
    return f"{name} {was}{act(end)} {at} (last seen: {where(state, broker)}){note}"


def place(state: InstanceState, broker: BrokerState) -> str:
    """Return where a broker was when it failed, or else where it is."""
    for step in broker.transitions:
        if step.event in _FAILS:
            return where(state, broker._replace(state=step.former))
    return where(state, broker)


def _late(state: InstanceState) -> Iterator[Failure]:
    """Explain an exit timer that nobody's failure has started, or a code that is nobody's."""
    ends = [(b.exit_t, b.rank) for b in state.brokers.values() if b.exit is not None]
    victims = [b for b in state.brokers.values() if b.exit is not None and b.exit.cause == "timer"]
    by_itself = sorted((t, r) for t, r in ends if state.broker(r) not in victims)
    t = min((broker.exit_t for broker in victims), default=state.t)
    if victims and by_itself:
        since, rank = by_itself[0]
        if ordinal(state.broker(0).state) >= ordinal("cleanup"):
            ranks = tuple(broker.rank for broker in victims)
            text = f"{who(ranks)} had not shut down {seconds(t - since)} after rank {rank} had"
            yield Failure(
                "exit timer", t, ranks, f"{text}; killed by the exit timer at {seconds(t)}"
            )
        else:
            end = state.broker(rank).exit
            assert end is not None
            text = f"rank {rank} (pid {end.pid}) exited with code 0 at {seconds(since)}"
            detail = f", {printable(end.detail, 120)}," if end.detail else ""
            yield Failure("broker", since, (rank,), f"{text}{detail} while others went on")
    elif victims or timed_out(state):
        cause = printable(state.timer.cause, 120) if state.timer is not None else ""
        since_text = f" (since {cause})" if cause else ""
        ranks = tuple(broker.rank for broker in victims)
        text = f"the exit timer killed {who(ranks)} at {seconds(t)}{since_text}"
        yield Failure("exit timer", t, ranks, text)
    else:
        # What only the engine knows of, such as output that could not be written, it has said.
        t, said = state.messages[-1] if state.messages else (state.t, "no cause was recorded")
        yield Failure("unknown", t, (), printable(said, 200))
