"""What brokers say of themselves on their local sockets: asked all at once, in bounded time.

Only what changes nothing is asked, and brokers that are not online answer some of it too: their
attributes, state and log (flux-core: broker/modhash.c). One that is still in PMI accepts
connections at most, and one that is stopped answers nothing: that is an answer as well.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import time
from functools import partial
from typing import NamedTuple

from fluxstart_tui.rfc import message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

PATIENCE = 2.0
"""Seconds in which brokers have to answer."""

_AT_ONCE = 128
"""Brokers that are asked at the same time: each takes a descriptor."""
_CHUNK = 65536
_RECORDS = 4096
"""Log records that are taken from a broker: its ring has 1024 (flux-core: log-ring-size)."""

_ERR = 3
_LAST = 3
"""Log records of severity err or worse that are told of in a line."""

_NOTHING = "does not answer"
_ATTRIBUTES = (
    "rank", "size", "version", "hostname", "tbon.topo", "tbon.endpoint", "tbon.parent-endpoint",
    "broker.quorum", "hostlist",
)  # fmt: skip


class Record(NamedTuple):
    """A record of a broker's log (flux-core: libflux/stdlog.h)."""

    time: str
    """UTC, ISO 8601."""
    severity: int
    rank: int
    app: str
    text: str


class Answers(NamedTuple):
    """What one broker has said."""

    trouble: str = _NOTHING
    """Why nothing, or not everything, was answered; empty if all was."""
    attributes: dict[str, str] = {}
    state: str = ""
    """State of its state machine (flux-core: broker/state_machine.c)."""
    since: float = 0.0
    """Seconds in that state."""
    online: str = ""
    """Idset of who is in the group broker.online, as rank 0 tells."""
    children: tuple[tuple[int, str, str], ...] = ()
    """Rank, status and error of those below it that are not well (overlay.health)."""
    log: tuple[Record, ...] = ()

    @property
    def words(self) -> str:
        """What matters of it, in one line."""
        parts = [f"state {self.state} for {self.since:.1f} s"] if self.state else []
        parts += [self.trouble] if self.trouble else []
        for rank, status, error in self.children:
            parts.append(f"rank {rank} is {status}" + (f" ({error})" if error else ""))
        errors = [one for one in self.log if one.severity <= _ERR]
        parts += [f"{one.app}[{one.rank}]: {one.text}" for one in errors[-_LAST:]]
        return "; ".join(parts)


def ask(paths: Iterable[str], patience: float = PATIENCE) -> dict[str, Answers]:
    """Ask brokers.

    Args:
        paths: their sockets.
        patience: seconds that each of them has.

    Returns:
        What each has said, by its path.
    """
    left = list(dict.fromkeys(paths))
    found: dict[str, Answers] = {}
    while left:
        batch, left = left[:_AT_ONCE], left[_AT_ONCE:]
        found |= _batch(batch, patience)
    return found


def _batch(paths: list[str], patience: float) -> dict[str, Answers]:
    end = time.monotonic() + patience
    talks = {path: Talk() for path in paths}
    with selectors.DefaultSelector() as selector:
        for path, talk in talks.items():
            if talk.connect(path):
                selector.register(talk.socket, selectors.EVENT_READ, talk)
        while selector.get_map() and (rest := end - time.monotonic()) > 0:
            for key, _ in selector.select(rest):
                if not key.data.read():
                    selector.unregister(key.fileobj)
    for talk in talks.values():
        talk.socket.close()
    return {path: talk.answers() for path, talk in talks.items()}


class Talk:
    """The conversation with one broker, on a socket that whoever has it waits for."""

    def __init__(self) -> None:
        self.socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        self._said = Answers()
        self._decoder = message.Decoder()
        self._let_in = False
        self._sinks: dict[int, Callable[[bytes], None]] = {}
        self._records: list[Record] = []

    def connect(self, path: str) -> bool:
        """Connect to a broker; tell whether there is one."""
        try:
            self.socket.connect(path)
        except BlockingIOError:
            return self._end("does not take connections")  # nobody accepts them
        except OSError as error:
            return self._end(error.strerror or str(error))
        return True

    def _end(self, trouble: str) -> bool:
        self._said = self._said._replace(trouble=trouble)
        return False

    def answers(self) -> Answers:
        """Return what was said so far."""
        return self._said._replace(log=tuple(self._records))

    def read(self) -> bool:
        """Take what has come; tell whether there is more to be answered."""
        try:
            data = self.socket.recv(_CHUNK)
            if not data:
                return self._end("has hung up")
            if not self._let_in:
                # The server speaks first: a zero byte, or the errno that refuses us.
                if data[0]:
                    return self._end(f"refuses us: {os.strerror(data[0])}")
                self._let_in, data = True, data[1:]
                self._end("leaves questions open")
                self._ask()
            for one in self._decoder.feed(data):
                self._take(one)
        except BlockingIOError:
            return True
        except ConnectionError:
            return self._end("has hung up")
        except OSError as error:
            return self._end(error.strerror or str(error))
        except message.MessageError:
            return self._end("does not speak Flux's protocol")
        return bool(self._sinks) or self._end("")

    def _ask(self) -> None:
        for name in _ATTRIBUTES:
            self._send("attr.get", {"name": name}, partial(self._attribute, name))
        self._send("state-machine.get", None, self._state)
        self._send("overlay.health", None, self._health)
        self._send("groups.get", {"name": "broker.online"}, self._online)
        self._send("log.dmesg", {"follow": False}, self._record, stream=True)

    def _send(
        self, topic: str, payload: object, sink: Callable[[bytes], None], *, stream: bool = False
    ) -> None:
        tag = len(self._sinks) + 1
        self._sinks[tag] = sink
        data = None if payload is None else message.text_payload(json.dumps(payload))
        flags = message.STREAMING if stream else 0
        request = message.request(topic, data, matchtag=tag, flags=flags)
        self.socket.sendall(message.encode_framed(request))

    def _take(self, arrived: message.Message) -> None:
        sink = self._sinks.get(arrived.matchtag)
        if arrived.type != message.RESPONSE or sink is None:
            return
        if arrived.errnum or sink != self._record:
            del self._sinks[arrived.matchtag]
        if not arrived.errnum and arrived.payload is not None:
            sink(arrived.payload.rstrip(b"\0"))

    def _attribute(self, name: str, payload: bytes) -> None:
        value = _object(payload).get("value")
        if isinstance(value, str):
            self._said = self._said._replace(attributes={**self._said.attributes, name: value})

    def _state(self, payload: bytes) -> None:
        fields = _object(payload)
        state, since = fields.get("state"), fields.get("duration")
        if isinstance(state, str) and isinstance(since, int | float):
            self._said = self._said._replace(state=state.lower(), since=float(since))

    def _online(self, payload: bytes) -> None:
        members = _object(payload).get("members")
        if isinstance(members, str):
            self._said = self._said._replace(online=members)

    def _health(self, payload: bytes) -> None:
        children = _object(payload).get("children")
        found = tuple(_unwell(children if isinstance(children, list) else []))
        self._said = self._said._replace(children=found)

    def _record(self, payload: bytes) -> None:
        record = _parse(payload)
        if record is not None and len(self._records) < _RECORDS:
            self._records.append(record)


def _unwell(children: list[Any]) -> Iterator[tuple[int, str, str]]:
    for child in children:
        fields = child if isinstance(child, dict) else {}
        rank, status, error = fields.get("rank"), fields.get("status"), fields.get("error", "")
        if isinstance(rank, int) and isinstance(status, str) and status != "full":
            yield rank, status, error if isinstance(error, str) else ""


def _object(payload: bytes) -> dict[str, Any]:
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _parse(payload: bytes) -> Record | None:
    """Take apart `<PRI>1 TIME RANK APP PID - - TEXT`, the severity being PRI >> 3."""
    parts = payload.decode(errors="replace").split(" ", 7)
    priority = parts[0][1 : parts[0].find(">")]
    if len(parts) < 8 or not (priority.isdecimal() and parts[2].isdecimal()):
        return None
    if len(priority) > 4 or len(parts[2]) > 7:
        return None
    return Record(parts[1], int(priority) >> 3, int(parts[2]), parts[3], parts[7])
