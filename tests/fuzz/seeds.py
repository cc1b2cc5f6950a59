"""Inputs that fuzzing begins with: what is said in real runs, and what was hard to read once."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fluxstart_tui.rfc import message
from fluxstart_tui.session.header import HEADER
from tests.rfc.test_message import CAPTURED
from tests.rfc.test_pmi1 import dialogue
from tests.tui import brokers_host
from tests.tui.test_settings import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATA = Path(__file__).parent.parent / "data"
_CUT = b"\n--\n"

FILES = (HEADER, "events.jsonl", "output.000", "output.000.idx")
"""Files of a session, in the order in which an input has them."""


def pmi1() -> Iterator[bytes]:
    """Requests, by one client and by two."""
    requests = [request for request, _ in dialogue()]
    yield b"0" + b"".join(requests)
    yield _CUT.join(b"%d%b" % (at % 2, one) for at, one in enumerate(requests))
    yield b"0cmd=init pmi_version=1 pmi_subversion=1\ncmd=abort exitcode=7 error_msg=x\n"


def pmi1_replies() -> Iterator[bytes]:
    """Replies."""
    yield from (reply for _, reply in dialogue() if reply)


def pmi2() -> Iterator[bytes]:
    """A conversation that becomes PMI-2."""
    yield b"cmd=init pmi_version=2 pmi_subversion=0\n    36cmd=fullinit;pmirank=0;threaded=FALSE;"
    yield b"cmd=response_to_init rc=0 pmi_version=1 pmi_subversion=2\n--\n    11cmd=finalize;"


def messages() -> Iterator[bytes]:
    """Captured messages."""
    yield from (data[8:] for data, _ in CAPTURED)


def streams() -> Iterator[bytes]:
    """Captured streams, and calls of a server's methods."""
    yield b"".join(data for data, _ in CAPTURED)
    for topic, payload in (
        ("echo", b'{"a":1}\0'), ("never", b"{}\0"), ("never.cancel", b'{"matchtag":1}\0'),
        ("never.disconnect", None),
    ):  # fmt: skip
        for flags in (0, message.STREAMING, message.NORESPONSE):
            yield message.encode_framed(message.request(topic, payload, flags=flags, matchtag=1))


def logs() -> Iterator[bytes]:
    """Captured logs of launches."""
    yield from (path.read_bytes() for path in sorted((_DATA / "launches").glob("*.log")))
    yield (_DATA / "start-s4-vv.txt").read_bytes()


def hellos() -> Iterator[bytes]:
    """What tasks say of themselves."""
    for path in sorted((_DATA / "launches").glob("*.log")):
        lines = re.findall(rb"fluxstart-tui: hello (.*)", path.read_bytes())
        if lines:
            yield b"\n".join(lines)
    yield b"rank=3 host=n3 pid=7 pgid=7 flux=MISSING ver= pmi_fd=- nofile=64/64 cpus=0 online=0-63"


def durations() -> Iterator[bytes]:
    """Durations."""
    yield from (b"0x1p3", b"1.5s", b"1e308d", b"infinity", b"100ms", b".5m", b"5.h", b"0X.8P1s")


def hostlists() -> Iterator[bytes]:
    """Hostlists."""
    yield from (b"foo[1-5]-eth2,bar", b"a[005,4],b", b" a\tb ,c ", b"a[1x-2]", b"a[0-999]")


def idsets() -> Iterator[bytes]:
    """Idsets."""
    yield from (b"[1-3,5-6,42]", b",1,,2,", b"0-2147483647", b"0-999")


def taskmaps() -> Iterator[bytes]:
    """Task maps."""
    yield from (
        b"(vector,(0,2,2),(1,1,3))", b"[[0,2,2,1]]", b'{"version":1,"map":[[0,2,2,1]]}', b"0;1-3",
        b"[[0,1,1048577,1]]",
    )  # fmt: skip


def toml() -> Iterator[bytes]:
    """Settings."""
    yield FULL
    yield b'[keys]\noutput.search = ["/", "f3"]\n[defaults]\nrecord-limit = "4G"\n'


def records() -> Iterator[bytes]:
    """Log records of brokers."""
    yield b"<6>1 2026-11-22T19:12:40.432724Z 0 broker - - - rc1-success: init->quorum 1.5s"
    yield b"<3>1 - 0 broker - - - rc2.0: /bin/sh Exited (rc=3) 0.2s\n"
    yield b"<6>1 2026-01-01T00:00:00Z 0 state-machine - - - parent-none: join->init 1ms"


def terminal() -> Iterator[bytes]:
    """What programs write."""
    yield b"\x1b[?1049h\x1b[2J\x1b[31;1mred\x1b[0m\r\n\x1b]0;title\x07\n--\n\x1b[5;5H\x1b[1J\x1b[6n"
    yield b"\x1b[38;2;1;2;3m\x1b[48;5;22m\xe2\x94\x80\xf0\x9f\x91\xa9\x1b[2;3r\n--\n\x1bP$qm\x1b\\"
    yield b"\x1b]8;;http://x\x07link\x1b]8;;\x07\x1b]52;c;aGk=\x07\x1b[?2026h\x1b[?1006;1003h"


def keys() -> Iterator[bytes]:
    """A key, the modes that a program has set, what is pasted."""
    for key in (b"ctrl+shift+left", b"alt+a", b"full_stop", b"f12", b"ctrl+at", b"shift+enter"):
        yield key + _CUT + b"\x1b[?1h\x1b[?2004h\x1b[>1u" + _CUT + b"a\nb"
    yield b"a" + _CUT + b"\x1b[?1000h\x1b[?1003h\x1b[?1006h\x1b[?1016h" + _CUT + b"\x0c\x0b\x01\x01"


def sessions() -> Iterator[bytes]:
    """Sessions: of a launch that waits for ranks, and of one that has come up."""
    for late in ((), (2, 3)):
        with tempfile.TemporaryDirectory() as place:
            path = brokers_host.record(
                Path(place, "s"),
                brokers_host.launch(4, late),
                [(0.1 * n, n % 4, n % 6, b"<6>line %d of a rank\n" % n) for n in range(12)],
                size=4,
            )
            yield _CUT.join(Path(path, name).read_bytes() for name in FILES)
