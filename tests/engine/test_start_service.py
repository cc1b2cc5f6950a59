"""The start service: flux start's methods as flux start has them, and ours."""

from __future__ import annotations

import base64
import errno
import re
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxstart_tui.engine.start_control import Held
from fluxstart_tui.rfc import message
from fluxstart_tui.rpc.errors import RpcError
from tests import support
from tests.engine import start_probe
from tests.engine.start_host import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fluxstart_tui.rpc.blocking import Client


@pytest.fixture
def host(scene: Path) -> Iterator[Host]:
    """Give a service over two processes."""
    with Host(scene) as one:
        yield one


@pytest.fixture
def client(host: Host) -> Iterator[Client]:
    """Give a client of it."""
    with host.client() as one:
        host.hear()
        yield one


def refused(call: Callable[[], object]) -> tuple[int, str | None]:
    with pytest.raises(RpcError) as caught:
        call()
    return caught.value.errnum, caught.value.text


PROBED = """\
start.status None: [['pid'], ['pid']]
start.status {'x': 1}: [['pid'], ['pid']]
start.run {'rank': 0}: (17, None)
start.run {'rank': 9}: (3, None)
start.run {'rank': -1}: (3, None)
start.run {}: (71, None)
start.run {'rank': 0.0}: (71, None)
start.run {'rank': True}: (71, None)
start.run None: (71, None)
start.kill {'rank': 0, 'signum': 0}: (22, None)
start.kill {'rank': 9, 'signum': 0}: (3, None)
start.kill {'rank': 1}: (71, None)
start.kill {'rank': 1, 'signum': '15'}: (71, None)
start.kill {'rank': 1, 'signum': 999}: {}
start.kill {'rank': 1, 'signum': -1}: {}
start.kill {'rank': 1, 'signum': 28}: {}
start.wait {'rank': 9}: (3, None)
start.wait {'rank': '0'}: (71, None)
start.wait None: (71, None)
start.bogus {}: (38, "Unknown service method 'start.bogus'")
attr.get {'name': 'rank'}: (38, "Unknown service method 'attr.get'")
 {}: (38, "Unknown service method ''")
start.wait {'rank': 1}: (110, None)
start.wait {'rank': 1}: (17, None)
"""
LINES = [
    "hi X",
    "bye X",
    "disconnect from X",
    "error responding to wait request: No such file or directory",
]


def test_flux_starts_own_methods(host: Host, capfd: pytest.CaptureFixture[str]) -> None:
    """Answers, errnos, texts and lines are flux start's."""
    start_probe.main(host.path)
    assert capfd.readouterr().out == PROBED
    assert host.hear_all("disconnect") == LINES[:3]
    host.loop.do(lambda: host.signal(frozenset((1,)), 9, ""))
    assert host.hear_all("error") == LINES[3:]


@pytest.mark.real_flux
def test_flux_start_agrees(scene: Path) -> None:
    """The real one, asked the same, answers the same."""
    words = ["flux", "start", "-v", "-s2", "-Sbroker.rc1_path=", "-Sbroker.rc3_path="]
    done = subprocess.run(
        [*words, sys.executable, "-m", "tests.engine.start_probe"],
        env=support.environment(scene),
        cwd=scene,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = re.findall(
        r"^flux-start: ((?:hi|bye|disconnect|error).*)$", done.stderr, flags=re.MULTILINE
    )
    lines = [re.sub(r"\b[0-9a-f]{5}$", "X", line) for line in lines]
    assert (done.stdout, lines) == (PROBED, LINES)


def test_responses_carry_the_owner(host: Host) -> None:
    """The role is owner alone and the routes are empty (librouter/usock_service.c)."""
    import socket

    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(host.path)
        assert sock.recv(1) == b"\0"
        request = message.request("start.kill", b'{"rank": 9, "signum": 15}\0', matchtag=1)
        sock.send(message.encode_framed(request))
        (answer,) = message.Decoder().feed(sock.recv(999))
        assert (answer.rolemask, answer.routes, answer.errnum) == (1, [], 3)
        sock.send(message.encode_framed(message.Message(message.EVENT, "x")))
        assert host.hear_all("drop")[-1] == "drop event from X"
        sock.send(message.encode_framed(message.request("disconnect")))
        assert host.hear_all("disconnect") == ["disconnect from X"]


def test_kill_wait_and_run_again(host: Host, client: Client) -> None:
    """A broker is ended, waited for, and started anew."""
    former = host.pid(1)
    assert client.call("start.kill", {"rank": 1, "signum": 15}) == {}
    assert client.call("start.wait", {"rank": 1}) == {"exit_rc": 143}
    assert client.call("start.status")["procs"] == [{"pid": host.pid(0)}, {"pid": -1}]
    assert client.call("start.wait", {"rank": 1}) == {"exit_rc": 143}
    assert client.call("start.kill", {"rank": 1, "signum": 0}) == {}
    assert client.call("start.run", {"rank": 1}) == {}
    assert client.call("start.status")["procs"][1]["pid"] not in (-1, former)
    assert refused(lambda: client.call("start.run", {"rank": 1})) == (errno.EEXIST, None)


def test_who_wants_it_is_recorded(host: Host, client: Client) -> None:
    """A signal's origin is the method and the process that called it."""
    client.call("start.kill", {"rank": 0, "signum": 28})
    by = host.asked.get_nowait()[3]
    assert re.fullmatch(r"start\.kill from \S.*, pid \d+", by)


def test_a_waiter_that_has_gone_makes_room(host: Host) -> None:
    """One that was stopped by ^C does not keep others from waiting."""
    with host.client() as one:
        assert refused(lambda: one.call("start.wait", {"rank": 0}, timeout=0.05))[0] == 110
    host.hear_all("disconnect")
    with host.client() as other, host.client() as third:
        assert refused(lambda: other.call("start.wait", {"rank": 0}, timeout=0.05))[0] == 110
        assert refused(lambda: third.call("start.wait", {"rank": 0}))[0] == errno.EEXIST


def test_a_broker_that_can_not_be_started(scene: Path) -> None:
    """Who asked is told, and the instance goes on."""
    with Host(scene, argv=("/no/such",), running=()) as host, host.client() as client:
        assert client.call("start.wait", {"rank": 0}) == {"exit_rc": 0}
        assert refused(lambda: client.call("start.run", {"rank": 0})) == (
            errno.ENOENT,
            "flux_exec: No such file or directory",
        )
        assert client.call("start.status") == {"procs": [{"pid": -1}, {"pid": -1}]}


def test_info(host: Host, client: Client) -> None:
    """It says what the engine says, and which methods there are."""
    info = client.call("start.info")
    assert (info["size"], info["session"], info["protocol"]) == (2, None, 1)
    assert {"start.status", "start.watch", "start.pmi"} <= set(info["methods"])


def test_signal(host: Host, client: Client) -> None:
    """Several ranks are signalled; the answer names those that ran."""
    assert client.call("start.signal", {"ranks": "all", "signum": 28}) == {"ranks": "0-1"}
    assert client.call("start.signal", {"ranks": "1", "signum": 9}) == {"ranks": "1"}
    client.call("start.wait", {"rank": 1})
    assert client.call("start.signal", {"ranks": "0-1", "signum": 28}) == {"ranks": "0"}


def test_timer(host: Host, client: Client) -> None:
    """It is extended, cancelled and fired, if it runs."""
    extend = {"action": "extend", "seconds": 5}
    wanted = (errno.EINVAL, "the exit timer does not run")
    assert refused(lambda: client.call("start.timer", extend)) == wanted
    assert refused(lambda: client.call("start.timer", {"action": "cancel"})) == wanted
    host.remaining = 2.5
    assert client.call("start.timer", extend) == {"remaining": 7.5}
    assert client.call("start.timer", {"action": "cancel"}) == {}
    assert client.call("start.timer", {"action": "fire"}) == {"ranks": "0-1"}
    assert client.call("start.wait", {"rank": 0}) == {"exit_rc": 137}


def test_input_is_acknowledged_when_it_is_written(host: Host, client: Client) -> None:
    """Text and base64 arrive as bytes; too much at once is refused."""
    host.terminal = True
    binary = {"data": base64.b64encode(b"\x00\xff").decode(), "encoding": "base64"}
    for payload in ({"data": "é\n"}, binary):
        call = partial(client.call, "start.input", payload, timeout=0.05)
        assert refused(call)[0] == errno.ETIMEDOUT
    assert [host.asked.get()[1:], host.asked.get()[1:]] == [(0, "é\n".encode()), (0, b"\x00\xff")]
    big = {"data": "x" * (1 << 20)}
    assert refused(lambda: client.call("start.input", big))[0] == errno.EAGAIN
    other = partial(client.call, "start.input", {**big, "rank": 1}, timeout=0.05)
    assert refused(other)[0] == errno.ETIMEDOUT  # what waits for one rank is no matter of another
    host.loop.do(lambda: [done(0) for done in host.typing])
    answers: list[Any] = []
    client._conversation.request("start.input", big, answers.append)
    client._conversation.request("start.input", {"data": "y"}, answers.append)
    client._step_until(answers, 30)
    assert answers[0].errnum == errno.EAGAIN
    host.loop.do(lambda: host.typing[-1](errno.EIO))
    answers.clear()
    client._step_until(answers, 30)
    assert answers[0].errnum == errno.EIO


def test_no_terminal(host: Host, client: Client) -> None:
    """Where it is not ours, input and size are refused, and nothing is counted as waiting."""
    wanted = (errno.ENOTSUP, "rank 0 has no terminal of ours")
    for _ in range(3):
        assert refused(lambda: client.call("start.input", {"data": "x" * (1 << 20)})) == wanted
    assert refused(lambda: client.call("start.resize", {"rows": 24, "cols": 80})) == wanted
    host.terminal = True
    assert client.call("start.resize", {"rows": 24, "cols": 80}) == {}
    assert client.call("start.resize", {"rows": 25, "cols": 81, "rank": 1}) == {}
    assert client.call("start.continue", {"rank": 1}) == {}
    assert [host.asked.get(), host.asked.get()] == [("resize", 0, 24, 80), ("resize", 1, 25, 81)]
    assert host.asked.get() == ("resume", 1)


def test_pmi(host: Host, client: Client) -> None:
    """Ranks and the barrier are held and released; the answer is what is held then."""

    def ask(**payload: str) -> tuple[str, bool]:
        answer = client.call("start.pmi", payload)
        return answer["ranks"], answer["barrier"]

    assert ask(hold="1") == ("1", False)
    assert ask(hold="barrier") == ("1", True)
    assert ask(hold="all") == ("0-1", True)
    assert ask(release="0") == ("1", True)
    assert ask(release="barrier") == ("1", False)
    host.held = Held(frozenset((0,)), barrier=True)
    assert ask(release="all") == ("", False)


def test_shutdown(host: Host, client: Client) -> None:
    """The engine is told who wants it."""
    assert client.call("start.shutdown") == {}
    assert host.asked.get()[1].startswith("start.shutdown from ")


@pytest.mark.parametrize(
    ("topic", "payload", "wanted"),
    [
        ("signal", {}, errno.EPROTO),
        ("signal", {"ranks": 1, "signum": 9}, errno.EPROTO),
        ("signal", {"ranks": "0", "signum": 0}, errno.EINVAL),
        ("signal", {"ranks": "0", "signum": 65}, errno.EINVAL),
        ("signal", {"ranks": "x\ud800", "signum": 9}, errno.EINVAL),
        ("signal", {"ranks": "", "signum": 9}, errno.EINVAL),
        ("signal", {"ranks": "0-2", "signum": 9}, errno.ESRCH),
        ("signal", {"ranks": "0-2000000000", "signum": 9}, errno.ESRCH),
        ("timer", {}, errno.EINVAL),
        ("timer", {"action": "extend"}, errno.EPROTO),
        ("timer", {"action": "extend", "seconds": True}, errno.EPROTO),
        ("timer", {"action": "extend", "seconds": -1}, errno.EINVAL),
        ("timer", {"action": "extend", "seconds": 10**400}, errno.EINVAL),
        ("input", {}, errno.EPROTO),
        ("input", {"data": "x", "encoding": "rot13"}, errno.EPROTO),
        ("input", {"data": "*", "encoding": "base64"}, errno.EINVAL),
        ("input", {"data": "\ud800"}, errno.EINVAL),
        ("input", {"data": "x", "rank": 2}, errno.ESRCH),
        ("input", {"data": "x", "rank": None}, errno.EPROTO),
        ("resize", {"rows": 1}, errno.EPROTO),
        ("resize", {"rows": 0, "cols": 1}, errno.EINVAL),
        ("resize", {"rows": 1, "cols": 1 << 16}, errno.EINVAL),
        ("resize", {"rows": 1, "cols": 1, "rank": -1}, errno.ESRCH),
        ("resize", {"rows": 1, "cols": 1, "rank": True}, errno.EPROTO),
        ("pmi", {}, errno.EPROTO),
        ("pmi", {"hold": "1", "release": "1"}, errno.EPROTO),
        ("pmi", {"keep": "1"}, errno.EPROTO),
        ("pmi", {"hold": ["1"]}, errno.EPROTO),
        ("pmi", {"hold": "9"}, errno.ESRCH),
        ("watch", {}, errno.EPROTO),
        ("cancel", {}, errno.EPROTO),
    ],
)
def test_requests_that_make_no_sense(
    host: Host, client: Client, topic: str, payload: dict[str, object], wanted: int
) -> None:
    """Each is answered with an errno, and the service goes on."""
    import json

    answers: list[Any] = []
    request = message.request(f"start.{topic}", json.dumps(payload).encode() + b"\0", matchtag=1)
    client._conversation.request("start.status", None, answers.append)
    client._step_until(answers, 30)
    client._conversation._sinks[1] = (answers.append, False)
    client._write(message.encode_framed(request))
    answers.clear()
    client._step_until(answers, 30)
    assert answers[0].errnum == wanted
    assert client.call("start.status")["procs"]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from(["all", "barrier", "0-1", "extend", "fire", "base64"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
_KEYS = st.sampled_from(
    ["rank", "signum", "ranks", "action", "seconds", "data", "encoding", "rows", "cols", "hold",
     "release", "matchtag"]
)  # fmt: skip


def test_no_payload_reaches_the_loop_as_an_error(scene: Path) -> None:
    """Whatever a request holds, it is answered."""
    import json

    with Host(scene, running=()) as host, host.client() as client:
        methods = client.call("start.info")["methods"]
        host.terminal = True

        @given(
            st.sampled_from([one for one in methods if one != "start.run"]),
            st.dictionaries(_KEYS, _VALUES, max_size=3),
        )
        @settings(max_examples=200, deadline=None)
        def ask(topic: str, payload: dict[str, object]) -> None:
            data = json.dumps(payload).encode() + b"\0"
            request = message.request(topic, data, flags=message.NORESPONSE)
            client._write(message.encode_framed(request))
            assert len(client.call("start.status", timeout=30)["procs"]) == 2

        ask()


def test_watch(host: Host, client: Client) -> None:
    """The first answer comes at once, more when the session grows, and the end with ENODATA."""
    assert refused(lambda: next(client.stream("start.watch"))) == (
        errno.ENOTSUP,
        "nothing is recorded",
    )
    host.grow(10)
    stream = client.stream("start.watch")
    assert next(stream) == {"journal": 10, "segment": 0, "records": 0}
    host.grow(20, 1, 2)
    assert next(stream) == {"journal": 20, "segment": 1, "records": 2}
    host.loop.do(lambda: host.grow_unsaid(30))
    host.loop.do(host.service._watchers.close)
    assert [one["journal"] for one in stream] == [30]


def test_watch_is_coalesced(host: Host, client: Client) -> None:
    """Growth within a few milliseconds is one answer, and the last word is always said."""
    host.grow(0)
    stream = client.stream("start.watch")
    next(stream)

    def grow_often() -> None:
        for journal in range(1, 1001):
            host.grow_unsaid(journal)
            host.service.grew()

    host.loop.do(grow_often)
    assert [next(stream)["journal"], next(stream)["journal"]] == [1, 1000]


def test_a_watcher_that_does_not_read_costs_nothing(host: Host) -> None:
    """It is told nothing until it reads again, and then how far things are by now."""
    import socket

    host.grow(0)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(host.path)
        assert sock.recv(1) == b"\0"
        request = message.request("start.watch", matchtag=1, flags=message.STREAMING)
        sock.send(message.encode_framed(request))
        decoder = message.Decoder()
        while not decoder.feed(sock.recv(9999)):
            pass
        (peer,) = host.service._server.clients

        def fill() -> int:
            full = 0
            while not peer.backlog:
                full += 1
                host.grow_unsaid(full)
                host.service._watchers._inform(peer)
            backlog = peer.backlog
            for more in range(1000):
                host.grow_unsaid(full + more)
                host.service._watchers._inform(peer)
            assert peer.backlog == backlog
            return full + 999

        wanted = host.loop.do(fill)
        last = 0
        while last != wanted:
            for answer in decoder.feed(sock.recv(65536)):
                last = int(re.findall(r"\d+", answer.text or "")[0])


def test_watch_can_be_cancelled(host: Host, client: Client) -> None:
    """start.cancel ends that stream of that client."""
    host.grow(1)
    stream = client.stream("start.watch")
    next(stream)
    client._conversation.notify("start.cancel", {"matchtag": 1})
    assert list(stream) == []
    host.grow(2)
    assert client.call("start.status")["procs"]


def test_watchers_go_with_their_client(host: Host) -> None:
    """Nothing is kept of them."""
    host.grow(1)
    with host.client() as client:
        next(client.stream("start.watch"))
    host.hear_all("disconnect")
    host.grow(2)
    assert not host.service._watchers._watchers
