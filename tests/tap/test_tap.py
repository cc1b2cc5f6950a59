"""The proxy in front of a process that speaks PMI."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import fluxstart_tui.tap.__main__ as tap
from tests.broker.instance import PATIENCE
from tests.real_launchers import hydra

if TYPE_CHECKING:
    from pathlib import Path

TAP = [sys.executable, "-I", "-S", tap.__file__]
CLIENT = """
import os, sys
fd = int(os.environ["PMI_FD"])
def ask(line):
    os.write(fd, line)
    return os.read(fd, 65536)
"""


class Server:
    """The launcher's end of a client's PMI connection."""

    def __init__(self, script: str, *options: str, stderr: int = subprocess.PIPE) -> None:
        self.sock, theirs = socket.socketpair()
        self.sock.settimeout(PATIENCE)
        env = {**os.environ, "PMI_FD": str(theirs.fileno()), "PMI_RANK": "7"}
        self.process = subprocess.Popen(
            [*TAP, *options, sys.executable, "-c", CLIENT + script],
            env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=stderr, text=True,
        )  # fmt: skip
        theirs.close()

    def finish(self) -> tuple[int, str, list[str]]:
        """Return exit code, stdout, and the lines of stderr without their times."""
        self.sock.close()
        out, err = self.process.communicate(timeout=PATIENCE)
        lines = [re.sub(r"(pmi 7[<>]) \d+\.\d{6} ", r"\1 ", line) for line in err.splitlines()]
        return self.process.returncode, out, lines


def test_both_directions_are_told_and_the_client_keeps_its_pid() -> None:
    """Its exit code as well."""
    server = Server("print(os.getpid(), ask(b'cmd=get_maxes\\n'), flush=True); sys.exit(3)")
    assert server.sock.recv(100) == b"cmd=get_maxes\n"
    server.sock.sendall(b"cmd=maxes rc=0\n")
    assert server.sock.recv(100) == b""  # the client's end is the end of it
    code, out, lines = server.finish()
    assert (code, out) == (3, f"{server.process.pid} b'cmd=maxes rc=0\\n'\n")
    assert lines == ["fluxstart-tui: pmi 7> cmd=get_maxes", "fluxstart-tui: pmi 7< cmd=maxes rc=0"]


def test_the_launcher_going_away_is_an_end_for_the_client() -> None:
    """Replies that it sent before come first."""
    server = Server("a = os.read(fd, 9); b = os.read(fd, 9); print(a, b)")
    server.sock.sendall(b"bye\n")
    server.sock.close()
    assert server.finish() == (0, "b'bye\\n' b''\n", ["fluxstart-tui: pmi 7< bye"])


def test_pmi_2_is_told_by_message() -> None:
    """After both have agreed on it."""
    server = Server("ask(b'cmd=init pmi_version=2\\n'); ask(b'    12cmd=finalize'); os.read(fd, 1)")
    server.sock.recv(100)
    server.sock.sendall(b"cmd=response_to_init pmi_version=2 rc=0\n")
    assert server.sock.recv(100) == b"    12cmd=finalize"[:18]
    server.sock.sendall(b"    10cmd=\n;rc=0")
    lines = server.finish()[2]
    assert lines[2:] == [
        "fluxstart-tui: pmi 7> cmd=finalize",
        r"fluxstart-tui: pmi 7< cmd=\x0a;rc=0",
    ]


def test_nobody_waits_for_a_reader_of_stderr() -> None:
    """The conversation goes on when what is told of it is not read; how much was lost is told."""
    read, write = os.pipe()
    deed = "for _ in range(60): ask(b'x' * 65535 + b'\\n')\nfor _ in range(9): ask(b'cmd=y\\n')"
    server = Server(deed + "\nprint('served')", stderr=write)
    os.close(write)
    seen = 0
    while seen < 60 * 65536 + 9 * 6:
        data = server.sock.recv(65536)
        seen += len(data)
        server.sock.sendall(b"cmd=z\n" * data.count(b"\n"))
    assert server.process.stdout is not None
    assert server.process.stdout.readline() == "served\n"
    server.process.wait(PATIENCE)
    os.close(read)
    server.process.stdout.close()
    server.sock.close()


def test_without_pmi_the_command_runs_and_it_is_said() -> None:
    """A command that is not there gets a shell's exit code."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PMI")}
    done = subprocess.run([*TAP, "echo", "hi"], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "hi\n"
    assert done.stderr == "fluxstart-tui: pmi ?! no PMI_FD in the environment\n"
    gone = subprocess.run([*TAP, "/no/such"], env=env, capture_output=True, text=True, check=False)
    assert gone.returncode == 127
    assert gone.stderr.endswith("fluxstart-tui: /no/such: No such file or directory\n")


@pytest.mark.parametrize("major", [4, 5])
def test_the_bridge_boots_an_instance_under_hydra(tmp_path: Path, major: int) -> None:
    """Under MPICH 5 as well, which flux-broker refuses."""
    env = {"PATH": os.defpath, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "SHELL": "/bin/sh"}
    words = [sys.executable, "-m", "fluxstart_tui", "--broker=embedded", "-o,-v", "echo", "hi"]
    done = subprocess.run(
        [*hydra(major), "-n", "3", "-prepend-rank", *TAP, "--bridge", *words],
        env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "[0] hi\n"), done.stderr
    assert "(ranks 0-2)" in done.stderr
    for rank in range(3):
        assert re.search(rf"pmi {rank}> [\d.]+ cmd=barrier_in", done.stderr)
    assert ("pmi_subversion=2" in done.stderr) == (major == 5)
