"""Whatever a client does to the PMI server, the instance goes on and its exit policy decides."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests import support
from tests.support import PMI, broker

if TYPE_CHECKING:
    from pathlib import Path

VICTIM = """
if rank == 1:
    {deed}
    try:
        while os.read(fd, 65536): pass
    except ConnectionError: pass
    sys.exit(4)
ask("cmd=init pmi_version=1 pmi_subversion=1")
for _ in range(50):
    assert ask("cmd=get_universe_size").startswith("cmd=universe_size rc=0")
print("served", flush=True)
"""


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("send('cmd=bogus\\n')", "unknown command"),
        ("send('\\n')", "unknown command"),
        ("send(bytes(range(256)) + b'\\n')", "NUL byte in a line"),
        ("send('cmd=get kvsname=- key=\\0\\n')", "NUL byte in a line"),
        ("send('cmd=put kvsname=- key=a\\n')", "put without a value"),
        ("send('cmd=init\\n')", "init without versions"),
        ("[send('x' * 8192) for _ in range(9)]", "line of more than 65536 bytes"),
    ],
)
def test_malformed_input_is_dropped(scene: Path, deed: str, reason: str) -> None:
    """The offender is named and loses its connection; the others are served to the end."""
    body = VICTIM.format(deed=deed)
    done = support.run(scene, broker(scene, body, PMI), "-s3")
    assert done.code == 4
    assert done.out == "served\n" * 2
    assert f"fluxstart-tui: 1: PMI protocol error: {reason}\n" in done.err


@pytest.mark.parametrize(
    "deed",
    [
        "send('cmd=get_maxes'); sys.exit(4)",
        "send('cmd=get_maxes\\n'); sys.exit(4)",
        "send('cmd=get_maxes\\n' * 400); sys.exit(4)",
        "os.close(fd); sys.exit(4)",
        "sys.exit(4)",
    ],
)
def test_a_client_that_dies_in_the_middle(scene: Path, deed: str) -> None:
    """A partial line or an unread reply at death neither spins nor hangs (the original does)."""
    started = time.process_time()
    done = support.run(scene, broker(scene, VICTIM.format(deed=deed), PMI), "-s3")
    assert done.code == 4
    assert done.out == "served\n" * 2
    assert time.process_time() - started < 30


def test_a_flood_of_requests_without_reading_replies(scene: Path) -> None:
    """Who does not read its replies is not read from either; the others do not notice."""
    deed = "import fcntl; fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK)\n    sent = 0\n"
    deed += "    end = time.monotonic() + 1\n    while time.monotonic() < end:\n"
    deed += "        try: sent += os.write(fd, b'cmd=get_maxes\\n' * 1000)\n"
    deed += "        except BlockingIOError: time.sleep(0.01)\n"
    deed += "    print('blocked' if sent < 5_000_000 else sent, flush=True)\n"
    deed += "    os.set_blocking(fd, True); os.close(fd); sys.exit(4)"
    done = support.run(scene, broker(scene, VICTIM.format(deed=deed), PMI), "-s3")
    assert done.code == 4
    assert sorted(done.out.splitlines()) == ["blocked", "served", "served"]


def test_late_reader_gets_every_reply(scene: Path) -> None:
    """Replies that did not fit into the socket arrive once the client reads, in order."""
    body = """
want = 20000
import threading
def flood():
    for i in range(want): send(f"cmd=put kvsname=- key=k{i} value=v\\n")
threading.Thread(target=flood).start()
time.sleep(0.3)
data = b""
while data.count(b"\\n") < want:
    data += os.read(fd, 65536)
print(data == b"cmd=put_result rc=0\\n" * want)
"""
    assert support.run(scene, broker(scene, body, PMI), "-s1").out == "True\n"


def test_barrier_waits_for_the_missing(scene: Path) -> None:
    """A rank that dies before the barrier leaves the others to the exit timer."""
    body = "if rank == 1: sys.exit(0)\nask('cmd=barrier_in')"
    done = support.run(scene, broker(scene, body, PMI), "-s3", "--test-exit-timeout=0.2")
    assert done.code == 137
    assert "Exit timeout: killed rank 0,2" in done.err


def test_trace(scene: Path) -> None:
    """-vv shows each request and reply, and nothing in it can harm a terminal."""
    body = (
        "ask('cmd=get_appnum'); ask('cmd=put kvsname=- key=k value=\\x1b[2J'); ask('cmd=finalize')"
    )
    done = support.run(scene, broker(scene, body, PMI), "-s1", "-vv")
    assert done.err.splitlines()[1:] == [
        "0: C: cmd=get_appnum",
        "0: S: cmd=appnum rc=0 appnum=0",
        "0: C: cmd=put kvsname=- key=k value=\\x1b[2J",
        "0: S: cmd=put_result rc=0",
        "0: C: cmd=finalize",
        "0: S: cmd=finalize_ack rc=0",
    ]


def test_replies_are_delivered_before_a_finalize_closes(scene: Path) -> None:
    """A client that asks much and finalizes in one write gets every reply, late as it reads."""
    body = """
send("cmd=put kvsname=- key=k value=" + "v" * 900 + "\\n" + "cmd=get kvsname=- key=k\\n" * 1500
     + "cmd=finalize\\n")
time.sleep(0.3)
data = b""
while more := os.read(fd, 65536): data += more
print(data.count(b"get_result"), data.endswith(b"cmd=finalize_ack rc=0\\n"))
"""
    assert support.run(scene, broker(scene, body, PMI), "-s1").out == "1500 True\n"
