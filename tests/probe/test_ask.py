"""Brokers are asked all at once and in bounded time, whatever is behind their sockets."""

from __future__ import annotations

import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from fluxstart_tui.probe import ask
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

BROKERS = ["embedded", pytest.param("flux", marks=pytest.mark.real_flux)]


@pytest.mark.parametrize("broker", BROKERS)
def test_what_brokers_say(scene: Path, broker: str) -> None:
    """State, attributes, membership and log of each."""
    program = support.start(
        scene, "--headless", f"--broker={broker}", f"--test-rundir={scene}", "-s3",
        "-Sbroker.rc1_path=", "-Sbroker.rc3_path=", "sh", "-c", "touch up; exec sleep 99",
    )  # fmt: skip
    support.wait_for((scene / "up").exists, "the program")
    paths = [f"{scene}/local-{rank}" for rank in range(3)]
    leader, *others = ask.ask(paths).values()
    assert leader.trouble == ""
    assert (leader.state, leader.online) == ("run", "0-2")
    assert leader.attributes["size"] == "3"
    assert any(record.text.startswith("quorum-full: quorum->run") for record in leader.log)
    assert {one.attributes["rank"] for one in others} == {"1", "2"}
    program.send_signal(signal.SIGTERM)
    support.finish(program)


def listener(path: str, greeting: bytes | None) -> socket.socket:
    """Listen at a path and send that to whoever comes; None accepts nobody."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(1)

    def serve() -> None:
        client, _ = server.accept()
        client.sendall(greeting or b"")
        client.recv(1 << 20)
        while len(greeting or b"") > 1 and client.recv(1 << 20):
            pass
        client.close()

    if greeting is not None:
        threading.Thread(target=serve, daemon=True).start()
    return server


def test_what_is_no_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody, a mute one, one that refuses, one that hangs up, one that talks nonsense."""
    monkeypatch.chdir(tmp_path)
    servers = [
        listener("mute", None),
        listener("refuses", b"\x01"),
        listener("hangs-up", b"\0"),
        listener("nonsense", b"\0" + b"x" * 64),
    ]
    began = time.monotonic()
    found = ask.ask(["mute", "refuses", "hangs-up", "nonsense", "nobody", "a" * 200], 0.5)
    assert time.monotonic() - began < 5
    assert {path: one.trouble for path, one in found.items()} == {
        "mute": "does not answer",
        "refuses": "refuses us: Operation not permitted",
        "hangs-up": "has hung up",
        "nonsense": "does not speak Flux's protocol",
        "nobody": "No such file or directory",
        "a" * 200: "AF_UNIX path too long",
    }
    assert found["mute"].words == "does not answer"
    for server in servers:
        server.close()
