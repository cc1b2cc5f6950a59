"""Writing without waiting."""

from __future__ import annotations

import errno
import os
import time

from fluxstart_tui.engine.errors import Messages
from fluxstart_tui.engine.output import Output
from tests import support


def test_short_text_is_written_at_once() -> None:
    """What fits is there when `write` returns, without a thread."""
    reader, writer = os.pipe()
    output = Output(writer)
    output.write(b"hello ", memoryview(b"world"))
    assert os.read(reader, 99) == b"hello world"
    assert output.backlog == 0
    os.close(reader)
    os.close(writer)


def test_a_full_pipe_does_not_block() -> None:
    """More than a pipe holds is taken at once and arrives whole and in order when it is read."""
    reader, writer = os.pipe()
    woken: list[float] = []
    output = Output(writer, lambda: woken.append(time.monotonic()))
    pieces = [bytes([65 + n % 26]) * 5000 for n in range(600)]
    started = time.monotonic()
    for piece in pieces:
        output.write(piece)
    assert time.monotonic() - started < 2
    assert output.backlog > 1 << 20
    data = b""
    while len(data) < 5000 * 600:
        data += os.read(reader, 65536)
    assert data == b"".join(pieces)
    output.close()
    assert output.backlog == 0
    assert woken
    os.close(reader)
    os.close(writer)


def test_a_reader_that_is_gone() -> None:
    """The error is kept, what comes later is dropped, and nothing raises."""
    reader, writer = os.pipe()
    os.close(reader)
    output = Output(writer)
    output.write(b"x")
    output.write(b"y" * 100000)
    support.wait_for(lambda: output.error == errno.EPIPE, "the error")
    assert output.reader_gone
    output.close()
    os.close(writer)


def test_a_full_device() -> None:
    """A device without space is an error, but not a reader that went away."""
    full = os.open("/dev/full", os.O_WRONLY)
    output = Output(full)
    output.write(b"x" * 10000)
    output.close()
    assert output.error == errno.ENOSPC
    assert not output.reader_gone
    assert output.backlog == 0
    os.close(full)


def test_a_descriptor_that_somebody_made_non_blocking() -> None:
    """EAGAIN is waited out."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    output = Output(writer)
    output.write(b"z" * 300000)
    assert output.backlog
    data = b""
    while len(data) < 300000:
        data += os.read(reader, 65536)
    output.close()
    assert data == b"z" * 300000
    os.close(reader)
    os.close(writer)


def test_a_status_is_taken_away_and_never_put_behind_half_a_line() -> None:
    """What others have written stays as it is, and messages of ours begin a line."""
    reader, writer = os.pipe()
    output = Output(writer)
    messages = Messages("prog", output)
    output.status(b"phase 1")
    output.status(b"phase 1")
    output.write(b"half a ")
    output.status(b"phase 2")
    output.write(b"line\n")
    output.status(b"phase 3")
    output.write(b"half")
    messages.say("said")
    output.status(b"")
    erase = b"\r\x1b[K"
    assert os.read(reader, 999) == (
        erase + b"phase 1" + erase + b"half a line\n" + erase + b"phase 3" + erase
        + b"half\nprog: said\n"
    )  # fmt: skip
    os.close(reader)
    os.close(writer)
