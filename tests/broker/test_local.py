"""RUNDIR/local-R: what a program of this host can ask its broker."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui import compactjson
from fluxstart_tui.broker.state import NAMES
from fluxstart_tui.rfc import message
from tests.broker.instance import Client, Instance, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Give a client of a broker that runs `cat`."""
    with (
        Instance(tmp_path, 1, "-Shostname=box", "--", "cat", stdin=subprocess.PIPE) as instance,
        instance.client() as one,
    ):
        until(lambda: '"run"' in (one.ask("state-machine.get").text or ""), "run")
        yield one


def test_the_owner_is_let_in(client: Client) -> None:
    assert client.greeting == b"\0"


def test_state_machine_get(client: Client) -> None:
    answer = client.ask("state-machine.get")
    assert (answer.type, answer.topic, answer.errnum) == (message.RESPONSE, "state-machine.get", 0)
    assert (answer.routes, answer.rolemask) == ([], 5)
    fields = compactjson.loads(answer.text or "")
    assert isinstance(fields, dict)
    assert fields["state"] == "run"
    assert isinstance(fields["duration"], float)


def test_attr_get(client: Client) -> None:
    answer = client.ask("attr.get", '{"name": "rank"}')
    assert answer.text == '{"value":"0","flags":1}'
    assert client.ask("attr.get", '{"name":"hostlist"}').text == '{"value":"box","flags":1}'
    assert client.ask("attr.get", '{"name":"broker.rc1_path"}').text == '{"value":"","flags":0}'


@pytest.mark.parametrize("name", ["nosuch", "parent-uri"])
def test_attributes_without_a_value_are_not_found(client: Client, name: str) -> None:
    answer = client.ask("attr.get", f'{{"name":"{name}"}}')
    assert (answer.errnum, answer.payload) == (2, None)


@pytest.mark.parametrize("payload", [None, "", "[1]", "{", '{"name":1}', '"\\u00zz"', "[" * 9999])
def test_malformed_requests_are_answered(client: Client, payload: str | None) -> None:
    assert client.ask("attr.get", payload).errnum == 71
    assert client.ask("state-machine.get").errnum == 0


def test_other_topics_have_no_service(client: Client) -> None:
    answer = client.ask("no.such")
    assert (answer.errnum, answer.text) == (38, "No service matching no.such is registered")


def test_requests_that_want_no_answer_get_none(client: Client) -> None:
    client.send("no.such", flags=message.NORESPONSE)
    assert client.ask("state-machine.get").errnum == 0


def test_garbage_ends_the_conversation_only(client: Client, tmp_path: Path) -> None:
    with Client(tmp_path / "run" / "local-0") as other:
        other.sock.sendall(b"\xff" * 100)
        assert other.sock.recv(1) == b""
    assert client.ask("state-machine.get").errnum == 0


def test_the_state_can_be_watched_from_before_the_bootstrap_to_the_end(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "true", ranks=[1]) as instance, instance.client(1) as early:
        assert '"state":"load-builtins"' in (early.ask("state-machine.get").text or "")
    follow = tmp_path / "follow"
    follow.mkdir()
    with Instance(follow, 1, "cat", stdin=subprocess.PIPE) as instance, instance.client() as one:
        until(lambda: one.ask("state-machine.monitor").errnum == 0, "a broker that is online")
        one.send("state-machine.monitor", '{"final":9}', message.STREAMING)
        first = compactjson.loads(one.receive().text or "")
        assert instance[0].process.stdin is not None
        instance[0].process.stdin.close()
        assert isinstance(first, dict)
        for state in range(first["state"] + 1, NAMES.index("goodbye") + 1):
            assert one.receive().text == f'{{"state":{state}}}'
        assert one.receive().errnum == 61
        assert instance.wait() == [0]
