"""The embedded broker behaves as the real one does, but for what is listed here.

What the real one does is recorded (`python -m tests.record_differential`), so that the embedded
one is held to it where there is no Flux, too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.observe import observe
from tests.record_differential import DATA
from tests.scenarios import SCENARIOS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.observe import Observation

RECORDED: dict[str, Observation] = json.loads(DATA.read_text())

DIFFERENCES: dict[str, dict[str, str]] = {
    "level 7": {"broker 0": "It has no modules, so none is loaded or unloaded."},
}
"""Why the embedded broker differs, by scenario and by what differs."""


def different(one: Observation, other: Observation) -> dict[str, tuple[list[str], list[str]]]:
    return {
        name: (one.get(name, []), other.get(name, []))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    }


def test_all_scenarios_are_recorded() -> None:
    """Nothing is compared with nothing, and nothing is recorded in vain."""
    assert RECORDED.keys() == SCENARIOS.keys()
    assert DIFFERENCES.keys() <= SCENARIOS.keys()


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_embedded_broker_does_what_is_recorded(scene: Path, name: str) -> None:
    """It does so in all that is seen of it; a difference that is listed has to be there."""
    found = different(RECORDED[name], observe(scene, "embedded", SCENARIOS[name]))
    expected = DIFFERENCES.get(name, {})
    assert {key: value for key, value in found.items() if key not in expected} == {}
    assert sorted(found) == sorted(expected)


@pytest.mark.real_flux
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_real_broker_does_what_is_recorded(scene: Path, name: str) -> None:
    """The record is true."""
    assert different(RECORDED[name], observe(scene, "flux", SCENARIOS[name])) == {}
