"""The log that embedded brokers share."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.engine.shared_log import SharedLog

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITER = """
import os, sys
fd, name = int(sys.argv[1]), sys.argv[2].encode()
for number in range(2000): os.write(fd, name * (number % 90) + b" %d\\n" % number)
"""


@pytest.fixture
def log() -> Iterator[SharedLog]:
    """A log that nobody has written to."""
    log = SharedLog()
    yield log
    log.close()


def test_lines_are_read_once_and_whole(log: SharedLog) -> None:
    assert log.read() == []
    os.write(log.fd, b"one\ntwo\nthr")
    assert log.read() == [b"one", b"two"]
    assert log.read() == []
    os.write(log.fd, b"ee\n")
    assert log.read() == [b"three"]


def test_writers_do_not_disturb_each_other(log: SharedLog) -> None:
    """Processes that append at the same time lose nothing, and mix nothing."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-IS", "-c", WRITER, str(log.fd), name], pass_fds=[log.fd]
        )
        for name in "abcd"
    ]
    lines: list[bytes] = []
    while any(writer.poll() is None for writer in writers):
        lines += log.read()
    lines += log.read()
    for name in b"abcd":
        theirs = [bytes([name]) * (number % 90) + b" %d" % number for number in range(2000)]
        mine = [line for line in lines if int(line.rpartition(b" ")[2]) % 90 and line[0] == name]
        assert mine == [line for line in theirs if line[0] == name]
    assert len(lines) == 8000


def test_memory_of_what_was_read_is_given_back(log: SharedLog) -> None:
    """However long the log gets, and nothing that comes afterwards is lost."""
    block = (b"x" * 99 + b"\n") * 10000
    for _ in range(40):
        os.write(log.fd, block)
        assert len(log.read()) == 10000
    status = os.fstat(log.fd)
    assert status.st_size == 40 * len(block)
    assert status.st_blocks * 512 < 20 << 20
    os.write(log.fd, b"last\n")
    assert log.read() == [b"last"]


def test_memory_that_can_not_be_given_back_is_kept(
    log: SharedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(mmap, "mmap", fail)
    block = (b"x" * 99 + b"\n") * 200000
    os.write(log.fd, block)
    assert len(log.read()) == 200000  # however much has come
    os.write(log.fd, b"last\n")
    assert log.read() == [b"last"]
