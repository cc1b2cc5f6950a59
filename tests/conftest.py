"""Fixtures that all tests share."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests import support

if TYPE_CHECKING:
    from collections.abc import Iterator


# A machine that has other things to do is no failure. What CI says of a commit must not depend on
# luck; new examples are looked for by hand.
settings.register_profile("unhurried", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("unhurried")

# With it, Python writes a line in two pieces, and those of several ranks mix.
os.environ.pop("PYTHONUNBUFFERED", None)


@pytest.fixture
def scene() -> Iterator[Path]:
    """Give a directory to run in, and fail the test if it leaves a process or a rundir there.

    pytest's own temporary directories have names that are too long for a rundir.
    """
    with tempfile.TemporaryDirectory(prefix="fs-") as name:
        yield Path(name)
        support.assert_nothing_left(Path(name))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, saying so, what needs programs that are not there."""
    missing = [
        ("real_flux", "flux", "there is no flux on PATH"),
        ("real_slurm", "srun", "there is no srun on PATH"),
    ]
    for marker, program, reason in missing:
        if shutil.which(program) is None:
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=reason))
