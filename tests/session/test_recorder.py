"""Writing a session: all of it is there, and no disk holds up who records."""

from __future__ import annotations

import _thread
import errno
import fcntl
import json
import os
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.session import events, memory, state
from fluxstart_tui.session.output_reader import SpoolReader
from fluxstart_tui.session.reader import Session
from fluxstart_tui.session.recorder import Recorder
from tests import support
from tests.session import strategies

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = {"version": 1, "size": 4}
DATA = st.tuples(strategies.TIMES, st.integers(0, 3), st.integers(0, 5), st.binary(max_size=50))


def recorder(
    directory: Path | str, *, limit: int = 1 << 30, backlog_max: int = 64 << 20
) -> Recorder:
    return Recorder(str(directory), HEADER, limit=limit, backlog_max=backlog_max)


def descriptor(name: str) -> int:
    """Find our descriptor of a file of this name."""
    for fd in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").endswith(f"/{name}"):
                return int(fd)
        except OSError:
            continue
    raise AssertionError(f"{name} is not open")


@settings(max_examples=30)
@given(st.lists(strategies.TIMED | DATA, max_size=30))
def test_what_is_recorded_can_be_read(items: list[tuple[object, ...]]) -> None:
    """Header, events, their sum and all output come back."""
    with tempfile.TemporaryDirectory() as directory:
        ours = recorder(directory)
        for item in items:
            if len(item) == 2:
                ours.event(*item)  # type: ignore[arg-type]
            else:
                ours.data(*item)  # type: ignore[arg-type]
        ours.close()
        assert ours.error is None
        session = Session(directory)
        timed = [item for item in items if len(item) == 2]
        assert session.header == HEADER
        assert list(session.events()) == timed
        assert session.state == state.replay(timed, 4)  # type: ignore[arg-type]
        output = [item for item in items if len(item) == 4]
        for rank in range(4):
            for stream in range(6):
                whole = b"".join(i[3] for i in output if i[1:3] == (rank, stream))  # type: ignore[misc]
                chunks = session.output.chunks(ranks={rank}, streams={stream})
                assert b"".join(chunk.data for chunk in chunks) == whole
        assert ours.position == (
            os.path.getsize(os.path.join(directory, "events.jsonl")),
            *session.output.end[:2],
        )
        session.close()


def test_what_is_put_before_the_writing_begins_takes_nobodys_place(tmp_path: Path) -> None:
    """However much it is, it is written, and so is what comes afterwards."""
    directory = str(tmp_path)
    ours = Recorder(directory, HEADER, limit=1 << 30, backlog_max=1 << 20, at_once=False)
    for number in range(40):
        ours.put((number / 1000, 1, 3, b"x" * 65536))
    ours.data(0.05, 1, 0, b"before\n")
    ours.begin()
    ours.data(0.06, 0, 0, b"after\n")
    ours.put((0.07, 1, 4, b"y"))
    ours.close()
    ours.put((0.08, 1, 4, b"late"))
    session = Session(directory)
    assert list(session.events()) == []  # nothing was lost
    data = b"".join(chunk.data for chunk in session.output.chunks())
    assert data == b"x" * 65536 * 40 + b"before\nafter\ny"


def test_what_waits_is_written_when_the_writing_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a pause later, when brokers may already end."""
    monkeypatch.setattr("fluxstart_tui.session.recorder._REST", 3600.0)
    ours = Recorder(str(tmp_path), HEADER, limit=1 << 20, at_once=False)
    output = tmp_path / "output.000"
    ours.put((0.0, 1, 3, b"early"))
    assert output.read_bytes() == b""
    ours.begin()
    support.wait_for(lambda: output.read_bytes() == b"early", "what waited")
    ours.close()


def test_a_session_is_private_and_locked_while_it_is_recorded(tmp_path: Path) -> None:
    """Directory 0700, files 0600; the lock is ours alone and ends with the recording."""
    tmp_path.chmod(0o755)
    ours = recorder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert json.loads((tmp_path / "session.json").read_text()) == HEADER
    session = Session(str(tmp_path))
    assert session.live
    lock = descriptor("lock")
    assert fcntl.fcntl(lock, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    # As a child of ours has it until its exec(2) is done with.
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[lock]) as child:
        ours.close()
        ours.close()
        ours.event(0.0, events.Message("late"))
        ours.data(0.0, 0, 0, b"late")
        assert not Session(str(tmp_path)).live
        assert session.poll() == []
        child.communicate()


def test_a_lock_that_can_not_be_released_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is gone: the session is written, nothing is left open."""
    ours = recorder(tmp_path)
    lock = descriptor("lock")

    def fail(_fd: int, _operation: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", fail)
    ours.close()
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(lock)


def test_a_second_recorder_does_not_touch_a_session(tmp_path: Path) -> None:
    """Where there is a session already, nothing is recorded and nothing is spoilt."""
    first = recorder(tmp_path)
    second = recorder(tmp_path)
    assert second.error == os.strerror(errno.EEXIST)
    second.event(0.0, events.Message("second"))
    second.data(0.0, 0, 0, b"second")
    second.close()
    first.event(0.0, events.Message("first"))
    first.close()
    third = recorder(tmp_path)
    assert third.error is not None
    assert Session(str(tmp_path)).poll() == [(0.0, events.Message("first"))]
    assert recorder(tmp_path / "none").error == os.strerror(errno.ENOENT)


def test_readers_are_told_and_see_what_they_are_told_of(tmp_path: Path) -> None:
    """`grown` is called when something can be read; the position never says too much."""
    grown = threading.Event()
    ours = Recorder(str(tmp_path), HEADER, limit=1 << 30, grown=grown.set)
    ours.followed = True
    session = Session(str(tmp_path))
    follower = session.output.follow()
    for number in range(20):
        ours.data(float(number), 1, 0, b"%d\n" % number)
        ours.event(float(number), events.Message(str(number)))
        while (found := session.poll()) == []:
            assert grown.wait(support.PATIENCE)
            grown.clear()
        assert found == [(float(number), events.Message(str(number)))]
        assert b"".join(chunk.data for chunk in follower.poll()) == b"%d\n" % number
        size, segment, records = ours.position
        assert size <= (tmp_path / "events.jsonl").stat().st_size
        assert (segment, records) <= session.output.end[:2]
    ours.close()


def test_without_a_thread_nothing_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`error` says so, and the session is not live."""

    def fail(_function: object, _arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", fail)
    ours = recorder(tmp_path)
    assert ours.error == "can't start new thread"
    ours.event(0.0, events.Message("no"))
    ours.data(0.0, 0, 0, b"no")
    ours.close()
    assert not Session(str(tmp_path)).live


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_ends_the_recording_and_nothing_else(small_disk: Path) -> None:
    """What fitted is there, `error` says why, views see all the rest, whoever writes nothing."""
    session_dir = small_disk / "session"
    session_dir.mkdir()
    ours = recorder(session_dir)
    early = Session(str(session_dir))
    lines = [b"%0*d\n" % (99, number) for number in range(30_000)]
    for number, line in enumerate(lines):
        ours.data(float(number), number % 4, 0, line)
        if number % 100 == 0:
            ours.event(float(number), events.Barrier(number))
    ours.close()
    assert ours.error == os.strerror(errno.ENOSPC)

    kept = b"".join(chunk.data for chunk in SpoolReader(str(session_dir)).chunks())
    assert 0 < len(kept) < 30_000 * 100
    assert b"".join(lines).startswith(kept)
    written = (session_dir / "events.jsonl").read_text().splitlines()
    timed = [event for event in map(events.decode, written) if event is not None]
    # The loss may still fit, if it is output that does not.
    fitting = [event for _, event in timed if isinstance(event, events.Lost)]
    assert {(loss.what, loss.reason) for loss in fitting} <= {("stdout", "disk")}
    barriers = [event for event in timed if not isinstance(event[1], events.Lost)]
    assert barriers == [(100.0 * n, events.Barrier(100 * n)) for n in range(len(barriers))]

    for session in (early, Session(str(session_dir))):
        assert b"".join(chunk.data for chunk in session.output.chunks()) == b"".join(lines)
        seen = [event for _, event in session.poll()]
        lost = [event for event in seen if isinstance(event, events.Lost)]
        assert [event for event in seen if not isinstance(event, events.Lost)] == [
            events.Barrier(100 * number) for number in range(300)
        ]
        assert sum(event.bytes for event in lost if event.what == "stdout") == 30_000 * 100 - len(
            kept
        )
    full = recorder(Path(small_disk))
    assert full.error in {None, os.strerror(errno.ENOSPC)}
    full.close()


def test_the_newest_is_seen_when_the_disk_takes_no_more(tmp_path: Path) -> None:
    """Views follow into memory, of which little is used."""
    ours = recorder(tmp_path)
    session = Session(str(tmp_path))
    follower = session.output.follow()
    full = os.open("/dev/full", os.O_WRONLY)
    for name in ("output.000", "events.jsonl"):
        os.dup2(full, descriptor(name))
    os.close(full)
    big = b"x" * (memory.SEGMENT // 2 - 10)
    for number in range(20):
        ours.data(float(number), 1, 2, b"%02d" % number + big)
        ours.event(float(number), events.Message(f"{number:02d}" + "m" * (memory.SEGMENT // 4)))
        seen = b""
        while len(seen) < 2 + len(big):
            seen += b"".join(chunk.data for chunk in follower.poll())
        assert seen[:2] == b"%02d" % number
    ours.close()
    late = Session(str(tmp_path))
    for view in (session, late):
        texts = [event.text[:2] for _, event in view.poll() if isinstance(event, events.Message)]
        assert texts[-1] == "19"
        numbers = [chunk.data[:2] for chunk in view.output.chunks() if len(chunk.data) > 9]
        assert b"19" in numbers
        assert len(view.output.numbers()) <= 4


@pytest.mark.parametrize("text", ["", "1", "x y", "1 -1", "999999999999999 1", "1 2 " * 9999, "\0"])
def test_a_lock_file_may_hold_anything(tmp_path: Path, text: str) -> None:
    """What is no place of a recorder is not looked at."""
    recorder(tmp_path).close()
    (tmp_path / "lock").write_text(text)
    session = Session(str(tmp_path))
    assert session.poll() == []
    assert session.output.numbers() == [0]


def test_a_spool_that_fails_leaves_the_journal_and_is_told_of_there(tmp_path: Path) -> None:
    """Events go on; the journal says what output is missing, at once and in the end."""
    ours = recorder(tmp_path)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, descriptor("output.000"))
    session = Session(str(tmp_path))
    ours.data(1.0, 3, 1, b"12345")
    support.wait_for(lambda: ours.error is not None, "an error")
    support.wait_for(lambda: len(list(session.events())) > 0, "an event")
    ours.event(2.0, events.Message("on"))
    ours.data(3.0, 0, 0, b"12")
    ours.data(3.0, 1, 0, b"3")
    ours.close()
    os.close(full)
    assert ours.error == os.strerror(errno.ENOSPC)
    assert session.poll() == [
        (1.0, events.Lost("stderr", "3", 5, "disk")),
        (2.0, events.Message("on")),
        (3.0, events.Lost("stdout", "0-1", 3, "disk")),
    ]
    assert [chunk.data for chunk in session.output.chunks()] == [b"12345", b"12", b"3"]
    assert list(SpoolReader(str(tmp_path)).chunks()) == []


def test_a_journal_that_fails_leaves_the_spool(tmp_path: Path) -> None:
    """Output goes on, and views see events all the same."""
    ours = recorder(tmp_path)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, descriptor("events.jsonl"))
    ours.event(1.0, events.Message("first"))
    support.wait_for(lambda: ours.error is not None, "an error")
    ours.event(2.0, events.Message("second"))
    ours.data(3.0, 0, 0, b"kept")
    ours.close()
    os.close(full)
    session = Session(str(tmp_path))
    assert [chunk.data for chunk in SpoolReader(str(tmp_path)).chunks()] == [b"kept"]
    assert [event for _, event in session.poll()] == [
        events.Message("first"),
        events.Lost("journal", "", len(events.encode(1.0, events.Message("first"))), "disk"),
        events.Message("second"),
    ]
    assert (tmp_path / "events.jsonl").read_text() == ""


def hang(name: str) -> int:
    """Make writes to a file of ours hang; return what must be read for them to go on."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    try:
        while True:
            os.write(theirs, b"\0" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(theirs, True)
    os.dup2(theirs, descriptor(name))
    os.close(theirs)
    return ours


def test_a_hung_disk_holds_up_nobody_and_memory_stays_bounded(tmp_path: Path) -> None:
    """Output beyond the backlog is dropped, events never; what was dropped is told of later."""
    ours = recorder(tmp_path, backlog_max=100_000)
    pipe = hang("output.000")
    for number in range(1000):
        ours.data(1.0, number % 2, 0, b"x" * 1000)
        ours.event(1.0, events.Barrier(number))
    drain = threading.Thread(target=lambda: list(iter(lambda: os.read(pipe, 1 << 16), b"")))
    drain.start()  # the disk answers again
    support.wait_for(lambda: ours._taken == ours._added, "all that was kept to be written")
    ours.data(2.0, 0, 0, b"again")
    ours.close(support.PATIENCE)
    drain.join()
    os.close(pipe)
    assert ours.error is None
    timed = [event for _, event in Session(str(tmp_path)).events()]
    barriers = [event for event in timed if isinstance(event, events.Barrier)]
    lost = [event for event in timed if isinstance(event, events.Lost)]
    assert barriers == [events.Barrier(number) for number in range(1000)]
    assert {(loss.what, loss.ranks, loss.reason) for loss in lost} == {("stdout", "0-1", "speed")}
    assert len(lost) == 1
    kept = os.path.getsize(tmp_path / "output.000.idx")
    assert kept
    assert 850_000 < lost[0].bytes < 1_000_000


def test_close_leaves_a_hung_disk_alone(tmp_path: Path) -> None:
    """It returns, saying so, and nothing but the write that hangs is done afterwards."""
    ours = recorder(tmp_path)
    pipe = hang("output.000")
    ours.data(1.0, 0, 0, b"first")
    support.wait_for(lambda: not ours._queue, "the write to begin")
    ours.event(2.0, events.Message("never"))
    done = ours._done
    assert done is not None
    ours.close(0.01)
    assert ours.error == "the disk does not answer"
    while not done.acquire(timeout=0.01):
        os.read(pipe, 1 << 16)
    os.close(pipe)
    assert Session(str(tmp_path)).poll() == []


def test_the_limit_is_told_of_in_the_journal(tmp_path: Path) -> None:
    """What had to be deleted is an event."""
    ours = recorder(tmp_path, limit=4000)
    for number in range(100):
        ours.data(float(number), 2, 1, b"x" * 99 + b"\n")
    ours.close()
    session = Session(str(tmp_path))
    kept = sum(len(chunk.data) for chunk in session.output.chunks())
    lost = [event for _, event in session.poll() if isinstance(event, events.Lost)]
    assert kept + sum(loss.bytes for loss in lost) == 10_000
    assert {loss[:2] + loss[3:] for loss in lost} == {("stderr", "2", "limit")}
