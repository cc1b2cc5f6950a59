"""What embedded brokers answer, and that real ones answer the same."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from fluxstart_tui.rfc import message
from tests.broker.instance import until
from tests.broker.running import KINDS, Running, content, plain, records, running

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY = message.NODEID_ANY
STREAM = message.STREAMING
EPROTO = (71, None)
UNREACHABLE = (113, None)
FULL = {"status": "full", "duration": 0.5}


def unknown(topic: str) -> tuple[int, str]:
    return (38, f"No service matching {topic} is registered")


def method(topic: str) -> tuple[int, str]:
    return (38, f"Unknown service method '{topic}'")


LEAF = {"rank": 2, "size": 1, "children": []}
MIDDLE = {"rank": 1, "size": 2, "children": [LEAF]}
STATE = {"state": "run", "duration": 0.5}
ELSEWHERE = (2, "requested rank is not this broker or its direct child")
CASES: list[tuple[str, str | None, int, int, Any]] = [
    ("state-machine.get", None, ANY, 0, STATE),
    ("state-machine.get", None, 0, 0, STATE),
    ("state-machine.get", None, 2, 0, STATE),
    ("state-machine.get", None, 3, 0, UNREACHABLE),
    ("state-machine.get", None, 99, 0, UNREACHABLE),
    ("state-machine.get", None, 1, message.UPSTREAM, STATE),
    ("state-machine.get", None, 0, message.UPSTREAM, UNREACHABLE),
    ("state-machine.wait", None, 2, 0, None),
    ("state-machine.monitor", "{}", ANY, 0, {"state": 5}),
    ("state-machine.monitor", None, 2, 0, {"state": 5}),
    ("state-machine.monitor", '{"final":4}', ANY, 0, (61, None)),
    ("state-machine.monitor", '{"final":"x"}', ANY, 0, {"state": 5}),
    ("groups.get", '{"name":"broker.online"}', ANY, 0, {"members": "0-2"}),
    ("groups.get", '{"name":"broker.online"}', 0, STREAM, {"members": "0-2"}),
    ("groups.get", '{"name":"broker.torpid"}', ANY, 0, {"members": ""}),
    ("groups.get", '{"name":"nosuch"}', ANY, STREAM, {"members": ""}),
    ("groups.get", '{"name":"x"}', 1, 0, (71, "this RPC is only available on rank 0")),
    ("groups.stats-get", None, 1, 0, {"subtree": {"broker.online": "1-2"}}),
    ("overlay.topology", '{"rank":0}', 0, 0, {"rank": 0, "size": 3, "children": [MIDDLE]}),
    ("overlay.topology", '{"rank":1}', 0, 0, MIDDLE),
    ("overlay.topology", '{"rank":2}', 2, 0, LEAF),
    ("overlay.topology", '{"rank":2}', 0, 0, ELSEWHERE),
    ("overlay.topology", '{"rank":0}', 1, 0, ELSEWHERE),
    ("overlay.health", None, ANY, 0, {"rank": 0, **FULL, "children": [{"rank": 1, **FULL}]}),
    ("overlay.health", None, 0, STREAM, {"rank": 0, **FULL, "children": [{"rank": 1, **FULL}]}),
    ("overlay.health", None, 2, 0, {"rank": 2, **FULL, "children": []}),
    ("overlay.monitor", None, 0, STREAM, {"rank": 1, "status": "full", "torpid": False}),
    ("overlay.monitor", None, 1, STREAM, {"rank": 2, "status": "full", "torpid": False}),
    ("overlay.monitor", None, 0, 0, EPROTO),
    ("overlay.disconnect-subtree", '{"rank":2}', 0, 0,
     (2, "requested rank is not this broker's direct child")),
    ("attr.get", '{"name":"rank"}', 2, 0, {"value": "2", "flags": 1}),
    ("attr.get", '{"name":"size"}', ANY, 0, {"value": "3", "flags": 1}),
    ("attr.get", '{"name":"broker.critical-ranks"}', ANY, 0, {"value": "0-1", "flags": 1}),
    ("attr.get", '{"name":"tbon.level"}', 2, 0, {"value": "2", "flags": 0}),
    ("attr.get", '{"name":"log-ring-size"}', 1, 0, {"value": "1024", "flags": 1}),
    ("attr.get", '{"name":"log-level"}', 1, 0, {"value": "7", "flags": 1}),
    ("attr.get", '{"name":"parent-uri"}', 1, 0, (2, None)),
    ("attr.get", '{"name":"nosuch"}', 1, 0, (2, None)),
    ("attr.set", '{"name":"nosuch","value":"1"}', ANY, 0, (2, "unknown attribute")),
    ("attr.set", '{"name":"rank","value":"1"}', ANY, 0, (22, "attribute may not be updated")),
    ("attr.set", '{"name":"rank","value":"1","force":true}', ANY, 0, (1, None)),
    ("attr.set", '{"name":"log-stderr-level","value":"9"}', ANY, 0, (22, "invalid level")),
    ("attr.set", '{"name":"log-stderr-level","value":"x"}', ANY, 0, None),
    ("attr.set", '{"name":"log-stderr-level","value":"4"}', 2, 0, None),
    ("attr.get", '{"name":"log-stderr-level"}', 2, 0, {"value": "4", "flags": 0}),
    ("attr.set", '{"name":"test.x","value":"4"}', 1, 0, None),
    ("attr.get", '{"name":"test.x"}', 1, 0, {"value": "4", "flags": 0}),
    ("attr.rm", '{"name":"test.x"}', 1, 0, None),
    ("attr.get", '{"name":"test.x"}', 1, 0, (2, None)),
    ("attr.set", '{"name":"test-im.x","value":"4"}', 1, 0, None),
    ("attr.set", '{"name":"test-im.x","value":"4","force":true}', 1, 0, (1, None)),
    ("attr.rm", '{"name":"test-im.x"}', 1, 0, (1, None)),
    ("attr.set", '{"name":"test-rd.x","value":"4"}', ANY, 0, unknown("testrd.setattr")),
    ("broker.getenv", '{"names":["NOSUCH",1]}', 2, 0, {"env": {}}),
    ("broker.getenv", '{"names":{}}', ANY, 0, {"env": {}}),
    ("broker.ping", None, ANY, 0, EPROTO),
    ("broker.rusage", '{"who":"x"}', ANY, 0, (22, "x is unsupported")),
    ("config.get", None, 2, 0, {}),
    ("rexec.list", None, 2, 0, {"rank": 2, "procs": []}),
    ("event.subscribe", '{"topic":"x"}', ANY, 0, None),
    ("event.unsubscribe", '{"topic":"x"}', ANY, 0, (2, None)),
    ("log.dmesg", '{"follow":false}', ANY, 0, EPROTO),
    ("log.dmesg", '{"follow":1}', ANY, STREAM, EPROTO),
    ("log.dmesg", "{}", ANY, STREAM, EPROTO),
    ("log.setattr", '{"name":"x","value":"1"}', ANY, 0, (22, "unknown log attribute")),
    ("log.ping", "{}", ANY, 0, method("log.ping")),
    ("runat.list", None, 2, 0, method("runat.list")),
    ("overlay.nosuch", None, 1, 0, method("overlay.nosuch")),
    ("shutdown.get", None, ANY, 0, method("shutdown.get")),
    ("no.such", None, ANY, 0, unknown("no.such")),
    ("no.such", None, 2, 0, unknown("no.such")),
    ("no.such", None, 2, message.UPSTREAM, unknown("no.such")),
    ("nosuch", None, 0, 0, unknown("nosuch")),
    *(
        (topic, payload, ANY, 0, EPROTO)
        for topic in (
            "groups.get", "overlay.topology", "attr.get", "attr.set", "attr.rm", "log.dmesg",
            "broker.getenv", "event.subscribe", "log.setattr", "overlay.disconnect-subtree",
        )
        for payload in (None, "", "{}", "[1]", "{", '{"name":1}')
    ),
]  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def instance(request: pytest.FixtureRequest) -> Iterator[Running]:
    """Give three brokers in a row."""
    with running(request.param) as one:
        yield one


def test_replies(instance: Running) -> None:
    """All cases: in one test, since they are many and fast."""
    found = []
    for topic, payload, nodeid, flags, _ in CASES:
        with instance.client() as client:
            found.append(plain(content(client.ask(topic, payload, nodeid, flags))))
    expected = [case[-1] for case in CASES]
    differing = [
        (case, got) for case, got, one in zip(CASES, found, expected, strict=True) if got != one
    ]
    assert differing == []


def test_a_ping_tells_its_route(instance: Running) -> None:
    """Client, connector, and each broker on the way; a module is a hop of its own."""
    for topic, hops in (("broker.ping", (3, 4, 5)), ("config.ping", (4, 5, 6))):
        for rank, count in enumerate(hops):
            with instance.client() as client:
                answer = content(client.ask(topic, '{"seq":1,"pad":"x"}', rank))
                uuids = content(client.ask("attr.get", '{"name":"broker.uuid"}', rank))["value"]
            route = answer.pop("route").split("!")
            assert len(route) == count
            assert route[-1] == uuids[:8]
            rolemask = 1 if rank else 5
            known = {"userid": answer["userid"], "rolemask": rolemask, "rank": rank}
            assert answer == {"seq": 1, "pad": "x", **known}


def test_modules_and_resources(instance: Running) -> None:
    with instance.client(1) as client:
        modules = content(client.ask("module.list"))["mods"]
        assert {one.pop("name") for one in modules} == {
            "config", "connector-local", "groups", "rexec", "overlay",
        }  # fmt: skip
        assert {(one["path"], one["status"], one["sendqueue"]) for one in modules} == {
            ("builtin", 1, 0)
        }
        usage = content(client.ask("broker.rusage", '{"who":"self"}', 2))
        assert usage["maxrss"] > 1000
        assert {"utime", "stime", "minflt", "nivcsw"} <= usage.keys()
        assert len(usage) == 16
        for service in ("broker", "config", "rexec"):
            stats = content(client.ask(f"{service}.stats-get"))
            kinds = {"request", "response", "event", "control"}
            assert (stats["tx"].keys(), stats["rx"].keys()) == (kinds, kinds)
        stats = content(client.ask("overlay.stats-get", None, 1))
        assert (stats["child-count"], stats["child-connected"], stats["parent-count"]) == (1, 1, 1)
        server = content(client.ask("connector-local.stats-get"))["server"]
        assert len(server["clients"]) == 1
        [process] = content(client.ask("rexec.list", None, 0))["procs"]
        assert (process["label"], process["state"]) == ("rc2", "R")


def test_attributes_can_be_listed(instance: Running) -> None:
    with instance.client() as client:
        names = content(client.ask("attr.list"))["names"]
    assert {
        "rank", "size", "hostlist", "parent-uri", "log-level", "log-ring-size", "tbon.endpoint",
        "broker.critical-ranks", "log-syslog-enable", "broker.sd-stop-timeout",
    } <= set(names)  # fmt: skip


def test_the_log_of_each_rank_can_be_read_from_any(instance: Running) -> None:
    with instance.client(2) as client:
        for rank in range(3):
            lines = records(client, rank)
            pattern = rb"<(\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (\d) ([\w-]+) \d+ - - (.+)"
            parsed = [re.fullmatch(pattern, line, re.DOTALL) for line in lines]
            assert all(parsed)
            found = [one.groups() for one in parsed if one is not None]
            assert {int(one[1]) for one in found} == {rank}
            steps = [one[3] for one in found if b"->" in one[3]]
            assert [re.split(rb": |->| ", one)[2] for one in steps] == [
                b"join", b"config-sync", b"init", b"quorum", b"run",
            ]  # fmt: skip
            assert {(one[0], one[2]) for one in found if b"->" in one[3]} == {(b"48", b"broker")}
            assert (b"56", b"broker", b"insmod overlay") in {(a, c, d) for a, _, c, d in found}
            stats = content(client.ask("log.stats-get", None, rank))
            assert stats == {
                "ring-used": len(lines), "count": len(lines), "local": len(lines), "remote": 0,
            }  # fmt: skip


def test_records_of_clients(instance: Running) -> None:
    """They are kept on their own rank; those of others are counted."""
    with instance.client(1) as follower, instance.client(1) as client:
        follower.send("log.dmesg", '{"follow":true,"nobacklog":true}', STREAM)
        follower.ask("attr.get", '{"name":"rank"}')
        own = b"<48>1 2026-01-02T03:04:05.678901Z 1 test 7 - - mine"
        other = b"<56>1 2026-01-02T03:04:05.678901Z 2 test 7 - - theirs"
        for record in (other, own):
            client.send_raw("log.append", record, 0, ANY)
            assert client.receive().errnum == 0
        assert (follower.receive().payload or b"").rstrip(b"\0") == own
        assert records(client, 1)[-1] == own
        assert content(client.ask("log.stats-get"))["remote"] == 1
        assert client.ask("log.clear").errnum == 0
        assert records(client, 1) == []


def test_a_stream_can_be_cancelled(instance: Running) -> None:
    for rank in (0, 2):
        with instance.client() as client:
            client.send("log.dmesg", '{"follow":true,"nobacklog":true}', STREAM, rank)
            tag = client.ask("attr.get", '{"name":"rank"}', rank).matchtag - 1
            client.send("log.cancel", json.dumps({"matchtag": tag}), message.NORESPONSE, rank)
            answer = client.receive()
            assert (answer.matchtag, answer.errnum, answer.topic) == (tag, 61, "log.dmesg")


def test_a_client_that_goes_ends_its_streams(instance: Running) -> None:
    """The services it has asked are told, wherever they are."""
    with instance.client() as client:
        client.send("overlay.health", None, STREAM, 1)
        assert client.receive().errnum == 0
        client.send("state-machine.monitor", None, STREAM, 1)
        assert client.receive().errnum == 0

        def pending() -> int:
            return int(content(client.ask("overlay.stats-get", None, 0))["child-rpc"])

        before = pending()
        with instance.client() as other:
            other.send("state-machine.monitor", None, STREAM, 2)
            assert other.receive().errnum == 0
            assert pending() == before + 1
        until(lambda: pending() == before, "the stream to be forgotten")
