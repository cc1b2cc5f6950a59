"""What an exchange over PMI tells of the launcher, before any broker is started."""

from __future__ import annotations

from fluxstart_tui.diagnose.launch.finding import PATIENCE
from fluxstart_tui.diagnose.launch.preflight import Preflight
from fluxstart_tui.session.output import STREAMS

STDERR = STREAMS.index("stderr")
CHOSEN = ("flux-pmi-client: trying 'simple'", "simple: selected")
FAILED = ("simple: initialize: operation failed", "flux-pmi: operation failed")
ALONE = (
    "flux-pmi-client: trying 'simple'",
    "simple: PMI_FD not found in environ",
    "single: initialize: rank=0 size=1 name=single: success",
    "single: finalize: success",
)


def begun(rank: int, size: int) -> tuple[str, ...]:
    return (*CHOSEN, f"simple: initialize: rank={rank} size={size} name=1.0: success")


def whole(rank: int, size: int) -> tuple[str, ...]:
    """Return what `flux pmi -v exchange` says, which has a barrier before it puts."""
    return (
        *begun(rank, size),
        "simple: barrier: success",
        f"simple: put key=key.{rank} value=1.0-{rank}-{size}: success",
        "simple: barrier: success",
        *(f"simple: get key=key.{n} value=1.0-{n}-{size}: success" for n in range(size)),
        "simple: barrier: success",
        "simple: finalize: success",
    )


def reader(*ranks: tuple[str, ...], asked: int = 0) -> tuple[Preflight, dict[str, str]]:
    """Return what has read these ranks' lines, and the findings that it tells of."""
    found: dict[str, str] = {}
    one = Preflight(
        "colon", asked, ("srun", "flux", "start"), 0.0, plain=False,
        found=lambda finding: found.update({finding.id: finding.sentence}),
    )  # fmt: skip
    for rank, lines in enumerate(ranks):
        for line in lines:
            assert not one.take(0.1, STDERR, f"{rank}: {line}".encode()).shown
    return one, found


def test_pmi_works() -> None:
    one, found = reader(*(whole(rank, 3) for rank in range(3)))
    assert one.look(60.0) == []
    one.ended(60.0, 0)
    assert (found, one.works, one.hopeless) == ({}, True, False)
    assert one.verdict() == "PMI works for 3 tasks"


def test_singletons() -> None:
    one, found = reader(ALONE, ALONE, asked=2)
    one.ended(1.0, 0)
    assert "2 tasks came up as instances of size 1" in found["P1"]
    assert "PMI_FD not found in environ" in found["P1"]
    assert not one.works


def test_singletons_are_told_once_all_have_spoken() -> None:
    one, found = reader(ALONE, ALONE, asked=3)
    assert one.look(0.2) == []
    one.look(2.0)
    assert "seen of 0-1" in found["P1"]


def test_one_task_where_several_were_asked_for() -> None:
    several, _ = reader(ALONE, asked=4)
    several.ended(1.0, 0)
    assert not several.works
    one, _ = reader(ALONE)
    one.ended(1.0, 0)
    assert one.works
    assert one.verdict() == "PMI works for 1 task"


def test_who_is_missing_is_named_and_not_waited_for() -> None:
    one, found = reader(begun(0, 3), (), begun(2, 3))
    assert one.look(PATIENCE) == []
    assert one.look(PATIENCE + 1.0) != []
    assert one.hopeless
    assert "rank 1" in found["S2"]
    assert "ranks 0,2 wait for it in PMI barrier 1" in found["S2"]
    one.stopping(7.0, "preflight")
    one.ended(7.0, 137)
    assert one.verdict() == "the tasks could not exchange by PMI, so no broker is started"


def test_a_handshake_that_fails() -> None:
    one, found = reader((*CHOSEN, *FAILED), (*CHOSEN, *FAILED))
    one.ended(1.0, 9)
    assert "answer to the PMI-1 handshake was not understood" in found["P7"]
    assert not one.works


def test_a_barrier_that_fails() -> None:
    failed = (*begun(0, 2), "simple: barrier: operation failed")
    one, found = reader(failed, begun(1, 2))
    one.ended(1.0, 1)
    assert "barrier failed (operation failed)" in found["P9"]


def test_an_end_that_nothing_explains() -> None:
    one, _ = reader(begun(0, 2), begun(1, 2))
    one.launch.over = one.launch.rank(0).step  # the launcher's own doing
    one.ended(1.0, 4)
    assert one.verdict() == "the launcher has ended with exit code 4 before PMI was through"


def test_being_stopped_is_no_finding() -> None:
    one, _ = reader(begun(0, 2), begun(1, 2))
    one.stopping(0.5, "SIGINT to us")
    assert not one.works
    assert one.verdict() == "it was stopped"
