"""Hand the initial program the real terminal: where there is no emulator, or one is not enough."""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import struct
import termios
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from fluxstart_tui.tui.terminal.stream import TtyStream

LEAVE = 0x1D
"""ctrl+]"""

_PAUSE = 0.005
_TIDY = b"\x1b[?1049l\x1b[?1000;1002;1003;1006;2004;1l\x1b[?25h\x1b[0m\r\n"
"""Ends what a program may have asked of a terminal that Textual gets back."""

_HINT = b"\x1b[H\x1b[2J\x1b[7m keys go to the program - ctrl+] leaves \x1b[0m\r\n"


async def hand_over(
    app: App[object],
    stream: TtyStream,
    type_: Callable[[bytes], object],
    resize: Callable[[int, int], None],
    ended: Callable[[], bool],
) -> None:
    """Suspend the app and relay between the real terminal and the instance's until ctrl+].

    Args:
        app: ours.
        stream: what the instance's terminal shows.
        type_: takes what is typed.
        resize: takes the real terminal's size in columns and rows.
        ended: tells whether there is nothing to be relayed any more.
    """
    # Without the batch the app would paint, which it can not while it is suspended.
    with app.batch_update(), app.suspend():
        await relay(0, 1, stream, type_, resize, ended)
    app.refresh(layout=True)


async def relay(
    source: int,
    target: int,
    stream: TtyStream,
    type_: Callable[[bytes], object],
    resize: Callable[[int, int], None],
    ended: Callable[[], bool],
) -> None:
    """Relay between a terminal and the instance's until ctrl+] is typed.

    Args:
        source: the terminal, for reading.
        target: the terminal, for writing.
        stream: what the instance's terminal shows.
        type_: takes what is typed.
        resize: takes the terminal's size in columns and rows.
        ended: tells whether there is nothing to be relayed any more.
    """
    modes = termios.tcgetattr(source)
    size = None
    try:
        tty.setraw(source)
        await _write(target, _HINT)
        while not ended():
            found = _size(target)
            if found != size and found is not None:
                size = found
                resize(*size)
            for portion in stream.read(0.02):
                await _write(target, portion.data)
            if select.select([source], [], [], 0)[0]:
                typed = os.read(source, 4096)
                if not typed or LEAVE in typed:
                    type_(typed[: typed.index(LEAVE)] if typed else b"")
                    break
                type_(typed)
            await asyncio.sleep(_PAUSE)
        await _write(target, _TIDY)
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, modes)


async def _write(target: int, data: bytes) -> None:
    # In a thread: a terminal that takes its time must not keep what is typed waiting.
    await asyncio.to_thread(_write_all, target, data)


def _write_all(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


def _size(fd: int) -> tuple[int, int] | None:
    try:
        rows, columns, _, _ = struct.unpack("4H", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        return None
    return (columns, rows) if rows and columns else None
