"""Instances of embedded and of real brokers that run until they are told to end."""

from __future__ import annotations

import json
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fluxstart_tui.rfc import message
from tests.broker.instance import PATIENCE, Client, Instance, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

KINDS = ["embedded", pytest.param("real", marks=pytest.mark.real_flux)]
SIZE = 3
WORDS = ("-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "-Shostname=box", "-Stbon.topo=kary:1")


class Running:
    """An instance that runs: ranks 0, 1 and 2, each the parent of the next.

    Args:
        rundir: its run directory.
        size: number of brokers.
        stop: ends it and waits.
    """

    def __init__(self, rundir: Path, size: int, stop: Callable[[], None]) -> None:
        self.rundir = rundir
        self._size = size
        self.stop = stop

    def client(self, rank: int = 0) -> Client:
        """Connect to a broker, once all run."""
        client = Client(self.rundir / f"local-{rank}")

        def all_run() -> bool:
            asked = range(self._size)
            return all(client.ask("state-machine.wait", None, one).errnum == 0 for one in asked)

        until(all_run, "brokers that run")
        return client


@contextmanager
def running(kind: str, *words: str, size: int = SIZE) -> Iterator[Running]:
    """Give an instance of a kind, with options of its brokers."""
    with tempfile.TemporaryDirectory(prefix="fs-") as name:
        folder = Path(name)
        if kind == "embedded":
            options = (*WORDS, *words, "--", "cat")
            with Instance(folder, size, *options, stdin=subprocess.PIPE) as instance:
                stdin = instance[0].process.stdin
                assert stdin is not None

                def end() -> None:
                    stdin.close()
                    instance.wait()

                yield Running(instance.rundir, size, end)
            return
        rundir = folder / "run"
        rundir.mkdir(mode=0o700)
        command = ["flux", "start", f"-s{size}", f"--test-rundir={rundir}", *WORDS, *words, "cat"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:

            def finish() -> None:
                assert process.stdin is not None
                process.stdin.close()
                process.wait(PATIENCE)

            try:
                yield Running(rundir, size, finish)
            finally:
                finish()


def content(answer: message.Message) -> Any:
    """Return what an answer says: its object, its text, or its errno and text."""
    text = answer.text
    if answer.errnum:
        return (answer.errnum, text)
    return None if text is None else json.loads(text)


def plain(value: Any) -> Any:
    """Return a value without what differs from run to run: durations and times."""
    if isinstance(value, float):
        return 0.5
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def records(client: Client, nodeid: int, *, count: int | None = None) -> Sequence[bytes]:
    """Return what log.dmesg has, or so many records of it."""
    found: list[bytes] = []
    client.send("log.dmesg", '{"follow":false}', message.STREAMING, nodeid)
    while (answer := client.receive()).errnum == 0 and len(found) != count:
        found.append((answer.payload or b"").rstrip(b"\0"))
    return found
