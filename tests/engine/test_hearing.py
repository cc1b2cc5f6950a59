"""Whose log records are taken for whose."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from fluxstart_tui.engine.hearing import Hearing
from fluxstart_tui.engine.record import Record
from fluxstart_tui.rfc import message
from fluxstart_tui.session import events

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 8


def step(rank: str) -> bytes:
    """Return a record of a transition of a rank."""
    return f"<48>1 - {rank} broker 1 - - rc1-none: init->quorum 1ms".encode()


def hearing(record: Record, *, logged: bool) -> Hearing:
    """Make one that can ask nobody else."""
    return Hearing(record, SIZE, lambda _s, _c: None, lambda _ranks: None, logged=logged)  # type: ignore[arg-type, return-value]


def ranks(record: Record) -> list[int]:
    """Return who has entered a state, in order."""
    return [event.rank for _, event in record.events if isinstance(event, events.State)]


def test_what_a_rank_has_of_another_one_is_not_its_own(tmp_path: Path) -> None:
    """That one's log has it: rank 0's holds what others forward to it."""
    path = str(tmp_path / "local-6")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        record = Record(time.monotonic)
        ours = hearing(record, logged=True)
        tap = ours.connect(6, path)
        assert tap is not None
        client, _ = server.accept()
        with client:
            asked = message.request("log.dmesg", matchtag=1, flags=message.STREAMING)
            asked.routes = []
            sent = b"\0"
            for rank in ("7", "6", "66", "0"):
                sent += message.encode_framed(message.response(asked, step(rank) + b"\0"))
            client.sendall(sent)
            ours.read(tap)
        ours.drop(tap)
    assert ranks(record) == [6]


def test_a_shared_log_has_records_of_all_ranks() -> None:
    """What names none of them is nobody's."""
    record = Record(time.monotonic)
    lines = [step("7"), b"", step("6")[:-60], step("8"), step("-1"), step("x"), step("6")]
    hearing(record, logged=False).take(lines)
    assert ranks(record) == [7, 6]
