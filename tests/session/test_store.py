"""Where sessions live and which of them stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fluxstart_tui.session import events, home, store
from fluxstart_tui.session.recorder import Recorder


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLUXSTART_TUI_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def made(root: Path, number: int, code: int | None = 0, output: int = 0) -> str:
    """Make a session that ended with `code`."""
    path = home.create(str(root / home.new_name(number * 1e6, "host", number)))
    recorder = Recorder(path, {"number": number}, limit=1 << 30)
    recorder.data(0.0, 0, 0, b"x" * output)
    if code is not None:
        recorder.event(1.0, events.End(code))
    recorder.close()
    return os.path.basename(path)


def test_the_root_follows_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own variable, the XDG one if it is absolute, the home directory."""
    assert home.root() == str(root)
    monkeypatch.delenv("FLUXSTART_TUI_STATE")
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert home.root() == "/state/fluxstart-tui/sessions"
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", value)
        assert home.root() == "/home/me/.local/state/fluxstart-tui/sessions"


def test_names_sort_by_time() -> None:
    """A name says when, where and who; a host's name can not lead elsewhere."""
    assert home.new_name(0.0, "host-1.org", 42) == "19700101-000000-host-1.org-42"
    assert home.new_name(1e9, "a/../b", 1) == "20010909-014640-a_.._b-1"


def test_a_directory_is_made_unless_there_is_something_in_it(root: Path, tmp_path: Path) -> None:
    """An empty one that is there is taken, too."""
    first = home.create()
    assert os.path.dirname(first) == str(root)
    assert os.stat(first).st_mode & 0o777 == 0o700
    (tmp_path / "empty").mkdir()
    assert home.create(str(tmp_path / "empty")) == str(tmp_path / "empty")
    Path(first, "file").touch()
    for path in (first, str(tmp_path / "empty" / "x" / ".." / "..")):
        with pytest.raises(OSError, match="not empty"):
            home.create(path)
    with pytest.raises(OSError, match="Not a directory"):
        home.create(os.path.join(first, "file"))


def test_the_list_has_the_newest_first(root: Path) -> None:
    """With header, whether it lives and how it ended; what is no session is not listed."""
    assert store.listing() == []
    assert store.last() is None
    names = [made(root, 1, 3), made(root, 2, None)]
    live = home.create(str(root / home.new_name(9e6, "host", 9)))
    recorder = Recorder(live, {}, limit=1)
    (root / "20200101-000000-host-1").mkdir()
    (root / "other").mkdir()
    (root / "20200101-000000-host-2").symlink_to(live)
    found = [(one.name, one.header, one.live, one.code) for one in store.listing()]
    assert found == [
        (os.path.basename(live), {}, True, None),
        (names[1], {"number": 2}, False, None),
        (names[0], {"number": 1}, False, 3),
    ]
    assert store.last() == store.last(live=True) == live
    recorder.close()
    assert store.last(live=True) is None


def test_old_sessions_go_but_neither_live_ones_nor_what_is_not_ours(root: Path) -> None:
    """As many and as large as may stay stay, the newest always."""
    first = home.create(str(root / home.new_name(0.0, "host", 1)))
    recorder = Recorder(first, {}, limit=1)
    names = [made(root, number, output=100_000) for number in range(1, 6)]
    (root / "other").mkdir()
    (root / names[1] / "notes").write_text("mine")
    assert store.retain(10, 1 << 40) == []
    assert store.retain(10, 250_000) == [names[2], names[0]]
    assert store.retain(0, 0) == [names[3]]
    left = {os.path.basename(first), "other", names[1], names[4]}
    assert set(os.listdir(root)) == left
    assert os.listdir(root / names[1]) == ["notes"]
    recorder.close()
    assert store.retain(1, 1 << 40) == [os.path.basename(first)]
    assert recorder.error is None
