"""Requests before a broker is online, streams until it leaves, and brokers that get lost."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.rfc import message
from tests.broker.instance import Client, until
from tests.broker.running import KINDS, content, records, running

if TYPE_CHECKING:
    from pathlib import Path

STREAM = message.STREAMING
OFFLINE = (11, "Upstream Flux broker is offline. Try again later.")


def pid_of(client: Client, rank: int) -> int:
    return int(content(client.ask("attr.get", '{"name":"broker.pid"}', rank))["value"])


@pytest.mark.parametrize("kind", KINDS)
def test_early_requests(kind: str, tmp_path: Path) -> None:
    """A broker that waits for its parent answers little, but its parent may ask it everything."""
    go = tmp_path / "go"
    wait = f"case $FLUX_URI in *local-0) until test -e {go}; do sleep 0.01; done;; esac"
    with running(kind, f"-Sbroker.rc1_path={wait}", size=2) as instance:
        early, leader = (Client(instance.rundir / f"local-{rank}") for rank in (1, 0))

        def state(client: Client, nodeid: int) -> object:
            answer = client.ask("state-machine.get", None, nodeid)
            return answer.errnum or content(answer)["state"]

        until(lambda: state(early, message.NODEID_ANY) == "join", "state join")
        until(lambda: state(leader, 1) == "join", "state join as rank 0 sees it")
        assert content(early.ask("attr.get", '{"name":"rank"}')) == {"value": "1", "flags": 1}
        assert any(b"->join" in line for line in records(early, 1))
        for topic in (
            "state-machine.monitor",
            "groups.get",
            "attr.list",
            "no.such",
            "log.stats-get",
        ):
            for nodeid in (message.NODEID_ANY, 1, 99):
                assert content(early.ask(topic, None, nodeid)) == OFFLINE
        assert content(early.ask("event.subscribe", '{"topic":"x"}')) is None
        assert content(leader.ask("state-machine.monitor", None, 1)) == {"state": 1}
        assert content(leader.ask("groups.get", '{"name":"broker.online"}')) == {"members": ""}
        early.send("state-machine.wait")
        leader.send("groups.get", '{"name":"broker.online"}', STREAM)
        go.touch()
        assert content(early.receive()) is None
        members = [content(leader.receive())["members"]]
        while members[-1] != "0-1":
            members.append(content(leader.receive())["members"])
        assert content(early.ask("attr.list"))["names"]
        for client in (early, leader):
            client.sock.close()


@pytest.mark.parametrize("kind", KINDS)
def test_streams_go_on_until_the_broker_leaves(kind: str) -> None:
    with running(kind) as instance, instance.client() as far, instance.client() as near:
        far.send("state-machine.monitor", '{"final":11}', STREAM, 2)
        near.send("state-machine.monitor", '{"final":7}', STREAM, 0)
        assert content(far.receive()) == content(near.receive()) == {"state": 5}
        with instance.client(2) as waiting, instance.client() as following:
            following.send("log.dmesg", '{"follow":true,"nobacklog":true}', STREAM)
            following.ask("attr.get", '{"name":"rank"}')
            instance.stop()
            told = []
            while (answer := far.receive()).errnum == 0:
                told.append(content(answer)["state"])
            assert told == [6, 7, 8, 9][: len(told)]
            assert answer.errnum == 113
            assert [content(near.receive()) for _ in range(3)] == [
                {"state": 6}, {"state": 7}, (61, None),
            ]  # fmt: skip
            assert waiting.sock.recv(1) == b""
            text = b""
            while data := following.sock.recv(65536):
                text += data
            assert b"rc2-success: run->cleanup" in text
            assert b"goodbye: goodbye->unload-builtins" in text


def test_a_child_that_follows_the_log_may_die() -> None:
    """What is logged of its death is not for it."""
    with running("embedded") as instance, instance.client(1) as parent, instance.client(2) as far:
        far.send("log.dmesg", '{"follow":true,"nobacklog":true}', STREAM, 1)
        far.ask("log.stats-get", None, 1)
        os.kill(pid_of(parent, 2), signal.SIGKILL)

        def lost() -> bool:
            parent.ask("log.append", "<56>1 2026-11-22T00:00:00.000000Z 1 broker 1 - - text")
            return bool(content(parent.ask("overlay.health"))["children"][0]["status"] == "lost")

        until(lost, "rank 2 to be lost")


@pytest.mark.parametrize("kind", KINDS)
def test_a_broker_that_leaves_is_offline(kind: str) -> None:
    with running(kind) as instance, instance.client() as client, instance.client() as watcher:
        watcher.send("overlay.monitor", None, STREAM, 1)
        assert content(watcher.receive())["status"] == "full"
        watcher.send("groups.get", '{"name":"broker.online"}', STREAM)
        assert content(watcher.receive()) == {"members": "0-2"}
        watcher.send("log.dmesg", '{"follow":true,"nobacklog":true}', STREAM, 2)
        client.ask("log.stats-get", None, 2)
        os.kill(pid_of(client, 2), signal.SIGTERM)
        wanted = {
            ("overlay.monitor", '{"rank":2,"status":"offline","torpid":false}'),
            ("groups.get", '{"members":"0-1"}'),
            ("log.dmesg", "113"),
        }
        while wanted:
            answer = watcher.receive()
            # An error may overtake the last records.
            text = str(answer.errnum) if answer.errnum else answer.text
            wanted.discard((answer.topic or "", text or ""))
        assert client.ask("state-machine.get", None, 2).errnum == 113
        health = content(client.ask("overlay.health", None, 1))
        [child] = health["children"]
        assert (health["status"], child["status"]) == ("partial", "offline")
        assert child["error"] == "administrative shutdown"
        above = content(client.ask("overlay.health"))
        assert (above["status"], above["children"][0]["status"]) == ("partial", "partial")


@pytest.mark.parametrize("kind", KINDS)
def test_a_broker_that_is_sent_away(kind: str) -> None:
    """Its clients' requests to others fail, and it is lost to all."""
    with running(kind) as instance, instance.client() as client, instance.client(2) as below:
        below.send("groups.get", '{"name":"broker.online"}', STREAM, 0)
        assert content(below.receive()) == {"members": "0-2"}
        assert client.ask("overlay.disconnect-subtree", '{"rank":2}', 1).errnum == 0
        assert content(below.receive()) == (113, "overlay disconnect")
        [child] = content(client.ask("overlay.health", None, 1))["children"]
        assert (child["status"], child["error"]) == ("lost", "administrative disconnect")
        text = content(client.ask("overlay.disconnect-subtree", '{"rank":2}', 1))
        assert text == (22, "rank 2 is already lost")
        until(
            lambda: content(client.ask("overlay.health"))["status"] == "degraded",
            "a degraded overlay",
        )


def test_a_broker_that_was_killed_is_lost_once_it_is_asked() -> None:
    with running("embedded") as instance, instance.client() as client:
        client.send("state-machine.monitor", None, STREAM, 2)
        assert content(client.receive()) == {"state": 5}
        os.kill(pid_of(client, 2), signal.SIGKILL)
        # Which request finds out is a matter of time: its own one fails, and the stream ends.
        until(lambda: _lost(client), "a broker that is lost")
        [child] = content(client.ask("overlay.health", None, 1))["children"]
        assert (child["status"], child["error"]) == ("lost", "lost connection")
        assert content(client.ask("overlay.health"))["status"] == "degraded"


def _lost(client: Client) -> bool:
    """Ask rank 2, and tell whether both that and the stream of before have failed."""
    client.send("log.stats-get", None, 0, 2)
    answers = [client.receive()]
    if answers[0].errnum:
        answers.append(client.receive())
    return sorted(one.topic or "" for one in answers if one.errnum == 113) == [
        "log.stats-get",
        "state-machine.monitor",
    ]


def test_a_broker_that_does_not_answer_is_torpid() -> None:
    words = "-Stbon.torpid_min=50ms", "-Stbon.torpid_max=300ms"
    with (
        running("embedded", *words) as instance,
        instance.client() as client,
        instance.client() as watcher,
    ):
        watcher.send("groups.get", '{"name":"broker.torpid"}', STREAM)
        assert content(watcher.receive()) == {"members": ""}
        pid = pid_of(client, 2)
        os.kill(pid, signal.SIGSTOP)
        try:
            assert content(watcher.receive()) == {"members": "2"}
            client.send("overlay.monitor", None, STREAM, 1)
            told = {"rank": 2, "status": "full", "torpid": True}
            assert content(client.receive()) == told
        finally:
            os.kill(pid, signal.SIGCONT)
        assert content(watcher.receive()) == {"members": ""}
        assert content(client.receive()) == told | {"torpid": False}


@pytest.mark.parametrize("size", [0, 3])
def test_the_ring_has_the_size_that_is_asked_for(size: int) -> None:
    with running("embedded", f"-Slog-ring-size={size}") as instance, instance.client() as client:
        assert len(records(client, 0)) == size


def test_the_ring_has_the_level_that_is_asked_for() -> None:
    with running("embedded", "-Slog-level=6") as instance, instance.client() as client:
        assert all(line.startswith(b"<48>") for line in records(client, 1))
