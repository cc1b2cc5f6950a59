"""Fixtures that all tests share."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import support

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def scene() -> Iterator[Path]:
    """Give a directory to run in, and fail the test if it leaves a process or a rundir there.

    pytest's own temporary directories have names that are too long for a rundir.
    """
    with tempfile.TemporaryDirectory(prefix="fs-") as name:
        yield Path(name)
        support.assert_nothing_left(Path(name))
