"""The bootstrap: what a broker asks its launcher, and what if there is no answer."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui import compactjson
from tests.broker.instance import Broker, Instance, until

if TYPE_CHECKING:
    from pathlib import Path

INTRODUCTION = [
    b"cmd=init pmi_version=1 pmi_subversion=1",
    b"cmd=get_maxes",
    b"cmd=get_my_kvsname",
    b"cmd=get kvsname=- key=flux.instance-level",
]
MAPPING = b"cmd=get kvsname=- key=PMI_process_mapping"
BARRIER = b"cmd=barrier_in"
FINALIZE = b"cmd=finalize"


def get(*ranks: int) -> list[bytes]:
    return [b"cmd=get kvsname=- key=%d" % rank for rank in ranks]


def put(request: bytes) -> bytes:
    """Return a put request without what is random in it."""
    return re.sub(rb'"pubkey":"[^"]{40}"', b'"pubkey":"KEY"', request)


def card(rank: int, uri: str = "") -> bytes:
    value = f'{{"host":"box","uri":[{uri}],"pubkey":"KEY"}}'
    return f"cmd=put kvsname=- key={rank} value={value}".encode()


def test_a_single_broker_makes_five_requests(tmp_path: Path) -> None:
    with Instance(tmp_path, 1, "true") as instance:
        assert instance.wait() == [0]
        assert instance.pmi.requests == [[*INTRODUCTION, FINALIZE]]


def test_two_brokers_fetch_each_other_between_the_barriers(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "-Shostname=box", "--", "true") as instance:
        assert instance.wait() == [0, 0]
        uri = f'"ipc://{instance.rundir}/tbon-0"'
        assert [[put(line) for line in lines] for lines in instance.pmi.requests] == [
            [
                *INTRODUCTION, MAPPING, card(0, uri), BARRIER,
                *get(1), BARRIER, *get(0), FINALIZE,
            ],
            [*INTRODUCTION, MAPPING, card(1), BARRIER, *get(0), BARRIER, *get(1), FINALIZE],
        ]  # fmt: skip


def test_a_router_fetches_parent_and_children_first(tmp_path: Path) -> None:
    with Instance(tmp_path, 4, "-Stbon.topo=kary:1", "--", "true") as instance:
        assert instance.wait() == [0, 0, 0, 0]
        wanted = {
            0: (get(1), get(0, 2, 3)),
            1: (get(0, 2), get(1, 3)),
            2: (get(1, 3), get(0, 2)),
            3: (get(2), get(0, 1, 3)),
        }
        for rank, (near, far) in wanted.items():
            requests = instance.pmi.requests[rank]
            assert len(requests) == 4 + 9
            assert requests[6:] == [BARRIER, *near, BARRIER, *far, FINALIZE]


@pytest.mark.parametrize("size", [2, 4])
def test_requests_per_broker_are_size_and_nine(tmp_path: Path, size: int) -> None:
    with Instance(tmp_path, size, "true") as instance:
        assert instance.wait() == [0] * size
        assert {len(lines) for lines in instance.pmi.requests} == {size + 9}


def test_under_flux_the_taskmap_is_asked_for(tmp_path: Path) -> None:
    preset = {"flux.instance-level": "1", "flux.taskmap": '{"version":1,"map":[[0,1,2,1]]}'}
    with Instance(tmp_path, 2, "sh", "-c", "echo $FLUX_ENCLOSING_ID", preset=preset) as instance:
        assert instance.wait() == [0, 0]
        for lines in instance.pmi.requests:
            assert lines[4:6] == [
                b"cmd=get kvsname=- key=flux.tbon-interface-hint",
                b"cmd=get kvsname=- key=flux.taskmap",
            ]
        assert instance[0].stdout == "-\n"  # the job's id is the name of the KVS


def test_cards_are_compact_and_keys_are_z85(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "--", "true", env={"FLUX_FAKE_HOSTNAME": "fake7"}) as instance:
        instance.wait()
        keys = set()
        for rank in range(2):
            value = instance.pmi.kvs(str(rank))
            assert value is not None
            fields = compactjson.loads(value.decode())
            assert isinstance(fields, dict)
            assert list(fields) == ["host", "uri", "pubkey"]
            assert fields["host"] == "fake7"
            assert compactjson.dumps(fields).encode() == value
            keys.add(fields["pubkey"])
            assert re.fullmatch(r"[0-9a-zA-Z.:+=^!/*?&<>()\[\]{}@%$#-]{40}", fields["pubkey"])
        assert len(keys) == 2


def test_without_pmi_a_broker_is_alone(tmp_path: Path) -> None:
    broker = Broker(tmp_path, ["-v", "sh", "-c", "echo $FLUX_URI; ls -ld ${FLUX_URI#local://}"])
    assert broker.wait() == 0
    uri, listing = broker.stdout.splitlines()
    assert re.fullmatch(rf"local://{tmp_path}/flux-\w{{6}}/local-0", uri)
    assert listing.startswith("srwxrwxrwx")
    assert "boot: rank=0 size=1" in broker.stderr
    assert not list(tmp_path.glob("flux-*"))


def test_a_server_that_vanishes_in_the_barrier_ends_the_broker(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "true", ranks=[0]) as instance:
        until(lambda: BARRIER in instance.pmi.requests[0], "barrier")
        instance.pmi.stop()
        assert instance[0].wait() == 1
        log = [line.split(" ", 5)[-1] for line in instance[0].stderr.splitlines()]
        assert log == [
            "overlay.err[0]: bootstrap.barrier: simple: barrier: operation failed",
            "overlay.crit[0]: module exiting abnormally",
            "broker.err[0]: error loading builtins: overlay is unexpectedly finalizing",
            "broker.err[0]: overlay: Invalid argument",
        ]
        assert not list(instance.rundir.iterdir())


def test_signals_in_the_barrier_are_ignored_but_seen(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "-v", "--", "true", ranks=[0]) as instance:
        until(lambda: BARRIER in instance.pmi.requests[0], "barrier")
        instance[0].process.send_signal(signal.SIGTERM)
        instance[0].until_stderr("broker.info[0]: ignored signal 15 in load-builtins\n")
        assert "broker.info[0]: signal 15\n" in instance[0].stderr


def test_a_server_that_never_speaks_pmi_is_no_server(tmp_path: Path) -> None:
    with Instance(tmp_path, 1, "true") as instance:
        instance.wait()
    with Broker_with_mute_server(tmp_path) as broker:
        assert broker.wait() == 1
        assert "broker.crit[box]: bootstrap: simple: initialize: operation failed" in broker.stderr


class Broker_with_mute_server:
    """A broker whose PMI server answers nonsense."""

    def __init__(self, folder: Path) -> None:
        import socket

        self.ours, theirs = socket.socketpair()
        fd = theirs.fileno()
        env = {"PMI_FD": str(fd), "PMI_RANK": "0", "PMI_SIZE": "1"}
        self.broker = Broker(folder, ["-Shostname=box", "true"], env=env, pass_fds=[fd])
        theirs.close()

    def __enter__(self) -> Broker:
        self.ours.recv(100)
        self.ours.sendall(b"HTTP/1.1 400 Bad Request\n")
        return self.broker

    def __exit__(self, *_: object) -> None:
        self.broker.kill()
        self.ours.close()


def test_cards_are_known_before_children_connect(tmp_path: Path) -> None:
    """A child may be through with PMI long before its parent has fetched all cards."""
    with Instance(tmp_path, 16, "-Stbon.topo=kary:2", "--", "true") as instance:
        assert instance.wait() == [0] * 16
        assert instance[0].stderr == ""
