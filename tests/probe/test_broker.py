"""How a broker's process looks from outside."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from fluxstart_tui.probe import broker
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

CODE = """
import socket, subprocess, sys
local = socket.socket(socket.AF_UNIX); local.bind(sys.argv[1]); local.listen()
tcp = socket.socket(); tcp.bind(("127.0.0.1", 0)); tcp.listen()
peer = socket.create_connection(tcp.getsockname())
child = subprocess.Popen(["sleep", "97.5"])
print(tcp.getsockname()[1], flush=True)
sys.stdin.readline(); child.kill()
"""


def test_sockets_children_and_state_of_a_process(tmp_path: Path) -> None:
    path = str(tmp_path / "local-3")
    with subprocess.Popen(
        [sys.executable, "-c", CODE, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        support.wait_for(lambda: "sleep 97.5" in broker.look(child.pid).runs, "its child")
        look = broker.look(child.pid)
        assert look.local == path
        assert f"127.0.0.1:{port}" in look.listens
        assert look.connects.count(f"127.0.0.1:{port} established") == 1
        opened, limit = look.files.split("/")
        assert int(opened) < int(limit)
        child.send_signal(signal.SIGSTOP)
        support.wait_for(lambda: broker.look(child.pid).state == "T", "its stop")
        child.send_signal(signal.SIGCONT)
        child.communicate(b"\n")
    assert broker.look(child.pid) == broker.Look(child.pid, *[""] * 8)


def test_a_rank_is_the_launchers_first_word_for_it() -> None:
    assert broker.rank_in({"SLURM_PROCID": "7", "PMI_RANK": "3"}) == 3
    assert broker.rank_in({"PMI_RANK": "x", "OMPI_COMM_WORLD_RANK": "0"}) == 0
    assert broker.rank_in({"PMI_RANK": "9" * 30}) is None
