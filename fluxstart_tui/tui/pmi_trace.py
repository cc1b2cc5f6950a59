"""The PMI trace: where each request and reply is, whose it is, what it is, which belong together.

Two million lines of a launch of 1,024 brokers are kept as columns of numbers; what a line says is
read again from the spool when somebody looks at it.
"""

from __future__ import annotations

import time
from array import array
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.rfc import pmi1
from fluxstart_tui.session.output import STREAMS
from fluxstart_tui.tui.spool_lines import NEVER, SpoolLines

if TYPE_CHECKING:
    from collections.abc import Callable

    from fluxstart_tui.session.output_reader import SpoolReader
    from fluxstart_tui.tui.spool_lines import Lines

CLIENT, SERVER = STREAMS.index("pmi-c"), STREAMS.index("pmi-s")
_CLIENT = 1 << 62
"""Marks places of requests."""
NONE = 0xFFFFFFFF
"""No peer; no key."""

COMMANDS = (
    "?", "init", "get_maxes", "get_appnum", "get_universe_size", "get_my_kvsname", "put", "get",
    "barrier_in", "finalize", "abort", "publish_name", "unpublish_name", "lookup_name", "spawn",
    "endcmd", "response_to_init", "maxes", "appnum", "universe_size", "my_kvsname", "put_result",
    "get_result", "barrier_out", "finalize_ack", "publish_result", "unpublish_result",
    "lookup_result", "spawn_result",
)  # fmt: skip
"""What lines are; a line's code is its index here."""
CODE = {name: number for number, name in enumerate(COMMANDS)}
INIT, PUT, GET = CODE["init"], CODE["put"], CODE["get"]
BARRIER_IN, BARRIER_OUT = CODE["barrier_in"], CODE["barrier_out"]
FINALIZE, ABORT = CODE["finalize"], CODE["abort"]
_KEYED = (PUT, GET)
_SILENT = (ABORT, CODE["spawn"], 0)
"""Requests that are not answered, or not at once."""
_KEYS_MAX = 1 << 18
"""Keys that are told apart: a hostile trace could have one a line."""

_WORDS_MAX = 1000
"""First words whose codes are remembered, for the same reason."""


class Request(NamedTuple):
    """One line, decoded."""

    t: float
    rank: int
    client: bool
    """Whether the client said it."""
    command: str
    key: str
    value: str
    """The value of a put or get; of other lines, what there is besides the command."""
    rc: int | None
    """The reply's return code."""
    latency: float | None
    """Seconds from request to reply, on both lines; None if there is no other line."""


def _code(client: bool, line: bytes) -> int:
    name = pmi1.word(line, b"cmd") or pmi1.word(line, b"mcmd") or line.strip()
    code = CODE.get(name.decode("ascii", "replace"), 0)
    # The command matches as a prefix, longer ones first (pmi1.Server).
    for known in (*COMMANDS[2:6], *COMMANDS[1:2], *COMMANDS[6:15]) if client and not code else ():
        if name.startswith(known.encode()):
            return CODE[known]
    return code


class Trace:
    """The index of a trace that may grow.

    Args:
        spool: the spool.
    """

    def __init__(self, spool: SpoolReader) -> None:
        self._lines = SpoolLines(spool, (CLIENT, SERVER))
        self.t = array("d")
        self.rank = array("H")
        self.code = array("B")
        self.key = array("I")
        """Number of the key that a line is about (`keys`), or NONE."""
        self.peer = array("I")
        """The line that answers this one, or that this one answers, or NONE."""
        self.keys: list[bytes] = []
        self.complete = False
        """Whether all that is there has been read."""
        self._place = array("Q")
        self._length = array("I")
        self._open: dict[int, deque[int]] = {}
        self._numbers: dict[bytes, int] = {}
        self._of_line: dict[bytes, int] = {}
        self._code_of: dict[tuple[int, bytes], int] = {}
        """Codes by stream and first word: most lines need no parsing."""

    def __len__(self) -> int:
        return len(self.t)

    @property
    def progress(self) -> float:
        """How much of the spool has been read, from 0 to 1."""
        return 1.0 if self.complete else self._lines.progress()

    @property
    def waiting(self) -> bool:
        """Whether some request has not been answered yet."""
        return any(self._open.values())

    def poll(self, until: float = NEVER, clock: Callable[[], float] = time.monotonic) -> bool:
        """Index what is new, but not much longer than `until` by the clock; tell if there was."""
        before = len(self.t)
        while (lines := self._lines.poll()) is not None:
            self._take(lines)
            if clock() >= until:
                self.complete = False
                return len(self.t) > before
        self.complete = True
        return len(self.t) > before

    def client(self, i: int) -> bool:
        """Tell whether a line is a request."""
        return self.code[i] < CODE["response_to_init"] and (self.code[i] > 0 or self._c(i))

    def _c(self, i: int) -> bool:
        return bool(self._place[i] & _CLIENT)

    def _take(self, lines: Lines) -> None:
        index = len(self.t)
        self.t.extend([t if -NEVER < t < NEVER else 0.0 for t in lines.t])
        self.rank.extend(lines.rank)
        self._length.extend(map(len, lines.text))
        known = self._code_of
        keys, peers, codes, opened = self.key, self.peer, self.code, self._open
        of_line = self._of_line
        code_, key_, peer_, place_ = codes.append, keys.append, peers.append, self._place.append
        for rank, stream, place, text in zip(*lines[1:], strict=True):
            client = stream == CLIENT
            word = (stream, text.partition(b" ")[0])
            code = known.get(word, -1)
            if code < 0:
                code = _code(client, text)
                if code and text.startswith(b"cmd=") and len(known) < _WORDS_MAX:
                    known[word] = code
            key = peer = NONE
            if client:
                if code == GET:
                    key = of_line.get(text, NONE)
                    if key == NONE:
                        key = self._number(text)
                        if len(of_line) < _KEYS_MAX:
                            of_line[text] = key
                elif code == PUT:
                    key = self._number(text)
                if code not in _SILENT:
                    if rank in opened:
                        opened[rank].append(index)
                    else:
                        opened[rank] = deque((index,))
            elif (waiting := opened.get(rank)) and (
                code != BARRIER_OUT or codes[waiting[0]] == BARRIER_IN
            ):
                peer = waiting.popleft()
                peers[peer] = index
                key = keys[peer]
            code_(code)
            key_(key)
            peer_(peer)
            place_(place | _CLIENT if client else place)
            index += 1

    def _number(self, line: bytes) -> int:
        """Return the number of the key that a put or get names."""
        key = pmi1.word(line, b"key")
        if key is None:
            return NONE
        number = self._numbers.get(key)
        if number is None:
            if len(self.keys) >= _KEYS_MAX:
                return NONE
            number = self._numbers[key] = len(self.keys)
            self.keys.append(key)
        return number

    def raw(self, i: int) -> bytes:
        """Return a line as it was sent, without the newline."""
        return self._lines.read(self._place[i] & ~_CLIENT, self._length[i]).rstrip(b"\r\n")

    def raws(self, lines: list[int]) -> list[bytes]:
        """Return lines as they were sent, ascending ones faster than by `raw`."""
        places = [self._place[i] & ~_CLIENT for i in lines]
        return self._lines.read_many(places, [self._length[i] for i in lines])

    def length(self, i: int) -> int:
        """Return how long a line is, with its newline."""
        return self._length[i]

    def latency(self, i: int) -> float | None:
        """Return the seconds between a request and its reply, given either."""
        peer = self.peer[i]
        return None if peer == NONE else abs(self.t[peer] - self.t[i])

    def key_name(self, i: int) -> str:
        """Return the key that a line is about, "" if it is about none."""
        number = self.key[i]
        return "" if number == NONE else pmi1.printable(self.keys[number]).decode("ascii")

    def decode(self, i: int) -> Request:
        """Return what a line says."""
        line = self.raw(i)
        code = self.code[i]
        client = self.client(i)
        name = COMMANDS[code] if code else "?"
        if code in _KEYED:
            value = pmi1.text(line, b"value") if code == PUT else b""
        elif COMMANDS[code] == "get_result":
            value = pmi1.text(line, b"value")
        else:
            value = line if not code else _rest(line)
        shown = pmi1.printable(value or b"").decode("ascii")
        rc = None if client else pmi1.integer(line, b"rc")
        return Request(
            self.t[i], self.rank[i], client, name, self.key_name(i), shown, rc, self.latency(i)
        )


def _rest(line: bytes) -> bytes:
    """Return a line without its command and return code."""
    return b" ".join(
        part for part in line.split() if not part.startswith((b"cmd=", b"mcmd=", b"rc="))
    )
