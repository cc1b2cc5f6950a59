"""What is fuzzed: functions of bytes that return, whatever the bytes are, and inputs to begin with.

A target passes over exactly the errors that its callers expect. Anything else is a bug, and so is
what takes long. Inputs that stand for several pieces, or files, are cut at CUT.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fluxstart_tui.diagnose.launch.launch import Launch
from fluxstart_tui.diagnose.launch.rules import diagnose
from fluxstart_tui.engine import log_record
from fluxstart_tui.launchers.labels import GRAMMARS, Labels
from fluxstart_tui.report import bundle, compare, diagnosis, launch_log, session_report, show
from fluxstart_tui.rfc import fsd, hostlist, idset, message, pmi1, taskmap
from fluxstart_tui.rpc.blocking import Client
from fluxstart_tui.session.header import HEADER, SessionError
from fluxstart_tui.tap import wire
from fluxstart_tui.tui import ansi, settings
from fluxstart_tui.tui.terminal import emulator, keys
from tests.fuzz import seeds
from tests.rfc.test_pmi1 import server
from tests.rpc.loop import Echo
from tests.tui.test_terminal_emulator import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CUT = b"\n--\n"


class Target(NamedTuple):
    """Something to feed."""

    feed: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


ALL: dict[str, Target] = {}
"""The targets by name."""


def _target(
    begin: Callable[[], Iterable[bytes]],
) -> Callable[[Callable[[bytes], None]], Callable[[bytes], None]]:
    def add(feed: Callable[[bytes], None]) -> Callable[[bytes], None]:
        ALL[feed.__name__] = Target(feed, begin)
        return feed

    return add


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


# Wires


@_target(seeds.pmi1)
def pmi1_server(data: bytes) -> None:
    """Clients of a PMI-1 server; the first byte of a piece says whose it is."""
    core, effects = server(3)
    for piece in data.split(CUT):
        assert pmi1.trace_line("C", piece).isascii()
        client = (piece or b"0")[0] % 2
        try:
            core.receive(client, piece[1:])
        except pmi1.ProtocolError:
            core.drop(client)
    core.receive(2, b"cmd=get_universe_size\n")
    assert effects.take(2).endswith(b"cmd=universe_size rc=0 size=3\n")


@_target(seeds.pmi1_replies)
def pmi1_reply(data: bytes) -> None:
    """What a client takes from its server."""
    for find in (pmi1.find, pmi1.word, pmi1.text, pmi1.integer):
        find(data, b"value")
    with contextlib.suppress(pmi1.ProtocolError):
        pmi1.expect(data, "get_result")


@_target(seeds.pmi2)
def pmi2_wire(data: bytes) -> None:
    """The tap, in both framings, and its bridge."""
    for framed in (False, True):
        one, mended = wire.Wire(), wire.Bridge()
        one.framed = framed
        shown = [m for piece in data.split(CUT) for m in one.feed(piece)]
        assert len(b"".join(shown) + one.rest()) <= len(data)
        for text in map(wire.printable, [*shown, one.rest()]):
            assert text.isascii()
            assert text.isprintable()
        passed = b"".join(map(mended.mend, data.split(CUT))) + mended.rest()
        assert len(passed) == len(data.replace(CUT, b""))


@_target(seeds.messages)
def message_codec(data: bytes) -> None:
    """A Flux message without its frame; what is read is written alike."""
    with contextlib.suppress(message.MessageError):
        read = message.decode(data)
        assert message.decode(message.encode(read)) == read
        _ = read.text


@_target(seeds.streams)
def message_stream(data: bytes) -> None:
    """A stream of Flux messages, however it is cut."""

    def read(pieces: Iterable[bytes]) -> list[message.Message]:
        decoder, found = message.Decoder(1 << 16), []
        with contextlib.suppress(message.MessageError):
            for piece in pieces:
                found += decoder.feed(piece)
        return found

    whole, single = read([data]), read(data[at : at + 1] for at in range(len(data)))
    assert single[: len(whole)] == whole


@_target(seeds.streams)
def rpc_server(data: bytes) -> None:
    """A server on a real socket: this connection may end, the next is served."""
    one = _echo()
    with one.connect() as sock, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(data)
        sock.shutdown(1)
        while sock.recv(1 << 16):
            pass
    assert one.loop.error is None
    with Client(one.path) as client:
        assert client.call("echo", {"a": 1}, timeout=10) == {"a": 1}
    while not one.log.empty():
        one.log.get()
    while not one.parked.empty():
        one.parked.get()


@functools.cache
def _echo() -> Echo:
    """Start a server that all inputs share; it ends with the process."""
    directory = tempfile.mkdtemp(prefix="fs-")
    atexit.register(shutil.rmtree, directory)
    return Echo(Path(directory) / "s", size_max=1 << 16)


# Texts


@_target(seeds.logs)
def labels(data: bytes) -> None:
    """Labels of launchers and hello lines that teach them."""
    for grammar in ("", *GRAMMARS):
        learner = Labels(grammar)
        for line in _text(data).split("\n"):
            rank, _, rest = learner.split(line)
            assert line.endswith(rest)
            assert rank is not None or rest == line
            assert rank is None or 0 <= rank < 10**7


@_target(seeds.hellos)
def hello(data: bytes) -> None:
    """Hello lines of several ranks."""
    launch = Launch()
    for line in _text(data).split("\n"):
        launch.feed(f"fluxstart-tui: hello {line}")
    launch.end()
    diagnose(launch)


@_target(seeds.durations)
def duration(data: bytes) -> None:
    """Flux Standard Duration."""
    with contextlib.suppress(ValueError):
        found = fsd.parse(_text(data))
        assert found >= 0
        assert math.isclose(fsd.parse(fsd.format(found)), found, rel_tol=1e-5, abs_tol=1e-300)


@_target(seeds.hostlists)
def hosts(data: bytes) -> None:
    """Hostlists."""
    with contextlib.suppress(ValueError):
        found = hostlist.decode(_text(data))
        if len(found) < 5000 and all("[" not in one and "]" not in one for one in found):
            assert hostlist.decode(hostlist.encode(found)) == found


@_target(seeds.idsets)
def ids(data: bytes) -> None:
    """Idsets."""
    with contextlib.suppress(ValueError):
        found = idset.decode(_text(data))
        assert idset.decode(idset.encode(found)) == found


@_target(seeds.taskmaps)
def taskmaps(data: bytes) -> None:
    """Task maps in all their notations."""
    with contextlib.suppress(taskmap.TaskMapError):
        taskmap.encode_pmi(taskmap.decode(_text(data)))


@_target(seeds.toml)
def toml(data: bytes) -> None:
    """The file of settings."""
    told = ""
    try:
        settings.parse(data)
    except settings.SettingsError as error:
        told = str(error)
    assert told.isprintable()


@_target(seeds.records)
def broker_log(data: bytes) -> None:
    """Records of brokers' logs, as they come by RPC."""
    for record in data.split(CUT):
        found = log_record.split(record)
        if found is not None:
            log_record.severity(found)
            log_record.transition(0, found)
            log_record.program_end(found)


# Terminals


@_target(seeds.terminal)
def terminal_output(data: bytes) -> None:
    """What programs write on a terminal, as the emulator and as a line of Output takes it."""
    screen = emulator.create(40, 10, 100)
    for number, piece in enumerate(data.split(CUT)):
        screen.feed(piece)
        if number == 1:
            screen.resize(2 + len(data) % 99, 1 + len(data) % 30)
            screen.select(1, 1, "word")
        screen.scroll(-1)
        screen.extend(number % screen.columns, number % screen.rows)
        for _, row in screen.changed():
            assert harmless("".join(one.text for one in row))
        screen.cursor()
    assert "\x1b" not in screen.selection() + screen.text() + screen.title
    painted = ansi.paint(data.replace(b"\n", b""))
    assert harmless(painted.text)


@_target(seeds.keys)
def terminal_input(data: bytes) -> None:
    """Keys as Textual names them, pasted text and the mouse, to a program with any modes."""
    name, _, rest = data.partition(CUT)
    modes, _, pasted = rest.partition(CUT)
    screen = emulator.create(20, 5, 10)
    screen.feed(modes)
    text = name.decode(errors="replace")
    for character in (None, text[-1:] or None, "\ud800"):
        pressed = keys.press(text, character)
        if pressed is not None:
            assert isinstance(screen.key(pressed), bytes)
            assert isinstance(keys.legacy(pressed, application=len(modes) % 2 == 1), bytes)
    screen.paste(pasted.decode(errors="surrogateescape"))
    screen.focus(gained=True)
    x, y, button, action = (*pasted[:4], 0, 0, 0, 0)[:4]
    screen.pointer(keys.MousePress(action % 3, button % 8, x - 9, y - 9, button >> 4))


# Files


def _session(place: str, data: bytes) -> str:
    """Write the files of a session."""
    files = dict(zip(seeds.FILES, data.split(CUT), strict=False))
    Path(place, HEADER).write_bytes(files.pop(HEADER, b"{}"))
    for name, content in files.items():
        Path(place, name).write_bytes(content)
    return place


@_target(seeds.sessions)
def session_show(data: bytes) -> None:
    """A session by --show, --show --json and --diagnose."""
    with tempfile.TemporaryDirectory() as place, contextlib.suppress(SessionError):
        path = _session(place, data)
        told = show.one(path, as_json=False)
        assert told.replace("\n", "").isprintable()
        json.loads(show.one(path, as_json=True))
        found = diagnosis.report(launch_log.read(path))
        json.loads(diagnosis.as_json(found))
        diagnosis.as_text(found)
        diagnosis.as_markdown(found)


@_target(seeds.sessions)
def session_reports(data: bytes) -> None:
    """A session by --report in all its forms, --compare with itself and --bundle."""
    with tempfile.TemporaryDirectory() as place, contextlib.suppress(SessionError):
        os.mkdir(f"{place}/s")
        path = _session(f"{place}/s", data)
        for ending in session_report.ENDINGS:
            session_report.text(ending, path).encode()
        found = compare.compare(path, path)
        compare.as_text(found)
        json.loads(compare.as_json(found))
        bundle.create(path, f"{place}/b.tar.gz", f"{place}/none", {})


@_target(seeds.logs)
def log_diagnosis(data: bytes) -> None:
    """Logs of launches by --diagnose, in all its forms."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        found = diagnosis.report(launch_log.read(file.name))
    json.loads(diagnosis.as_json(found))
    assert diagnosis.as_text(found).replace("\n", "").isprintable()
    assert diagnosis.as_markdown(found).replace("\n", "").isprintable()
