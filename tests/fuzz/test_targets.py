"""What fuzzing begins with, and what it has found, does no harm; the rest is run by hand."""

from __future__ import annotations

import pytest

from tests.fuzz.targets import ALL


@pytest.mark.parametrize("name", ALL)
def test_seeds(name: str) -> None:
    for seed in ALL[name].seeds():
        ALL[name].feed(seed)
