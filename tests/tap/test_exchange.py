"""The PMI exchange that is tried before a launch: what it says, and to whom."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fluxstart_tui.tap import exchange
from tests.support import broker, environment, run

EXCHANGE = [sys.executable, "-I", "-S", str(Path(exchange.__file__))]


def test_all_ranks_get_what_all_have_put(tmp_path: Path) -> None:
    done = run(tmp_path, "--headless", "-s3", broker(tmp_path, f"exec {' '.join(EXCHANGE)}"))
    assert done.code == 0
    lines = done.err.splitlines()
    for rank in range(3):
        assert any(f"initialize: rank={rank} size=3 name=" in line for line in lines)
    assert lines.count("simple: barrier: success") == 6
    assert lines.count("simple: finalize: success") == 3


def test_without_pmi_it_is_alone(tmp_path: Path) -> None:
    done = subprocess.run(
        EXCHANGE, env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert "simple: PMI_FD not found in environ\n" in done.stderr
    assert "single: initialize: rank=0 size=1 name=single: success\n" in done.stderr


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"cmd=response_to_init rc=0 pmi_version=1 pmi_subversion=2\n", "pmi_subversion=2"),
        (b"cmd=response_to_init rc=-1\n", "rc=-1"),
        (b"\xff\x00\n", "\ufffd"),
        (b"", "no answer"),
    ],
)
def test_an_answer_that_is_no_pmi_1_1_is_shown(tmp_path: Path, answer: bytes, told: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        given = {"PMI_FD": str(theirs.fileno()), "PMI_RANK": "0", "PMI_SIZE": "2"}
        process = subprocess.Popen(
            EXCHANGE, env=environment(tmp_path, given), pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert ours.recv(100) == b"cmd=init pmi_version=1 pmi_subversion=1\n"
        ours.sendall(answer)
        ours.shutdown(socket.SHUT_WR)
        err = process.communicate()[1]
    assert process.returncode == 1
    assert "simple: initialize: operation failed\n" in err
    last = err.splitlines()[-1]
    assert last.startswith("flux-pmi: the launcher's answer: ")
    assert told in last


def test_a_descriptor_that_is_none_is_a_line(tmp_path: Path) -> None:
    given = {"PMI_FD": "77", "PMI_RANK": "0", "PMI_SIZE": "2"}
    done = subprocess.run(
        EXCHANGE, env=environment(tmp_path, given), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.endswith("Bad file descriptor\n")
    assert "Traceback" not in done.stderr
