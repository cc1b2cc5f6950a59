"""A stand-in for the engine: runs rank 0 on a console, shown on the terminal that we run on.

Below the current directory, `sink` gets what is recorded and `log` the signals that are for us.
"""

from __future__ import annotations

import os
import signal
import sys

from fluxstart_tui import process
from fluxstart_tui.engine.broker import Broker, FileLimit
from fluxstart_tui.engine.console import Console
from fluxstart_tui.engine.terminal import Terminal, TerminalOutput
from fluxstart_tui.reactor import Reactor


def main(words: list[str]) -> int:
    process.secure_descriptors()
    reactor = Reactor()
    sink = os.open("sink", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    environ = process.environment()
    broker = Broker(0, words, lambda _: environ, pmi=False)

    def interrupt(signum: int) -> None:
        os.write(log, b"%d\n" % signum)
        broker.kill(signal.SIGTERM)

    terminal = Terminal()

    def record(data: bytes) -> None:
        os.write(sink, data)

    def drained() -> None:
        console.drained()

    output = TerminalOutput(1, terminal, drained)
    console = Console(reactor, record, interrupt, terminal, output)
    console.start()
    broker.spawn(FileLimit(), piped=False, tty=console.slave)
    console.spawned(broker.pid)
    reactor.add_reader(broker.pidfd, reactor.stop)
    reactor.run()
    reactor.remove_reader(broker.pidfd)
    status = broker.reap()
    assert status is not None
    console.exited()
    console.close()
    output.write(b"one\ntwo\n")
    output.close()
    terminal.restore()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
