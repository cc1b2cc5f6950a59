"""An instance as it was at some time before its end, as far as its last state still tells.

When all brokers are dead, "all brokers are dead" is no answer to what they were waiting for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.session.state import InstanceState


def rewind(state: InstanceState, t: float) -> InstanceState:
    """Return the state just before time `t`; what can not be known stays as it is."""
    brokers = {rank: _broker(broker, t) for rank, broker in state.brokers.items()}
    back = {
        rank
        for rank, broker in brokers.items()
        if broker.running and broker.state in ("quorum", "run", "cleanup")
        if state.brokers[rank].exit is not None
    }
    program = state.program
    over = program is not None and program.action == "ended" and state.program_t >= t
    return state._replace(
        t=min(state.t, t),
        brokers=brokers,
        online=state.online | back,
        end=None,
        aborts=tuple(pair for pair in state.aborts if pair[0] < t),
        violations=tuple(pair for pair in state.violations if pair[0] < t),
        signals=tuple(pair for pair in state.signals if pair[0] < t),
        timer=None if state.timer_t >= t else state.timer,
        # When it started is forgotten; rank 0's state tells.
        program=None if over else program,
    )


def _broker(broker: BrokerState, t: float) -> BrokerState:
    if broker.exit is not None and broker.exit_t >= t:
        broker = broker._replace(exit=None)
    stops = tuple(
        (begin, None if end is not None and end >= t else end)
        for begin, end in broker.stops
        if begin < t
    )
    if stops != broker.stops:
        broker = broker._replace(stops=stops)
    later = [step for step in broker.transitions if step.t >= t]
    if later:
        kept = broker.transitions[: broker.transitions.index(later[0])]
        since = kept[-1].t if kept else later[0].t - max(0.0, later[0].spent)
        broker = broker._replace(state=later[0].former, state_since=since, transitions=kept)
    if broker.pmi == "closed" and broker.pmi_since >= t:
        since = dict(broker.pmi_times).get(broker.pmi_before, broker.spawned or 0.0)
        broker = broker._replace(pmi=broker.pmi_before, pmi_since=since)
    return broker
