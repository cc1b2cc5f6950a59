"""A launch of test mode, from what its journal knows, and what its brokers have said.

The journal tells how far each rank has come. Of the output only the brokers' own records count,
until the program runs: nobody can tell what comes later from what a program prints, or from what
somebody types into a shell. The launch is made anew at each look, so that it is the same whether
one has watched all along or opens the record at that moment.
"""

from __future__ import annotations

from typing import NamedTuple

from fluxstart_tui.diagnose.failure import FOLLOWS
from fluxstart_tui.diagnose.interrupt import interrupted, killed
from fluxstart_tui.diagnose.launch import signs_flux
from fluxstart_tui.diagnose.launch import text as forms
from fluxstart_tui.diagnose.launch.facts import TEST_MODE
from fluxstart_tui.diagnose.launch.launch import Launch
from fluxstart_tui.diagnose.launch.state import NO_LINE, PHASES, Line, Probe, Stage
from fluxstart_tui.diagnose.progress import deserted, passed
from fluxstart_tui.diagnose.rewind import rewind
from fluxstart_tui.diagnose.words import ending, where
from fluxstart_tui.session.broker_state import HALTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fluxstart_tui.session.broker_state import BrokerState
    from fluxstart_tui.session.state import InstanceState

_STAGES = dict(PHASES) | {"spawned": Stage.SILENT}


class Spoken(NamedTuple):
    """A line that a broker, or what was to start it, has said."""

    t: float
    rank: int
    text: str


def matters(line: str, *, typed: bool) -> bool:
    """Tell whether a line may be a broker's word on why it does not start.

    Args:
        line: the line.
        typed: whether it is from a terminal, where anything may stand.
    """
    log = forms.LOG.match(line)
    if log is None:
        return not typed and signs_flux.SHELL.find(line) is not None
    telling = ("sockevent " in log["text"], log["text"].startswith("rc1.0: "))
    return log["severity"] in forms.SEVERE or any(telling)


def is_told(line: str) -> bool:
    """Tell whether a line is a record or of the PMI trace, of which the journal knows more."""
    return forms.LOG.match(line) is not None or line.startswith(forms.HEADS)


def made(state: InstanceState, spoken: Iterable[Spoken]) -> Launch:
    """Return the launch of an instance.

    Args:
        state: what its journal has come to.
        spoken: lines that matter, in their order, and the last plain one of each rank.
    """
    # What follows on the end of somebody's patience is no evidence.
    limit = killed(state)
    before = state if limit is None else rewind(state, limit)
    launch = Launch()
    launch.launcher = TEST_MODE
    launch.asked = launch.size = state.size
    launch.elsewhere = state.away
    launch.told_topology = state.attributes.get("tbon.topo")
    launch.served = launch.watched = True
    for number, broker in sorted(before.brokers.items()):
        _broker(launch, before, number, broker)
    launch.deserted = {rank: before.broker(rank).barrier for rank in sorted(deserted(before))}
    until = float("inf") if limit is None else limit
    runs = min(
        (step.t for step in state.broker(0).transitions if step.state == "run"), default=until
    )
    for t, rank, line in spoken:
        if t < min(until, runs) and t <= state.t:  # the journal tells when the program ran
            launch.take(rank, line, t)
    for number, broker in sorted(before.brokers.items()):
        for t, told in broker.errors:
            app, _, said = told.partition(": ")
            if t < until:
                launch.take(number, f"{app}.err[{number}]: {said}", t)
    program = before.program
    if program is not None and program.action == "ended":
        ended = f"rc2.0: {program.text or 'it Exited'} (rc={program.code})"
        launch.take(0, f"broker.err[0]: {ended}", before.program_t)
    launch.now = state.t
    if limit is not None:
        stop = Line(NO_LINE, limit, None, "interrupted")
        if interrupted(state) is not None:
            launch.stop(stop)
        else:  # the exit timer, which ends what a death has begun
            launch.stopped = stop
    if state.end is not None:
        launch.past = True
        launch.end(state.end.code)
    for number, broker in state.brokers.items():
        one = launch.rank(number)
        if broker.exit is not None and one.exit is None and one.stage < Stage.EXIT:
            one.ended = ending(broker.exit)
    return launch


def _broker(launch: Launch, state: InstanceState, number: int, broker: BrokerState) -> None:
    rank = launch.rank(number)
    furthest = max((_STAGES[name] for name in passed(state, broker)), default=Stage.SILENT)
    if broker.spawned is not None:
        rank.hello = {"pid": str(broker.pid)}
    rank.barriers_in = broker.barrier
    steps = broker.spawned or 0.0, broker.pmi_since, broker.state_since
    since = max((t for t in steps if t <= state.t), default=0.0)  # later ones were taken back
    line = Line(NO_LINE, since, number, where(state, broker))
    end = broker.exit
    clean = end is not None and not (end.code or end.signum) and end.cause not in FOLLOWS
    launch.reach(rank, furthest if clean else min(furthest, _before_exit(state, broker)), line)
    launch.progress = max(launch.progress or 0.0, since)
    if end is not None and not clean and end.cause not in FOLLOWS:
        launch.exited({number}, ending(end), Line(NO_LINE, broker.exit_t, number, ending(end)))
    if broker.suspended is not None:
        how = "traced" if broker.traced else "stopped"
        text = f"process {broker.pid} is seen to be {how}"
        begin = max(broker.suspended, since)
        launch.probe(number, Probe(begin, "", broker.pid, HALTED[broker.traced], text=text))


def _before_exit(state: InstanceState, broker: BrokerState) -> Stage:
    """Return how far it had come when it ended, if it has."""
    names = passed(state, broker) - {"exit"}
    return max((_STAGES[name] for name in names), default=Stage.SILENT)
