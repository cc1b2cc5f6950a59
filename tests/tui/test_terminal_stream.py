"""How the tty stream of a session gets into the emulator, and what is typed out of the view."""

from __future__ import annotations

import asyncio
import errno
import time
from typing import TYPE_CHECKING, Any

import pytest

from fluxstart_tui.rpc.errors import RpcError
from fluxstart_tui.session.output_reader import SpoolReader
from fluxstart_tui.tui.terminal.stream import Modes, TtyStream
from fluxstart_tui.tui.terminal.typist import Typist
from tests.tui.terminal_relay import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    made = Recording(tmp_path)
    yield made
    made.close()


def everything(stream: TtyStream, until: float | None = None) -> bytes:
    return b"".join(portion.data for portion in stream.read(10.0, until))


def test_all_is_read_in_order_and_others_are_passed_over(
    recording: Recording, tmp_path: Path
) -> None:
    for number in range(20_000):
        recording.recorder.data(0.0, 1 + number % 7, 0, b"noise of other ranks\n")
        if number in (100, 15_000, 19_999):
            recording.write(b"%d " % number)
    recording.close()
    stream = TtyStream(SpoolReader(str(tmp_path)))
    assert everything(stream) == b"100 15000 19999 "
    assert everything(stream) == b""


def test_a_replay_stops_at_its_time(recording: Recording, tmp_path: Path) -> None:
    for t in range(5):
        recording.write(b"%d" % t, float(t), apart=True)
    recording.close()
    stream = TtyStream(SpoolReader(str(tmp_path)))
    assert everything(stream, 1.5) == b"01"
    assert everything(stream, 1.6) == b""
    assert everything(stream, 9.0) == b"234"


def test_of_a_long_past_only_the_modes_are_kept(recording: Recording, tmp_path: Path) -> None:
    recording.write(b"\x1b[?1049h\x1b[?25l\x1b]2;htop\x07\x1b[?2004h\x1b[?2004l")
    for number in range(2000):
        recording.write(b"line %06d\r\n" % number, apart=True)
    recording.close()
    data = everything(TtyStream(SpoolReader(str(tmp_path)), window=1000))
    head, _, tail = data.partition(b"\n")
    assert head.startswith(b"\x1bc\x1b[?1049h\x1b[?25l\x1b]2;htop\x07\x1b[?2004l")
    assert tail.startswith(b"line 0019")
    assert tail.endswith(b"line 001999\r\n")
    assert len(tail) < 1100


def test_modes_are_found_wherever_output_is_torn() -> None:
    whole = b"x\x1b[?1049hy\x1b]0;some title\x1b\\z\x1b[?1006;1002h"
    for at in range(len(whole)):
        modes = Modes()
        modes.skim(whole[:at])
        modes.skim(whole[at:])
        assert modes.sequences() == b"\x1b[?1049h\x1b]0;some title\x1b\\\x1b[?1006;1002h"
    modes.skim(b"\x1bc")
    assert modes.sequences() == b""


def test_a_frame_takes_no_longer_than_it_may(recording: Recording, tmp_path: Path) -> None:
    for _ in range(64):
        recording.write(bytes(1 << 16), apart=True)
    recording.close()
    stream = TtyStream(SpoolReader(str(tmp_path)))
    portions = 0
    for _ in stream.read(0.005):
        time.sleep(0.002)
        portions += 1
    assert (stream.behind, portions < 20) == (True, True)
    portions += sum(1 for _ in stream.read(10.0))
    assert (stream.behind, portions) == (False, 64)


class Slow:
    """A start service that answers when it is told to."""

    def __init__(self) -> None:
        self.data: list[str] = []
        self.sizes: list[tuple[int, int]] = []
        self.open = asyncio.Event()
        self.errors: list[int] = []

    async def call(self, topic: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        assert payload is not None
        if topic == "start.resize":
            self.sizes.append((payload["cols"], payload["rows"]))
            await self.open.wait()
            return {}
        self.data.append(payload["data"])
        await self.open.wait()
        if self.errors:
            raise RpcError(self.errors.pop(0))
        return {}


def test_keys_are_gathered_while_a_call_is_under_way() -> None:
    async def main() -> None:
        service = Slow()
        troubles: list[str | None] = []
        typist = Typist(service, troubles.append)
        for character in "abc":
            typist.type(character.encode())
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert service.data == ["a"]
        service.open.set()
        await asyncio.sleep(0.01)
        assert service.data == ["a", "bc"]
        assert troubles == []

    asyncio.run(main())


def test_an_interrupt_does_not_wait_for_a_program_that_does_not_read() -> None:
    async def main() -> None:
        service = Slow()
        typist = Typist(service, lambda _: None)
        for data in (b"a", b"b", b"\x03"):
            typist.type(data)
            await asyncio.sleep(0.01)
        assert service.data == ["a", "b\x03"]
        service.errors = [errno.EINTR]
        service.open.set()
        await asyncio.sleep(0.01)
        assert service.data == ["a", "b\x03"]

    asyncio.run(main())


def test_what_waits_is_bounded_and_trouble_is_told() -> None:
    async def main() -> None:
        service = Slow()
        troubles: list[str | None] = []
        typist = Typist(service, troubles.append)
        assert typist.type(b"x" * (3 << 20))
        await asyncio.sleep(0.01)
        assert typist.type(b"x" * (1 << 20))
        assert not typist.type(b"x" * (1 << 20))
        assert troubles == ["the program does not read what is typed"]
        assert len(service.data[0]) == 64 << 10
        service.errors = [errno.EAGAIN, errno.EIO]
        service.open.set()
        await asyncio.sleep(0.2)
        assert service.data[0] == service.data[1]  # asked again
        assert len(service.data) == 2  # and given up
        assert troubles[-1] == "input failed: Input/output error"
        typist.type(b"y")
        await asyncio.sleep(0.01)
        assert troubles[-1] is None

    asyncio.run(main())


def test_of_many_sizes_the_last_one_counts() -> None:
    async def main() -> None:
        service = Slow()
        typist = Typist(service, lambda _: None)
        for columns in range(80, 100):
            typist.resize(columns, 24)
            await asyncio.sleep(0)
        service.open.set()
        await asyncio.sleep(0.01)
        assert service.sizes == [(80, 24), (99, 24)]

    asyncio.run(main())
