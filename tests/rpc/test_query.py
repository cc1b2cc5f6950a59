"""One question to a broker: answered, refused, or given up in time."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Answers = list["dict[str, Any] | None"]


def ask(path: Path, serve: Callable[[socket.socket], None] | None, timeout: float = 5) -> Answers:
    """Ask a server that `serve` plays once a client has connected."""
    reactor = Reactor()
    answers: Answers = []
    with socket.socket(socket.AF_UNIX) as listener:
        if serve is not None:
            listener.bind(str(path))
            listener.listen()
        Query(reactor, str(path), "state-machine.get", timeout, answers.append)
        client = listener.accept()[0] if serve is not None else None
        if client is not None and serve is not None:
            serve(client)
        for _ in range(100):
            if answers:
                break
            reactor.run_once(0.1)
        if client is not None:
            client.close()
    reactor.close()
    return answers


def reply(content: object, errnum: int = 0) -> bytes:
    request = message.request("state-machine.get", matchtag=1)
    payload = message.text_payload(json.dumps(content))
    return message.encode_framed(message.response(request, payload, errnum=errnum))


def test_an_answer(scene: Path) -> None:
    """The response's object is handed over, once, however the bytes arrive."""

    def serve(client: socket.socket) -> None:
        client.send(b"\0" + reply({"state": "run"}))

    assert ask(scene / "s", serve) == [{"state": "run"}]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x01",
        b"",
        b"\0garbage that is no message",
        b"\0" + reply({}, errnum=38),
        b"\0" + reply([1]),
        b"\0" + reply("state"),
        b"\0" + reply("deep").replace(b'"deep"', b"[" * 6),
    ],
    ids=["refused", "closed", "garbage", "error", "array", "string", "unbalanced"],
)
def test_no_answer(scene: Path, sent: bytes) -> None:
    """A refusal, an end, garbage, an error response or another type is no answer."""

    def serve(client: socket.socket) -> None:
        client.send(sent)
        client.shutdown(socket.SHUT_WR)

    assert ask(scene / "s", serve) == [None]


def test_nobody_there(scene: Path) -> None:
    """Without a socket there is no answer, and not before the caller holds the query."""
    assert ask(scene / "s", None) == [None]


def test_silence(scene: Path) -> None:
    """A server that accepts and says nothing is given up after the timeout."""
    assert ask(scene / "s", lambda _client: None, timeout=0.1) == [None]


def test_the_request_is_what_flux_expects(scene: Path) -> None:
    """After the zero byte the client sends one framed request with a matchtag."""
    seen: list[message.Message] = []

    def serve(client: socket.socket) -> None:
        client.send(b"\0")
        reactor_may_write(client)

    def reactor_may_write(client: socket.socket) -> None:
        import threading

        def take() -> None:
            seen.extend(message.Decoder().feed(client.recv(999)))
            client.send(reply({"state": "join"}))

        threading.Thread(target=take, daemon=True).start()

    assert ask(scene / "s", serve) == [{"state": "join"}]
    assert [(one.topic, one.type, one.matchtag) for one in seen] == [
        ("state-machine.get", message.REQUEST, 1)
    ]
