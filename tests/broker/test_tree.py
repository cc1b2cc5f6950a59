"""The tree of brokers: who waits for whom, who is refused, and who is lost."""

from __future__ import annotations

import re
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui import compactjson
from fluxstart_tui.rfc import message
from tests.broker.instance import PATIENCE, Broker, Instance, until

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = re.compile(r"broker\.info\[(\d+)\]: ([\w-]+: [\w-]+->[\w-]+) [\d.e-]+m?s$", re.MULTILINE)

LEADER = [
    "builtins-success: load-builtins->join",
    "parent-none: join->config-sync",
    "sync-none: config-sync->init",
    "rc1-none: init->quorum",
    "quorum-full: quorum->run",
    "rc2-success: run->cleanup",
    "cleanup-none: cleanup->shutdown",
    "children-complete: shutdown->finalize",
    "rc3-none: finalize->goodbye",
    "goodbye: goodbye->unload-builtins",
    "builtins-done: unload-builtins->exit",
]
FOLLOWER = [
    "builtins-success: load-builtins->join",
    "parent-ready: join->config-sync",
    "sync-success: config-sync->init",
    "rc1-none: init->quorum",
    "quorum-full: quorum->run",
    "shutdown: run->cleanup",
    "cleanup-none: cleanup->shutdown",
    "children-none: shutdown->finalize",
    "rc3-none: finalize->goodbye",
    "goodbye: goodbye->unload-builtins",
    "builtins-done: unload-builtins->exit",
]


def transitions(log: str, rank: int) -> list[str]:
    return [text for who, text in EVENTS.findall(log) if int(who) == rank]


def test_brokers_go_through_the_states_of_flux_broker(tmp_path: Path) -> None:
    with Instance(tmp_path, 3, "-v", "-Stbon.topo=kary:1", "--", "true") as instance:
        assert instance.wait() == [0, 0, 0]
        router = [line.replace("children-none", "children-complete") for line in FOLLOWER]
        assert transitions(instance[0].stderr, 0) == LEADER
        assert transitions(instance[1].stderr, 1) == router
        assert transitions(instance[2].stderr, 2) == FOLLOWER


def test_the_leader_can_log_for_all(tmp_path: Path) -> None:
    levels = "-Slog-stderr-level=6", "-Slog-forward-level=6"
    with Instance(tmp_path, 2, *levels, "--", "true") as instance:
        assert instance.wait() == [0, 0]
        # what comes after goodbye finds no way up
        assert transitions(instance[0].stderr, 0) == LEADER
        assert transitions(instance[0].stderr, 1) == FOLLOWER[:-2]
        assert instance[1].stderr == ""


@pytest.mark.parametrize("topology", ["kary:1", "kary:2", "kary:0", "kary:32"])
def test_any_width_of_tree_works(tmp_path: Path, topology: str) -> None:
    with Instance(tmp_path, 7, f"-Stbon.topo={topology}", "--", "true") as instance:
        assert instance.wait() == [0] * 7
        assert [broker.stderr for broker in instance.brokers.values()] == [""] * 7
        assert not list(instance.rundir.iterdir())


def test_unknown_topologies_are_refused(tmp_path: Path) -> None:
    for uri, why in (
        ("bogus", "unknown topology scheme 'bogus'"),
        ("kary:x", "kary k value must be an integer >= 0"),
    ):
        broker = Broker(tmp_path, [f"-Stbon.topo={uri}", "true"])
        assert broker.wait() == 1
        assert f"overlay.err[0]: error creating '{uri}' topology: {why}\n" in broker.stderr


def test_a_lost_child_is_missed_when_it_is_to_be_told_something(tmp_path: Path) -> None:
    with Instance(
        tmp_path, 4, "-Shostname=box", "-Stbon.topo=kary:1", "--", "cat", stdin=subprocess.PIPE
    ) as instance:
        with instance.client(3) as client:
            until(lambda: '"run"' in (client.ask("state-machine.get").text or ""), "run")
            instance[2].process.kill()
            instance[2].wait()
            assert '"run"' in (client.ask("state-machine.get").text or "")
        log = instance[0]
        assert log.stderr == ""
        assert log.process.stdin is not None
        log.process.stdin.close()
        assert [log.wait(), instance[1].wait()] == [0, 0]
        assert (
            "overlay.err[1]: box (rank 2) failed and severed contact with 1 other nodes\n"
            in log.stderr
        )


def test_a_lost_parent_is_not_missed(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "--", "cat", stdin=subprocess.PIPE) as instance:
        with instance.client(1) as client:
            until(lambda: '"run"' in (client.ask("state-machine.get").text or ""), "run")
            instance[0].process.kill()
            instance[0].wait()
            assert '"run"' in (client.ask("state-machine.get").text or "")
        assert instance[1].stderr == ""


def test_a_leader_that_fails_takes_all_down(tmp_path: Path) -> None:
    with Instance(
        tmp_path, 3, "--", "true", per_rank={0: ["-Sbroker.rc1_path=sleep 0.2; exit 5"]}
    ) as instance:
        assert instance[0].wait() == 5
        assert {instance[1].wait(), instance[2].wait()} <= {0, 1}


def test_strangers_are_refused(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "-Shostname=box", "--", "cat", stdin=subprocess.PIPE) as instance:
        with instance.client(1) as client:
            until(lambda: '"run"' in (client.ask("state-machine.get").text or ""), "run")
        fields = {"rank": 1, "uuid": "x", "hostname": "evil", "pubkey": "0" * 40}
        hello = message.request(
            "overlay.hello", message.text_payload(compactjson.dumps(fields)), matchtag=1
        )
        for first, answered in ((hello, True), (message.request("state-machine.get"), False)):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(PATIENCE)
                sock.connect(str(instance.rundir / "tbon-0"))
                sock.sendall(message.encode_framed(first))
                [answer] = message.Decoder().feed(sock.recv(65536))
                if answered:
                    assert answer.errnum == 1
                else:
                    assert answer.type == message.CONTROL
        instance[0].until_stderr(
            "overlay.err[0]: rejecting connection from evil (rank 1): wrong key\n"
        )
        assert instance[1].process.poll() is None


def test_garbage_on_the_tree_socket_is_dropped(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "cat", stdin=subprocess.PIPE) as instance:
        with instance.client(1) as client:
            until(lambda: '"run"' in (client.ask("state-machine.get").text or ""), "run")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE)
            sock.connect(str(instance.rundir / "tbon-0"))
            sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert sock.recv(1) == b""
        assert instance[0].process.stdin is not None
        instance[0].process.stdin.close()
        assert instance.wait() == [0, 0]


def test_a_quorum_of_fewer_does_not_wait_for_all(tmp_path: Path) -> None:
    with Instance(
        tmp_path, 3, "-v", "-Shostname=box", "-Sbroker.quorum=2", "--", "sh", "-c", "echo up; cat",
        per_rank={2: ["-Sbroker.rc1_path=echo up; sleep 60"]}, stdin=subprocess.PIPE,
    ) as instance:  # fmt: skip
        instance[0].until_stderr("broker.info[0]: online: box,box (ranks 0-1)\n")
        instance[0].until_stdout("up")
        instance[2].until_stderr("rc1.0: up")
        instance[2].process.terminate()
        assert instance[0].process.stdin is not None
        instance[0].process.stdin.close()
        assert instance.wait() == [0, 0, 129]


def test_a_late_broker_is_waited_for_with_warnings(tmp_path: Path) -> None:
    go = tmp_path / "go"
    with Instance(
        tmp_path, 2, "-Shostname=box", "-Sbroker.quorum-warn=50ms", "--", "true",
        per_rank={1: [f"-Sbroker.rc1_path=while ! test -e {go}; do sleep 0.01; done"]},
    ) as instance:  # fmt: skip
        log = instance[0]
        until(
            lambda: (
                log.stderr.count("broker.err[0]: quorum delayed: waiting for box (rank 1)\n") > 1
            ),
            "two warnings",
        )
        go.touch()
        assert instance.wait() == [0, 0]
        assert log.stderr.endswith("broker.err[0]: quorum reached\n")


def test_shutdown_waits_for_children_or_times_out(tmp_path: Path) -> None:
    with Instance(
        tmp_path, 2, "-Shostname=box", "-Sbroker.shutdown-warn=50ms",
        "-Sbroker.shutdown-timeout=200ms", "--", "true",
        per_rank={1: ["-Sbroker.rc3_path=sleep 60"]},
    ) as instance:  # fmt: skip
        assert instance[0].wait() == 0
        log = instance[0].stderr
        assert "broker.err[0]: shutdown delayed: waiting for 1 peers: box (rank 1)\n" in log
        assert "broker.err[0]: shutdown timeout\n" in log
        assert instance[1].stderr == ""


@pytest.mark.parametrize(
    "value", ["x", "3", "-1", "", "1000000000000000000000"], ids=lambda value: value or "empty"
)
def test_a_senseless_quorum_is_an_error(tmp_path: Path, value: str) -> None:
    broker = Broker(tmp_path, [f"-Sbroker.quorum={value}", "true"])
    assert broker.wait() == 1
    assert broker.stderr.endswith("broker.crit[0]: Error parsing broker.quorum attribute\n")


def test_the_former_notation_of_a_quorum_is_understood(tmp_path: Path) -> None:
    with Instance(tmp_path, 2, "-Sbroker.quorum=0-1", "--", "true") as instance:
        assert instance.wait() == [0, 0]
        assert instance[0].stderr.endswith(
            "broker.err[0]: warning: broker.quorum is now a size - assuming 2\n"
        )
        assert instance[1].stderr == ""
