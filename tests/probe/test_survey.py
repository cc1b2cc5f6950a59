"""A launch as it is at one moment, which may be an odd one."""

from __future__ import annotations

import os

import pytest

from fluxstart_tui.probe import broker, survey
from fluxstart_tui.probe.family import Family, Task


@pytest.mark.parametrize(("then", "told"), [("S", "S"), ("D", "D")])
def test_who_waits_for_a_device_for_a_moment_is_not_caught(
    then: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All do so while they start: only who is still there at a second look hangs."""
    states = ["D", then]
    seen = broker.look(os.getpid())._replace(listens="")
    monkeypatch.setattr(broker, "look", lambda _: seen._replace(state=states.pop(0)))
    task = Task(os.getpid(), 0, 0, is_broker=True, start=0.0)
    found = survey.survey(Family((task,), 1, whole=True, launcher="", command=()))
    assert found.looks[0].state == told
