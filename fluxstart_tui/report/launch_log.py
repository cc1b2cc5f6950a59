"""A launch from what somebody has saved of it: a log, standard input, a directory, a session."""

from __future__ import annotations

import os
import re
import shlex
import stat
from typing import NamedTuple

from fluxstart_tui.diagnose.launch import again
from fluxstart_tui.diagnose.launch.launch import TEXT_MAX, Launch
from fluxstart_tui.launchers import table
from fluxstart_tui.report import launch_session
from fluxstart_tui.report.launch_times import Times
from fluxstart_tui.session.header import HEADER, SessionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 20
_LINE = 2 * TEXT_MAX
"""Bytes of a line that are kept: the text with its label and time."""

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.?)")
_QUOTED = re.compile(r"(?:> ?)+")
"""What mail and forums put before the lines of what one answers to."""
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), 127))


class LogError(Exception):
    """What was named can not be read; its one line says why."""


class Log(NamedTuple):
    """A launch that was read."""

    launch: Launch
    now: float | None
    """Seconds since its start if it still goes on, None if it does not."""
    source: str
    numbered: bool = True
    """Whether its lines have numbers: what was seen of processes has none."""
    launches: int = 1
    """How many the log holds; this is the last."""


def read(path: str) -> Log:
    """Read a launch.

    Args:
        path: a log, `-` for standard input, a session's directory, or a directory with a log
            `out.ts` or `out` and, if they are there, its command `cmd` and exit code `rc`.

    Raises:
        LogError: there is none, or it can not be read.
    """
    try:
        if path == "-":
            return _log(0, path, ())
        if not os.path.isdir(path):
            return _log(_open(path), path, ())
        if os.path.exists(os.path.join(path, HEADER)):
            launch, now = launch_session.read(path)
            return Log(launch, now, path, numbered=bool(launch.command))  # else a journal tells
        names = [name for name in ("out.ts", "out") if os.path.exists(os.path.join(path, name))]
        if not names:
            raise LogError(f"{path}: neither a session nor a directory with a log named out")
        log = _log(_open(os.path.join(path, names[0])), path, _command(path), _code(path))
        log.launch.source = os.path.join(path, names[-1])
        return log
    except SessionError as error:
        raise LogError(str(error)) from error
    except OSError as error:
        raise LogError(f"{error.filename or path}: {os.strerror(error.errno or 0)}") from error


def _open(path: str) -> int:
    """Open a file or a pipe; what is neither may have no end."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    mode = os.fstat(fd).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        os.close(fd)
        raise LogError(f"{path}: not a regular file")
    return fd


def _log(fd: int, source: str, command: tuple[str, ...], code: int | None = None) -> Log:
    launch = _new(command)
    times, launches = Times(), 1
    try:
        for line in _lines(fd):
            t, text = times.split(_QUOTED.sub("", line, count=1) if line[:1] == ">" else line)
            if again.begins(launch, text):
                lines, launch = launch.lines, _new(command)
                launch.lines, launches = lines, launches + 1
            launch.feed(text, t)
    finally:
        if fd > 0:
            os.close(fd)
    launch.end(code)
    launch.source = "" if source == "-" else source
    return Log(launch, None, source, launches=launches)


def _new(command: tuple[str, ...]) -> Launch:
    launcher = table.recognise(command)
    launch = Launch(launcher.grammar if launcher else "", table.asked(command) or 0)
    launch.command = command
    return launch


def _lines(fd: int) -> Iterator[str]:
    """Yield lines as harmless text: without control characters, cut where they are too long."""
    kept, size = [], 0
    while block := os.read(fd, _BLOCK):
        first, *rest = block.split(b"\n")
        kept.append(first[: _LINE - size] if size < _LINE else b"")
        size += len(kept[-1])
        for data in rest:
            yield _harmless(b"".join(kept))
            kept, size = [data[:_LINE]], min(len(data), _LINE)
        if len(kept) > 1:
            kept = [b"".join(kept)]
    if kept and any(kept):
        yield _harmless(b"".join(kept))


def _harmless(data: bytes) -> str:
    text = data.decode(errors="replace")
    if text.isprintable():
        return text
    if "\x1b" in text:
        text = _SEQUENCE.sub("", text)
    return text.translate(_CONTROLS)


def _command(directory: str) -> tuple[str, ...]:
    """Return the command line that a directory's `cmd` tells, with its environment before it."""
    try:
        with open(os.path.join(directory, "cmd"), errors="replace") as file:
            lines = file.read(_BLOCK).splitlines()
    except OSError:
        return ()
    words: list[str] = []
    for line in lines:
        name, colon, text = line.partition(": ")
        if colon and name == "env":
            words.append(text)
        elif colon and name == "cmd":
            try:
                words += shlex.split(text)
            except ValueError:
                words += text.split()
    return tuple(words)


def _code(directory: str) -> int | None:
    try:
        with open(os.path.join(directory, "rc"), errors="replace") as file:
            first = file.readline(20).strip()
    except OSError:
        return None
    return int(first) if first.isascii() and first.isdigit() else None
