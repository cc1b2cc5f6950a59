"""What a broker waits for on its way out, and for how long."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, cast

from fluxstart_tui.broker import state as states
from fluxstart_tui.broker.attrs import Attributes
from fluxstart_tui.broker.departure import Departure
from fluxstart_tui.broker.log import Log
from fluxstart_tui.broker.state import StateMachine
from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import message
from tests.broker.instance import Broker, Client, Instance, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from fluxstart_tui.broker.parent import Parent


class Stubborn:
    """A parent that never answers."""

    def goodbye(self, done: Callable[[], None]) -> None:
        self.done = done


def test_a_parent_that_does_not_answer_is_left_after_a_minute(
    capfd: pytest.CaptureFixture[str],
) -> None:
    now = 0.0
    reactor = Reactor(clock=lambda: now)
    attrs = Attributes()
    attrs.set("log-stderr-mode", "local")
    log = Log(attrs, "box")
    machine = StateMachine(reactor, log, lambda _: None)
    machine.state = states.GOODBYE
    departure = Departure(reactor, log, attrs, 1, machine, str)
    departure.take_leave(cast("Parent", Stubborn()))
    now = 59.9
    reactor.run_once(0)
    assert machine.state == states.GOODBYE
    now = 60.0
    while machine.state == states.GOODBYE:
        reactor.run_once(0)
    reactor.close()
    assert machine.state == states.UNLOAD_BUILTINS
    assert capfd.readouterr().err == "<3>broker.err[box]: goodbye timeout after 60.0s\n"


def test_children_that_stay_are_left_after_the_timeout(tmp_path: Path) -> None:
    with Instance(
        tmp_path, 2, "-v", "-Sbroker.shutdown-timeout=0.1s", "-Sfault.ignore-shutdown=1", "--",
        "true",
    ) as instance:  # fmt: skip
        assert instance[0].wait() == 0
        assert re.search(
            r"<3>broker\.err\[0\]: shutdown timeout\n"
            r"<6>broker\.info\[0\]: children-complete: shutdown->finalize ",
            instance[0].stderr,
        )


def test_a_child_that_is_left_may_follow_the_log(tmp_path: Path) -> None:
    """Rank 0 ends in order though one that it gives up still listens."""
    with Instance(
        tmp_path, 2, "-Sbroker.shutdown-timeout=0.1s", "-Sfault.ignore-shutdown=1", "--", "cat",
        stdin=subprocess.PIPE,
    ) as instance, Client(instance.rundir / "local-1") as client:  # fmt: skip
        until(lambda: not client.ask("state-machine.wait").errnum, "rank 1 to run")
        client.send("log.dmesg", '{"follow":true,"nobacklog":true}', message.STREAMING, 0)
        client.ask("log.stats-get", None, 0)
        stdin = instance[0].process.stdin
        assert stdin is not None
        stdin.close()
        assert instance[0].wait() == 0
        assert "Traceback" not in instance[0].stderr


def test_the_timeout_is_told_of_though_it_is_rc3_that_takes_long(tmp_path: Path) -> None:
    """As with flux-broker, which does not stop that timer."""
    broker = Broker(
        tmp_path,
        ["-vv", "-Sbroker.shutdown-timeout=0s", "-Sbroker.rc3_path=sleep 0.2; exit 4", "true"],
    )
    assert broker.wait() == 4
    assert "children-none: shutdown->finalize" in broker.stderr
    assert "<3>broker.err[0]: shutdown timeout\n" in broker.stderr
    assert "<7>broker.debug[0]: children-complete: ignored in finalize\n" in broker.stderr
