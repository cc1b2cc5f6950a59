"""Run a broker with its PMI conversation told on stderr: `python -m fluxstart_tui.tap CMD ARGS...`.

The launcher's descriptor stays with a proxy, a grandchild that nobody waits for; the broker gets
one end of a socket pair as PMI_FD, and keeps the pid that the launcher knows, its exit code and its
place in the process group. Each message is a line on stderr,

    fluxstart-tui: pmi RANK> SECONDS MESSAGE        what the broker says (< what it is told)

with SECONDS of the wall clock. Where there is no PMI_FD the command is run as it is, after a line
that says so. It must start fast and run where nothing but Python is: the standard library, little
of it, is all that it imports.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time

if not __package__:  # run as a file, by `python -I -S`
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(__file__))))

from fluxstart_tui.tap.wire import Bridge, Wire, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_CHUNK = 65536
_PIECE = 4096
"""Bytes that a pipe which is ready takes at once (POSIX: PIPE_BUF; Linux, pipe(7))."""
_BACKLOG = 4 << 20
"""Bytes of text that wait for stderr to be read; then messages are counted only."""
_RANKS = ("PMI_RANK", "PMI_ID", "PALS_RANKID", "SLURM_PROCID", "FLUX_TASK_RANK")


class Teller:
    """Writes to stderr without ever waiting for who reads it.

    The descriptor is the broker's as well: it can not be made non-blocking.
    """

    def __init__(self, rank: str) -> None:
        self._rank = rank
        self._text = b""
        self._lost = 0

    @property
    def waiting(self) -> bool:
        """Whether some text has not been taken yet."""
        return bool(self._text)

    def tell(self, arrow: str, message: bytes) -> None:
        """Tell of a message."""
        self.say(f"{self._rank}{arrow} {time.time():.6f} {printable(message)}")

    def say(self, text: str) -> None:
        """Put a line into what is to be written."""
        if len(self._text) > _BACKLOG:
            self._lost += 1
            return
        if self._lost:
            text = f"{self._rank}! {self._lost} messages not shown\nfluxstart-tui: pmi {text}"
            self._lost = 0
        self._text += f"fluxstart-tui: pmi {text}\n".encode()

    def write(self) -> None:
        """Write some, whole lines where they are short; to be called when stderr is ready."""
        end = self._text.rfind(b"\n", 0, _PIECE) + 1 or _PIECE
        try:
            written = os.write(2, self._text[:end])
        except OSError:
            written = len(self._text)  # nobody reads it any more
        self._text = self._text[written:]

    def finish(self, seconds: float) -> None:
        """Write what is left, if it is taken within some seconds."""
        until = time.monotonic() + seconds
        while self._text and (left := until - time.monotonic()) > 0:
            if select.select((), (2,), (), left)[1]:
                self.write()


class Side:
    """A connection: what is to be written to it, what was read from it."""

    def __init__(self, sock: socket.socket, arrow: str) -> None:
        self.sock = sock
        self.arrow = arrow
        """Marks what comes from here."""
        self.wire = Wire()
        self.unsent = b""
        self.ended = False
        """Whether nothing more comes from here."""
        self.closing = False
        """Whether nothing more is to be written once all is."""


class Proxy:
    """Passes bytes both ways until both sides have ended.

    Args:
        launcher: the connection to the PMI server.
        broker: our end of the socket pair.
        teller: is told each message.
        bridge: mends the server's answers, or None.
    """

    def __init__(
        self, launcher: socket.socket, broker: socket.socket, teller: Teller, bridge: Bridge | None
    ) -> None:
        self._server = Side(launcher, "<")
        self._broker = Side(broker, ">")
        self._teller = teller
        self._bridge = bridge

    def run(self) -> None:
        """Serve until the broker is gone: who started it learns of its end by the same EOF."""
        while not self._broker.ended:
            sides = (self._broker, self._server)
            reading = [side for side in sides if not side.ended and not self._other(side).unsent]
            writing: list[Side | int] = [side for side in sides if side.unsent]
            polled = select.poll()
            for side in sides:
                events = (side in reading) * select.POLLIN | (side in writing) * select.POLLOUT
                if events:
                    polled.register(side.sock, events)
            if self._teller.waiting:
                polled.register(2, select.POLLOUT)
            ready = dict(polled.poll())
            if 2 in ready:
                self._teller.write()
            for side in sides:
                state = ready.get(side.sock.fileno(), 0)
                if side in writing and state:
                    self._flush(side)
                if side in reading and state:
                    self._read(side)

    def _other(self, side: Side) -> Side:
        return self._server if side is self._broker else self._broker

    def _read(self, side: Side) -> None:
        try:
            data = side.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        other = self._other(side)
        if not data:
            side.ended = True
            if rest := side.wire.rest():
                self._teller.tell(side.arrow, rest)
            if self._bridge is not None and side is self._server:
                other.unsent += self._bridge.rest()
            other.closing = True
        elif self._bridge is not None and side is self._server:
            other.unsent += self._bridge.mend(data)
        else:
            other.unsent += data
        self._flush(other)
        for message in side.wire.feed(data):
            self._teller.tell(side.arrow, message)
            if side is self._server and message.startswith(b"cmd=response_to_init "):
                framed = b" pmi_version=2" in message
                self._server.wire.framed = self._broker.wire.framed = framed

    def _flush(self, side: Side) -> None:
        try:
            while side.unsent:
                side.unsent = side.unsent[side.sock.send(side.unsent) :]
        except BlockingIOError:
            return
        except OSError:
            side.unsent = b""  # it is gone; reading tells of it
        if side.closing:
            try:
                side.sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass


def _proxy(fd: int, broker: socket.socket, rank: str, bridge: bool) -> NoReturn:
    """Become the proxy; holds nothing of the broker's but stderr."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)  # it goes when the broker has gone
    launcher = socket.socket(fileno=fd)
    low, high = sorted((launcher.fileno(), broker.fileno()))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.closerange(3, low)
    os.closerange(low + 1, high)
    os.closerange(high + 1, os.sysconf("SC_OPEN_MAX"))
    launcher.setblocking(False)
    broker.setblocking(False)
    teller = Teller(rank)
    if bridge:
        teller.say(f"{rank}! bridge: pmi_subversion of the launcher's answer becomes 1")
    try:
        Proxy(launcher, broker, teller, Bridge() if bridge else None).run()
    finally:
        launcher.close()
        teller.finish(1.0)
        os._exit(0)


def main(argv: list[str]) -> NoReturn:
    """Start the proxy, if there is PMI, and become the command.

    Args:
        argv: [--bridge] COMMAND ARGS...
    """
    bridge = argv[:1] == ["--bridge"]
    command = argv[bridge:]
    rank = next((os.environ[name] for name in _RANKS if name in os.environ), "?")
    fd = os.environ.get("PMI_FD", "")
    if not command:
        sys.exit("fluxstart-tui: pmi: usage: [--bridge] COMMAND ARGS...")
    if fd.isdecimal():
        ours, theirs = socket.socketpair()
        if os.fork() == 0:  # the broker must not have a child that it knows nothing of
            if os.fork() == 0:
                theirs.close()
                _proxy(int(fd), ours, rank, bridge)
            os._exit(0)
        os.wait()
        ours.close()
        os.close(int(fd))
        theirs.set_inheritable(True)
        os.environ["PMI_FD"] = str(theirs.fileno())
    else:
        os.write(2, f"fluxstart-tui: pmi {rank}! no PMI_FD in the environment\n".encode())
    try:
        os.execvp(command[0], command)
    except OSError as error:
        # What a shell says and returns (POSIX: Shell Command Language, 2.8.2).
        os.write(2, f"fluxstart-tui: {command[0]}: {error.strerror}\n".encode())
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main(sys.argv[1:])
