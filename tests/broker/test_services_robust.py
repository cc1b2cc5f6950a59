"""Whatever clients send, brokers go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluxstart_tui.rfc import message
from tests.broker.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPICS = (
    "state-machine.get", "state-machine.monitor", "state-machine.wait", "groups.get",
    "groups.update", "overlay.topology", "overlay.health", "overlay.monitor", "overlay.stats-get",
    "overlay.hello", "overlay.goodbye", "attr.list", "attr.set", "attr.rm",
    "broker.getenv", "broker.ping", "broker.rusage", "config.get", "module.list", "rexec.list",
    "event.subscribe", "event.unsubscribe", "log.dmesg", "log.append", "log.setattr",
    "log.stats-get", "log.clear", "connector-local.stats-get", "overlay.disconnect-subtree",
    "broker.stats-clear", "log.disconnect", "log.cancel", "overlay.disconnect", "x", ".", "a.b.c",
)  # fmt: skip
STRICT = (
    "groups.get", "groups.update", "overlay.topology", "attr.get", "attr.set", "attr.rm",
    "broker.getenv", "event.subscribe", "event.unsubscribe", "log.dmesg", "log.setattr",
    "overlay.disconnect-subtree", "runat.push",
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
# Names that matter with values that do not, but for the rank of the only child.
FIELDS = st.dictionaries(
    st.sampled_from(
        ("name", "value", "final", "follow", "nobacklog", "topic", "names", "who", "matchtag",
         "update", "force", "seq", "uuid", "hostname")
    ),
    VALUES,
)  # fmt: skip
PAYLOADS = (
    st.none()
    | st.binary(max_size=40)
    | FIELDS.map(lambda one: json.dumps(one).encode(errors="replace") + b"\0")
    | VALUES.map(lambda one: json.dumps(one).encode(errors="replace") + b"\0")
)
NODES = st.sampled_from((0, 1, 2, message.NODEID_ANY, message.NODEID_ANY - 1))
ROUTES = st.none() | st.lists(st.text("abc", min_size=1), max_size=3)


@pytest.fixture(scope="module")
def instance() -> Iterator[Running]:
    with running("embedded", size=2) as one:
        yield one
        for rank in (0, 1):
            with one.client(rank) as client:
                assert client.ask("state-machine.get").errnum == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(topic=st.sampled_from(STRICT), payload=PAYLOADS, nodeid=st.sampled_from((0, 1)))
def test_malformed_payloads_are_protocol_errors(
    instance: Running, topic: str, payload: bytes | None, nodeid: int
) -> None:
    """Nothing that these take is an empty object, no object at all, or nothing."""
    try:
        found = json.loads((payload or b"").removesuffix(b"\0") or b"null")
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and found:
        payload = b"{}\0"
    with instance.client() as client:
        client.send_raw(topic, payload, 0, nodeid)
        assert client.receive().errnum == 71


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    topic=st.sampled_from(TOPICS), payload=PAYLOADS, nodeid=NODES, routes=ROUTES,
    flags=st.sampled_from((0, 4, 16, 32, 64, 128, 80, 20)), tag=st.integers(0, 3),
    kind=st.sampled_from((message.REQUEST, message.RESPONSE, message.EVENT, message.CONTROL)),
    userid=st.sampled_from((message.USERID_UNKNOWN, 0, 7)), rolemask=st.sampled_from((0, 1, 7)),
)  # fmt: skip
def test_whatever_arrives_the_next_request_is_answered(
    instance: Running, topic: str, payload: bytes | None, nodeid: int, routes: list[str] | None,
    flags: int, tag: int, kind: int, userid: int, rolemask: int,
) -> None:  # fmt: skip
    sent = message.Message(
        kind, topic, payload, routes=routes, flags=flags, userid=userid, rolemask=rolemask,
        aux1=nodeid, aux2=tag,
    )  # fmt: skip
    with instance.client(1) as client:
        client.sock.sendall(message.encode_framed(sent))
        client.send("attr.get", '{"name":"rank"}', 0, 0)
        while (answer := client.receive()).topic != "attr.get" or answer.text is None:
            assert answer.type == message.RESPONSE
        assert answer.text == '{"value":"0","flags":1}'
