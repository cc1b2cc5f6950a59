"""Signals that end the UI, whether or not its terminal takes what it paints."""

from __future__ import annotations

import asyncio
import os
import signal
import termios
from typing import TYPE_CHECKING, Any

from fluxstart_tui.tui.driver import TerminalDriver

if TYPE_CHECKING:
    from textual.app import App

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heed(app: App[Any]) -> None:
    """End the app in order at these signals, with 128 + their number; called in its loop."""
    loop = asyncio.get_running_loop()

    def signalled(signum: int, _: object) -> None:
        # Not by a handler of the loop, which may be waiting for the terminal to be read.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        if isinstance(app._driver, TerminalDriver):
            app._driver.end_soon()
        loop.call_soon_threadsafe(_end, app, signum)

    for signum in _SIGNALS:
        signal.signal(signum, signalled)


def forget() -> None:
    """Let these signals end us at once: the app is over."""
    for signum in _SIGNALS:
        signal.signal(signum, signal.SIG_DFL)


def _end(app: App[Any], signum: int) -> None:
    """Restore the terminal, which Textual would leave as it is, and end."""
    try:
        termios.tcgetattr(0)
    except termios.error:  # it is gone, and Textual would wait for it to take what is painted
        os._exit(128 + signum)
    app.exit(128 + signum)
