"""Brokers of a launch on this host: the order of their ends, and what they leave."""

from __future__ import annotations

import signal
import socket
import subprocess
from typing import TYPE_CHECKING
from unittest.mock import Mock

from fluxstart_tui.engine.broker_rundirs import BrokerRundirs
from fluxstart_tui.engine.local_ranks import LocalRanks
from fluxstart_tui.engine.record import Record
from fluxstart_tui.reactor import Reactor
from fluxstart_tui.session.events import Exit

if TYPE_CHECKING:
    from pathlib import Path

    from fluxstart_tui.engine.rundir import Claim


def test_a_rank_that_ended_by_itself_comes_before_those_that_were_killed_for_it() -> None:
    """A launcher is quick to kill: both may be seen in one turn of the loop, in any order."""
    reactor = Reactor()
    record = Record(reactor.now)
    ranks = LocalRanks(reactor, record, Mock(), lambda: "")
    victim = subprocess.Popen(["sleep", "1000"])
    culprit = subprocess.Popen(["sh", "-c", "read x; exit 3"], stdin=subprocess.PIPE)
    ranks.follow({0: victim.pid, 1: culprit.pid})
    victim.kill()
    assert culprit.stdin is not None
    culprit.stdin.close()
    while ranks.pids:
        reactor.run_once(1.0)
    ranks.close()
    ends = [event for _, event in record.events if isinstance(event, Exit)]
    assert [(end.rank, end.code) for end in ends] == [(1, 3), (0, 128 + signal.SIGKILL)]
    assert ends[1].detail == "likely sent by the launcher, since rank 1 had ended"
    victim.wait()
    culprit.wait()
    reactor.close()


def test_only_run_directories_that_brokers_have_made_are_removed(tmp_path: Path) -> None:
    told: list[Claim] = []
    for name, removed in (("mine", False), ("flux-a1B2c3", True)):
        path = tmp_path / name
        path.mkdir()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{path}/local-0")
            listener.listen()
            rundirs = BrokerRundirs(told.append)
            with subprocess.Popen(["sleep", "1000"], pass_fds=[listener.fileno()]) as broker:
                rundirs.note([broker.pid])
                broker.kill()
        assert [claim.path for claim in told] == [str(path)] * removed
        rundirs.remove()
        assert path.exists() != removed
