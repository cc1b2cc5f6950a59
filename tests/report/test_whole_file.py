"""A report is written whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.report import whole_file

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_there_stays_until_all_is_written(tmp_path: Path) -> None:
    """A check leaves nothing; a link keeps its target; a failure keeps what was there."""
    target, link = tmp_path / "r.xml", tmp_path / "link"
    whole_file.check(str(target))
    assert list(tmp_path.iterdir()) == []
    link.symlink_to(target)
    whole_file.write(str(link), "old")
    assert (target.read_text(), link.is_symlink()) == ("old", True)
    with pytest.raises(UnicodeEncodeError):
        whole_file.write(str(target), "\udcff")
    assert sorted(os.listdir(tmp_path)) == ["link", "r.xml"]
    assert target.read_text() == "old"


def test_what_can_not_be_written_is_known_before(tmp_path: Path) -> None:
    """A directory, or a place that is none; a device is taken as it is."""
    for path in (tmp_path, tmp_path / "nowhere" / "r.xml"):
        with pytest.raises(OSError, match=r"."):
            whole_file.check(str(path))
    whole_file.check("/dev/null")
    whole_file.write("/dev/null", "text")
