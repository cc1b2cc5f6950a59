"""A PMI-1 exchange and nothing else, to be run on every rank: does the launcher's PMI work?

Says on stderr what `flux pmi -v exchange` says, where there is no Flux that has it or works; like
flux-broker's own client it speaks over PMI_FD, version 1.1 and no other, and without it there is
only one rank. Each rank puts a value, waits for the others, and gets all of theirs. The standard
library, little of it, is all that it imports.
"""

from __future__ import annotations

import io
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

TIMEOUT = 10
"""Seconds after which a rank gives up: it must not outlive who has lost interest."""


class RefusedError(Exception):
    """The launcher has not answered as PMI-1 has it; the text is its answer."""


def say(text: str) -> None:
    """Write a line to stderr, whole."""
    os.write(2, f"{text}\n".encode(errors="replace"))


class Client:
    """A conversation with a PMI-1 server.

    Args:
        fd: connected to it.
    """

    def __init__(self, fd: int) -> None:
        self._stream = io.FileIO(fd, "r+")

    def ask(self, request: str, reply: str) -> dict[str, str]:
        """Return the fields of the answer to a request.

        Raises:
            RefusedError: it is another one than `reply`, or tells of an error.
            OSError: the server can not be spoken to.
        """
        self._stream.write(f"cmd={request}\n".encode())
        line = self._stream.readline(65536).decode(errors="replace").strip()
        fields = dict(word.partition("=")[::2] for word in line.split(" ") if "=" in word)
        if fields.get("cmd") != reply or fields.get("rc", "0") != "0":
            raise RefusedError(line or "no answer")
        return fields


def exchange(fd: int, rank: int, size: int) -> None:
    """Do it, telling of each step once it is done."""
    step = "initialize"
    try:
        client = Client(fd)
        version = "pmi_version=1 pmi_subversion=1"
        answer = client.ask(f"init {version}", "response_to_init")
        if (answer.get("pmi_version"), answer.get("pmi_subversion")) != ("1", "1"):
            raise RefusedError(" ".join(f"{name}={value}" for name, value in answer.items()))
        name = client.ask("get_my_kvsname", "my_kvsname").get("kvsname", "")
        say(f"simple: initialize: rank={rank} size={size} name={name}: success")
        step = f"put key=key.{rank}"
        client.ask(f"put kvsname={name} key=key.{rank} value={name}-{rank}", "put_result")
        say(f"simple: put key=key.{rank} value={name}-{rank}: success")
        step = "barrier"
        client.ask("barrier_in", "barrier_out")
        say("simple: barrier: success")
        for other in range(size):
            step = f"get key=key.{other}"
            got = client.ask(f"get kvsname={name} key=key.{other}", "get_result").get("value")
            if got != f"{name}-{other}":
                raise RefusedError(f"value={got}")
        step = "barrier"
        client.ask("barrier_in", "barrier_out")
        say("simple: barrier: success")
        step = "finalize"
        client.ask("finalize", "finalize_ack")
        say("simple: finalize: success")
    except (RefusedError, OSError) as error:
        say(f"simple: {step}: operation failed")
        say(f"flux-pmi: the launcher's answer: {error}")
        sys.exit(1)


def _late(*_: object) -> NoReturn:
    say("flux-pmi: timeout expired before PMI operation completed")
    os._exit(1)


def main() -> None:
    """Exchange by PMI_FD, or tell that there is none."""
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(TIMEOUT)
    fd, rank, size = (os.environ.get(name, "") for name in ("PMI_FD", "PMI_RANK", "PMI_SIZE"))
    say("flux-pmi-client: trying 'simple'")
    if not (fd.isdecimal() and rank.isdecimal() and size.isdecimal()):
        say("simple: PMI_FD not found in environ")
        say("flux-pmi-client: trying 'single'")
        say("single: initialize: rank=0 size=1 name=single: success")
        say("single: finalize: success")
        return
    say("simple: selected")
    exchange(int(fd), int(rank), int(size))


if __name__ == "__main__":
    main()
