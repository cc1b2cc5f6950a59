"""What the monitor records is what the brokers themselves say."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.session.reader import Session
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

    from fluxstart_tui.session.state import InstanceState

BROKERS = ["embedded", pytest.param("flux", marks=pytest.mark.real_flux)]
TRANSITION = re.compile(r"<6>broker\.info\[(\d+)\]: ([\w-]+): ([\w-]+)->([\w-]+) [\d.]+m?u?s")
LISTENER = f"""{support.PMI}
import socket
place = [word for word in sys.argv if word.startswith("--setattr=rundir=")][0][17:]
server = socket.socket(socket.AF_UNIX); server.bind(f"{{place}}/local-{{rank}}"); server.listen(5)
ask("cmd=init pmi_version=1 pmi_subversion=1")
"""
"""What a broker written in Python begins with that listens where brokers do."""
LOCAL = ("-Slog-stderr-level=6", "-Slog-stderr-mode=local")


def said(text: str, *, ended: bool = False) -> dict[int, list[tuple[str, str, str]]]:
    """Return each rank's transitions as its own log has them, less the exit itself or with it."""
    found: dict[int, list[tuple[str, str, str]]] = {}
    for rank, event, former, state in TRANSITION.findall(text):
        if ended or state != "exit":
            found.setdefault(int(rank), []).append((event, former, state))
    return found


def seen(state: InstanceState) -> dict[int, list[tuple[str, str, str]]]:
    """Return each rank's transitions as they were recorded."""
    return {
        rank: [(one.event, one.former, one.state) for one in broker.transitions]
        for rank, broker in state.brokers.items()
    }


@pytest.mark.parametrize("broker", BROKERS)
@pytest.mark.parametrize(
    ("size", "rc"),
    [(1, "true"), (16, "true"), (18, "true"), (40, "true"), (1, ""), (2, ""), (17, "")],
)
def test_every_transition_is_recorded(scene: Path, broker: str, size: int, rc: str) -> None:
    """On every rank exactly what its own log of the same run has, however short its life is."""
    done = support.run(
        scene, "--headless", "--record=session", f"--broker={broker}", f"-s{size}", *LOCAL,
        "-Stbon.topo=kary:3", f"-Sbroker.rc1_path={rc}", f"-Sbroker.rc3_path={rc}", "true",
    )  # fmt: skip
    assert done.code == 0, done.err
    state = Session(str(scene / "session")).state
    ended = broker == "embedded"  # flux-broker's socket is gone by then
    assert seen(state) == said(done.err, ended=ended)
    assert {len(steps) for steps in seen(state).values()} == {10 + ended}
    assert state.end is not None
    assert state.quorum == size
    assert state.program is not None
    assert (state.program.action, state.program.code) == ("ended", 0)


@pytest.mark.parametrize("broker", BROKERS)
def test_who_is_online_and_how_the_tree_is(scene: Path, broker: str) -> None:
    """Membership and the status of subtrees are known while the program runs."""
    go = scene / "go"
    process = support.start(
        scene, "--headless", "--record=session", f"--broker={broker}", "-s4",
        "-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "-Stbon.topo=kary:1",
        "sh", "-c", "until test -e go; do sleep 0.02; done",
    )  # fmt: skip
    session = support.session(scene / "session")
    support.wait_for(lambda: support.now(session).online == frozenset(range(4)), "all to be online")
    for rank in (1, 2, 3):  # each is another router's child

        def whole(rank: int = rank) -> bool:
            return support.now(session).broker(rank).overlay == "full"

        support.wait_for(whole, f"rank {rank} to be full")
    support.wait_for(lambda: support.now(session).attributes, "attributes")
    state = session.state
    assert state.attributes["size"] == "4"
    assert state.attributes["tbon.topo"] == "kary:1"
    assert session.live
    support.wait_for(lambda: support.now(session).broker(3).usage, "a sample")
    usage = session.state.broker(3).usage
    assert usage is not None
    assert usage.rss > 1000
    assert usage.threads >= 1
    go.touch()
    assert support.finish(process).code == 0
    assert not session.live


@pytest.mark.parametrize("broker", BROKERS)
def test_states_are_known_where_the_log_hides_them(scene: Path, broker: str) -> None:
    """Without records of transitions the brokers' states are asked for."""
    process = support.start(
        scene, "--headless", "--record=session", f"--broker={broker}", "-s2", "-Slog-level=3",
        "-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "sleep", "99",
    )  # fmt: skip
    session = support.session(scene / "session")
    support.wait_for(
        lambda: all(support.now(session).broker(rank).state == "run" for rank in (0, 1)),
        "state run",
    )
    process.send_signal(signal.SIGTERM)
    support.finish(process)


@pytest.mark.parametrize("broker", BROKERS)
def test_a_quorum_that_is_not_met_is_told(scene: Path, broker: str) -> None:
    """Who is missing, how often that is warned of, and the warning itself."""
    process = support.start(
        scene, "--headless", "--record=session", f"--broker={broker}", "-s3",
        "-Sbroker.quorum-warn=0.3", "-Sbroker.rc3_path=", "-Sstatedir=state",
        "--test-exit-timeout=0.3",
        "-Sbroker.rc1_path=case $FLUX_URI in *local-2) sleep 99;; esac", "true",
    )  # fmt: skip
    session = support.session(scene / "session")

    def warned() -> bool:
        return any("quorum delayed" in text for _, text in support.now(session).broker(0).errors)

    support.wait_for(warned, "the warning")
    state = session.state
    assert (state.quorum, state.quorum_warn) == (3, 0.3)
    support.wait_for(lambda: support.now(session).online == {0, 1}, "those who are there")
    assert state.broker(2).state == "init"
    process.send_signal(signal.SIGTERM)
    support.finish(process)


def test_a_broker_of_few_is_asked_before_it_is_through_with_pmi(scene: Path) -> None:
    """However short its life is then, and however long nobody looks at it meanwhile."""
    body = """
ask("cmd=finalize")
server.setblocking(False)
client, _ = server.accept()
print(b"log.dmesg" in client.recv(4096))
"""
    option = support.broker(scene, body, LISTENER)
    done = support.run(scene, "--headless", "--record=session", option, "-s16")
    assert (done.code, done.out) == (0, "True\n" * 16), done.err


def test_a_broker_that_says_nonsense_is_not_heard(scene: Path) -> None:
    """Whatever comes from a socket that should be a broker's, the instance goes on."""
    body = """
ask("cmd=put kvsname=- key=x value=y")
client, _ = server.accept()
words = [b"\\0\\x12\\x00\\xee\\xff\\0\\0\\0\\x15" + b"\\xff" * 21, b"\\0" + b"\\xff" * 99, b"\\1"]
client.recv(4096)
client.sendall(words[rank])
"""
    option = support.broker(scene, body, LISTENER)
    done = support.run(scene, "--headless", "--record=session", option, "-s3")
    assert done.code == 0, done.err
    assert done.err == ""


@pytest.mark.real_flux
def test_the_session_agrees_with_flux(scene: Path) -> None:
    """`flux getattr`, `flux overlay status` and `flux dmesg` of the same run say the same."""
    script = (
        "flux getattr hostlist; flux getattr tbon.topo; flux getattr broker.quorum;"
        " flux overlay status --no-pretty --wait=full >/dev/null && echo full;"
        " for rank in 0 1 2; do flux exec -r $rank flux dmesg | grep -c -- '->run '; done"
    )
    done = support.run(
        scene, "--headless", "--record=session", "--broker=flux", "-s3", "sh", "-c", script
    )
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    state = Session(str(scene / "session")).state
    attributes = state.attributes
    assert lines[:3] == [attributes[name] for name in ("hostlist", "tbon.topo", "broker.quorum")]
    assert lines[3] == "full"
    assert lines[4:] == ["1"] * 3
    assert all("run" in [one.state for one in state.broker(r).transitions] for r in range(3))
