"""A few instances of the soak test, which is run by hand, and the rules by which it judges."""

from __future__ import annotations

import signal

import pytest

from tests.soak import instance
from tests.soak.plan import Plan, make, may_end

CALM = Plan(0, "record", 3, "exit 3", "", "", signal.SIGTERM, 0.0, True)


@pytest.mark.parametrize(
    "plan",
    [
        CALM._replace(mode="headless", whom="engine", program="sleep 99", delay=0.1),
        CALM._replace(fault="barrier1=1:exit=0", whom="group", signum=signal.SIGKILL, delay=0.1),
        CALM._replace(whom="guardian", signum=signal.SIGKILL, delay=0.1),
        CALM._replace(mode="ui", whom="ui", program="sleep 99", delay=0.1),
    ],
)
def test_a_few(plan: Plan) -> None:
    if plan.mode == "ui":
        pytest.importorskip("pyghostty", reason="there is no emulator to look at a terminal with")
    instance.run(plan)


def test_a_seed_makes_the_same_again() -> None:
    plans = [make(seed, 4) for seed in range(500)]
    assert plans == [make(seed, 4) for seed in range(500)]
    assert max(one.size for one in plans) == 6  # the tasks of a launcher
    assert {one.whom for one in plans} >= {"engine", "group", "ui", "guardian", "broker", "reader"}


@pytest.mark.parametrize(
    ("plan", "asked", "codes"),
    [
        (CALM, (), {3}),
        (CALM, (signal.SIGHUP,), {3, 129, -1}),
        (CALM, (signal.SIGKILL, signal.SIGTERM), {3, 137, 143, -9, -15}),
        (CALM._replace(mode="singleton"), (signal.SIGTERM,), {1, 3, 129, 137, 143, -15}),
        (CALM._replace(whom="broker", signum=signal.SIGSTOP), (), {3}),
        (CALM._replace(fault="init=0:exit=7"), (), set(range(256))),
    ],
)
def test_codes(plan: Plan, asked: tuple[int, ...], codes: set[int]) -> None:
    assert {code for code in range(-64, 256) if may_end(plan, code, asked)} == codes
