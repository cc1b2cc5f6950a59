"""The bootstrap's conversation: how much is asked at once, and what is made of the answers."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.broker.attrs import Attributes
from fluxstart_tui.broker.boot import Card, Identity, Trace, new_key
from fluxstart_tui.broker.errors import BuiltinsError
from fluxstart_tui.broker.exchange import Conversation
from fluxstart_tui.broker.pmi_client import Client
from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import pmi1

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluxstart_tui.broker.pmi_client import Script

SIZE = 300


class Launcher:
    """Answers a script from a real server's half of the protocol; notes what came at once."""

    def __init__(self, preset: Mapping[str, str], kvsname: str = "-") -> None:
        self._core = pmi1.Server(1, preset.items(), self)
        self._kvsname = kvsname.encode()
        self._sent: list[bytes] = []
        self.batches: list[bytes] = []

    def reply(self, client: int, data: bytes) -> None:
        self._sent += data.splitlines()

    def finalized(self, client: int) -> None:
        pass

    def aborted(self, client: int, code: int, message: bytes) -> None:
        raise AssertionError

    def entered(self, client: int, phase: str) -> None:
        pass

    def released(self) -> None:
        pass

    def follow(self, script: Script) -> None:
        try:
            requests = next(script)
            while True:
                self.batches.append(requests)
                self._core.receive(0, requests)
                replies = [line.replace(b"kvsname=-", b"kvsname=" + self._kvsname)
                           for line in self._sent]  # fmt: skip
                self._sent.clear()
                requests = script.send(replies)
        except StopIteration:
            return


def cards(host: str = "box", **others: str) -> dict[str, str]:
    known = {str(rank): Card(host, [], new_key()).encode() for rank in range(SIZE)}
    return known | {name.removeprefix("rank"): value for name, value in others.items()}


def boot(launcher: Launcher, mine: Card, *, traced: bool = False) -> dict[int, Card]:
    """Be rank 2, the child of rank 0 and parent of rank 5."""
    trace = Trace({"FLUX_PMI_DEBUG": ""} if traced else {})
    trace.method = "simple"
    talk = Conversation(Identity("simple", 2, SIZE), trace)
    launcher.follow(talk.introduce(Attributes(), lambda: None))
    found: dict[int, Card] = {}
    launcher.follow(talk.exchange(mine, 0, [5], found))
    return found


def test_flux_start_is_asked_for_many_cards_at_once() -> None:
    launcher = Launcher(cards())
    found = boot(launcher, Card("box", [], new_key()))
    assert sorted(found) == list(range(SIZE))
    assert {card.host for card in found.values()} == {"box"}
    assert max(batch.count(b"\n") for batch in launcher.batches) > 100
    requests = b"".join(launcher.batches).splitlines()
    assert len(requests) == SIZE + 9
    far = [rank for rank in range(SIZE) if rank not in (0, 5)]
    wanted = [b"cmd=get kvsname=- key=%d" % rank for rank in far]
    assert requests[-len(wanted) - 2 :] == [b"cmd=barrier_in", *wanted, b"cmd=finalize"]


def test_another_launcher_is_asked_one_thing_at_a_time() -> None:
    launcher = Launcher(cards(), kvsname="kvs_7_50%d_vm")
    boot(launcher, Card("box", [], new_key()))
    assert {batch.count(b"\n") for batch in launcher.batches} == {1}
    assert len(launcher.batches) == SIZE + 9
    assert b"cmd=get kvsname=kvs_7_50%d_vm key=299\n" in launcher.batches


def test_hosts_of_all_kinds_of_cards_are_found() -> None:
    others = {
        "rank7": Card("other", [], new_key()).encode(),
        "rank8": Card("box", ["ipc:///x"], new_key()).encode(),
        "rank9": '{ "pubkey": "k", "uri": [], "host": "spaced" }',
    }
    found = boot(Launcher(cards(**others)), Card("box", [], new_key()))
    assert [found[rank].host for rank in (6, 7, 8, 9)] == ["box", "other", "box", "spaced"]


def test_cards_of_parent_and_children_are_read_whole() -> None:
    parent = Card("box", ["ipc:///run/tbon-0"], new_key())
    child = Card("box", [], new_key())
    preset = cards(rank0=parent.encode(), rank5=child.encode())
    found = boot(Launcher(preset), Card("box", [], new_key()))
    assert (found[0].uris, found[0].pubkey) == (parent.uris, parent.pubkey)
    assert found[5].pubkey == child.pubkey


@pytest.mark.parametrize("rank", [0, 5, 299])
@pytest.mark.parametrize(
    "value",
    [
        "", "{}", "[]", '{"host":"box","uri":[]}', '{"host":"box","uri":[],"pubkey":"',
        '{"host":"box","uri":[],"pubkey":"}', '{"host":"box","uri":[],"pubkey":7}',
        '{"host":"box","uri":[],"pubkey":"a"b"}', '{"host":"box","uri":[],"pubkey":"\\"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("host", ["box", "else"])
def test_a_malformed_card_is_an_error(rank: int, value: str, host: str) -> None:
    launcher = Launcher(cards(**{f"rank{rank}": value}))
    with pytest.raises(BuiltinsError, match=f"error decoding rank {rank} business card"):
        boot(launcher, Card(host, [], new_key()))


@pytest.mark.parametrize(
    ("rank", "where"),
    [(0, "bootstrap.whois: error fetching bizcard for rank 0"), (299, "bootstrap.finalize")],
)
def test_a_missing_card_is_an_error(rank: int, where: str) -> None:
    preset = cards()
    del preset[str(rank)]
    with pytest.raises(BuiltinsError) as caught:
        boot(Launcher(preset), Card("box", [], new_key()))
    assert str(caught.value) == f"{where}: simple: get {rank}: invalid key argument"


def test_traces_tell_of_every_card(capfd: pytest.CaptureFixture[str]) -> None:
    boot(Launcher(cards()), Card("box", [], new_key()), traced=True)
    lines = capfd.readouterr().err.splitlines()
    assert sum(line.startswith("bootstrap: simple: get key=") for line in lines) == SIZE + 2
    assert lines[-1] == "bootstrap: simple: finalize: success"


def test_a_server_that_does_not_read_is_read_from() -> None:
    """It would block, and so would we: the requests are more than its socket takes."""
    ours, theirs = socket.socketpair()
    reactor = Reactor()
    ask = b"cmd=get kvsname=- key=0\n"
    count = 40000
    got: list[bytes] = []

    def script() -> Script:
        got.extend((yield ask * count))

    client = Client(reactor, os.dup(theirs.fileno()))
    theirs.close()
    ours.setblocking(False)
    asked = bytearray()

    def serve() -> None:
        data = ours.recv(4096)
        asked.extend(data)
        ours.send(b"x\n" * data.count(b"\n"))

    reactor.add_reader(ours.fileno(), serve)
    client.run(script(), reactor.stop)
    reactor.run()
    assert bytes(asked) == ask * count
    assert got == [b"x"] * count
    client.close()
    ours.close()
    reactor.close()
