"""Runs embedded brokers as real processes, with a PMI server of ours over socketpairs."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from fluxstart_tui.rfc import message, pmi1

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

BROKER = [
    sys.executable,
    "-I",
    "-S",
    str(Path(__file__).parents[2] / "fluxstart_tui" / "broker" / "__main__.py"),
]
PATIENCE = 20.0
"""Seconds after which something is not going to happen."""


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"timed out: {what}"
        time.sleep(0.005)


class PmiServer:
    """Serves some clients in a thread, and remembers what they asked."""

    def __init__(self, size: int, preset: Mapping[str, str] | None = None) -> None:
        if preset is None:
            preset = {"PMI_process_mapping": f"(vector,(0,1,{size}))"}
        self.requests: list[list[bytes]] = [[] for _ in range(size)]
        self._server = pmi1.Server(size, preset.items(), self, self._trace)
        pairs = [socket.socketpair() for _ in range(size)]
        self._sockets = [ours for ours, _ in pairs]
        self.theirs = [theirs for _, theirs in pairs]
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Vanish: clients see the end of their connections."""
        self._stop.close()
        self._thread.join()

    def kvs(self, key: str) -> bytes | None:
        """Return what was put."""
        return self._server.kvs.get(key.encode())

    def reply(self, client: int, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._sockets[client].sendall(data)

    def finalized(self, client: int) -> None:
        pass

    def aborted(self, client: int, code: int, message: bytes) -> None:
        raise AssertionError(f"{client} aborts with {code}: {message!r}")

    def entered(self, client: int, phase: str) -> None:
        pass

    def released(self) -> None:
        pass

    def _trace(self, client: int, side: str, line: bytes) -> None:
        if side == "C":
            self.requests[client].append(line.rstrip(b"\n"))

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            for client, sock in enumerate(self._sockets):
                selector.register(sock, selectors.EVENT_READ, client)
            selector.register(self._stopped, selectors.EVENT_READ, -1)
            stopped = False
            while not stopped:
                for key, _ in selector.select():
                    client = key.data
                    if client < 0:
                        stopped = True
                        continue
                    try:
                        data = self._sockets[client].recv(65536)
                    except OSError:
                        data = b""
                    if data:
                        self._server.receive(client, data)
                    else:
                        selector.unregister(key.fileobj)
        for sock in (*self._sockets, self._stopped):
            sock.close()


class Broker:
    """One broker process with its stdout and stderr in files."""

    def __init__(
        self,
        folder: Path,
        words: Sequence[str],
        *,
        rank: int = 0,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        stdin: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        self.folder = folder
        self.rank = rank
        self._stdout = folder / f"out.{rank}"
        self._stderr = folder / f"err.{rank}"
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FLUX_", "PMI_", "SLURM_", "TMPDIR"))
        }
        ours = {"SHELL": "/bin/sh", "TZ": "UTC", "TMPDIR": str(folder), "PATH": os.defpath}
        environ |= ours | dict(env or {})
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [*BROKER, *words],
                env=environ,
                pass_fds=pass_fds,
                stdin=stdin,
                stdout=out,
                stderr=err,
            )

    @property
    def stdout(self) -> str:
        return self._stdout.read_text()

    @property
    def stderr(self) -> str:
        return self._stderr.read_text()

    def wait(self) -> int:
        """Return the exit code."""
        return self.process.wait(PATIENCE)

    def until_stderr(self, text: str) -> None:
        """Wait for a text in the log."""
        until(lambda: text in self.stderr, f"{text!r} in {self.stderr}")

    def until_stdout(self, text: str) -> None:
        """Wait for output of the initial program."""
        until(lambda: text in self.stdout, f"{text!r} in {self.stdout}; {self.stderr}")

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


class Instance:
    """An instance of some size in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        size: int,
        *words: str,
        env: Mapping[str, str] | None = None,
        preset: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        ranks: Sequence[int] | None = None,
        per_rank: Mapping[int, Sequence[str]] | None = None,
    ) -> None:
        """Start it: options for all ranks come before `--`, the initial program after it."""
        split = words.index("--") if "--" in words else 0
        options, program = words[:split], words[split + 1 :] if "--" in words else words
        self.rundir = folder / "run"
        self.rundir.mkdir(mode=0o700)
        self.pmi = PmiServer(size, preset)
        self.brokers: dict[int, Broker] = {}
        for rank in range(size) if ranks is None else ranks:
            fd = self.pmi.theirs[rank].fileno()
            pmi = {"PMI_FD": str(fd), "PMI_RANK": str(rank), "PMI_SIZE": str(size)}
            self.brokers[rank] = Broker(
                folder,
                [
                    *options,
                    *(per_rank or {}).get(rank, ()),
                    f"-Srundir={self.rundir}",
                    *(program if rank == 0 else ()),
                ],
                rank=rank,
                env=dict(env or {}) | pmi,
                pass_fds=[fd],
                stdin=stdin if rank == 0 else subprocess.DEVNULL,
            )
        for sock in self.pmi.theirs:
            sock.close()

    def __getitem__(self, rank: int) -> Broker:
        return self.brokers[rank]

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *_: object) -> None:
        for broker in self.brokers.values():
            broker.kill()
        self.pmi.stop()

    def wait(self) -> list[int]:
        """Return all exit codes."""
        return [broker.wait() for broker in self.brokers.values()]

    def client(self, rank: int = 0) -> Client:
        """Connect to a broker as a local client."""
        return Client(self.rundir / f"local-{rank}")


class Client:
    """A client of a broker's local connector."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)

        def connected() -> bool:
            try:
                self.sock.connect(str(path))
            except OSError:
                return False
            return True

        until(connected, f"connect to {path}")
        self.greeting = self.sock.recv(1)
        self._decoder = message.Decoder()
        self._arrived: list[message.Message] = []
        self._matchtag = 0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(
        self, topic: str, text: str | None = None, flags: int = 0, nodeid: int = message.NODEID_ANY
    ) -> None:
        payload = None if text is None else message.text_payload(text)
        self.send_raw(topic, payload, flags, nodeid)

    def send_raw(self, topic: str, payload: bytes | None, flags: int, nodeid: int) -> None:
        self._matchtag += 1
        asked = message.request(topic, payload, matchtag=self._matchtag, flags=flags, nodeid=nodeid)
        self.sock.sendall(message.encode_framed(asked))

    def receive(self) -> message.Message:
        while not self._arrived:
            data = self.sock.recv(65536)
            assert data, "the broker hung up"
            self._arrived = self._decoder.feed(data)
        return self._arrived.pop(0)

    def ask(
        self, topic: str, text: str | None = None, nodeid: int = message.NODEID_ANY, flags: int = 0
    ) -> message.Message:
        self.send(topic, text, flags, nodeid)
        answer = self.receive()
        assert answer.matchtag == self._matchtag
        return answer
