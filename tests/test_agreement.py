"""What a session says of an instance is what Flux's own commands said within the same run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.session import tree
from fluxstart_tui.session.events import Overlay, Sample
from fluxstart_tui.session.reader import Session
from fluxstart_tui.session.state import ranks_of
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real_flux

STATUS = re.compile(r"^(\d+) \S+: (\w+)", re.MULTILINE)
FAST = "flux overlay status --no-pretty --timeout=2s"


def run(scene: Path, script: str, *args: str) -> tuple[support.Done, Session]:
    """Run a script as initial program of a recorded instance."""
    done = support.run(
        scene, "--headless", "--record=session", "--broker=flux", "-Sstatedir=state",
        "-Sbroker.rc1_path=", "-Sbroker.rc3_path=", *args, "sh", "-c", script,
    )  # fmt: skip
    return done, Session(str(scene / "session"))


def statuses(session: Session) -> set[tuple[int, str]]:
    """Return every status that a router has told of a rank."""
    return {(e.child, e.status) for _, e in session.events() if isinstance(e, Overlay)}


def test_a_chain(scene: Path) -> None:
    """With kary:1 each rank is the parent of the next, and all are full."""
    script = f"""
        for rank in 1 2 3; do flux overlay parentof $rank; done
        flux getattr tbon.topo; flux getattr size; flux getattr hostlist
        {FAST}
    """
    done, session = run(scene, script, "-s4", "-Stbon.topo=kary:1")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    parent = tree.parents("kary:1", 4)
    assert lines[:3] == [str(parent(rank)) for rank in (1, 2, 3)]
    attributes = session.state.attributes
    assert lines[3:6] == [attributes["tbon.topo"], str(session.state.size), attributes["hostlist"]]
    told = {(int(rank), status) for rank, status in STATUS.findall(done.out)}
    assert told - {(0, "full")} <= statuses(session)
    assert len(told) == 4


def test_a_lost_leaf(scene: Path) -> None:
    """The parent of a leaf that was killed calls it lost, and itself degraded; --show its end."""
    script = f"""
        kill -KILL $(flux exec -r 3 flux getattr broker.pid)
        until {FAST} >status; grep -q "3 .*lost" status; do
            timeout -s KILL 0.5 flux ping -c 1 3 >/dev/null 2>&1  # finds that it is gone
        done
        cat status
    """
    done, session = run(scene, script, "-s4", "-Stbon.topo=kary:1", "--test-exit-timeout=10")
    told = {(int(rank), status) for rank, status in STATUS.findall(done.out)}
    assert told == {(0, "degraded"), (1, "degraded"), (2, "degraded"), (3, "lost")}
    assert told - {(0, "degraded")} <= statuses(session)
    end = session.state.broker(3).exit
    assert end is not None
    assert end.cause == "sender"
    shown = support.run(scene, "--show=session").out
    assert "rank 3 (pid" in shown
    assert re.search(r"^ *3 +run +killed by SIGKILL, sender unknown$", shown, re.MULTILINE)


def test_a_router_that_hangs(scene: Path) -> None:
    """Where Flux gets no answer, the session has a stopped process; its children are full."""
    script = f"""
        pid=$(flux exec -r 1 flux getattr broker.pid)
        kill -STOP $pid
        {FAST}
        sleep 2  # two samples at the least
        kill -CONT $pid
        timeout 10 flux exec -r 1 true
    """
    done, session = run(scene, script, "-s7", "-Stbon.topo=kary:2")
    assert done.code == 0, done.err
    assert re.search(r"1 \S+: Connection timed out", done.out)
    states = [
        dict(zip(sorted(ranks_of(event.ranks)), event.states, strict=True))
        for _, event in session.events()
        if isinstance(event, Sample)
    ]
    stopped = {rank for one in states for rank, letter in one.items() if letter == "T"}
    assert stopped == {1}
    told = {(int(rank), status) for rank, status in STATUS.findall(done.out) if rank != "1"}
    assert told - {(0, "full")} <= statuses(session)
    assert session.state.broker(1).exit is not None
