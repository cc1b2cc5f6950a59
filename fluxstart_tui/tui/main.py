"""Run the UI on an instance that is started, that runs, or that is recorded."""

from __future__ import annotations

import gc
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from fluxstart_tui.tui.settings import load
from fluxstart_tui.tui.source import Live, Source, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fluxstart_tui.tui.settings import Settings

    Engine = Callable[[Sequence[str], str, int], int]
    """Given options of the user's settings, where the session goes, and the descriptor of a pipe
    that ends with the UI."""

_CLOSING = 30.0
"""Seconds in which an instance of ours has to end when we do."""


def live(engine: Engine, directory: str | None, report: Callable[[str], str]) -> int:
    """Start an instance and show it.

    Args:
        engine: runs it, in a child of ours.
        directory: where its session goes; None is where sessions live.
        report: sums up a session, given its directory; printed when we are done.

    Returns:
        The instance's exit code, 128 + the signal that ended the UI before it, or 0 if the
        instance was left running.
    """
    environ = dict(os.environ)  # Textual takes NO_COLOR out of it
    settings = load(environ)
    source = Live(partial(engine, settings.options), directory)
    import asyncio  # it takes as long as the engine needs to begin

    try:
        asyncio.run(source.started())
    except SourceError as error:
        sys.stderr.write(f"{error}\n")
        return source.poll() or 1
    code: int | None = None
    try:
        code = _show(source, environ, settings)
    finally:
        ended = source.finish(_CLOSING)
        if ended is not None:
            code = ended if code is None else code
            sys.stderr.write(report(source.directory))
            if source.in_memory:
                where = f"the session is in memory: {source.directory} ({source.in_memory})"
                sys.stderr.write(f"{where}\n")
        else:
            sys.stderr.write(f"the instance runs on: --attach={source.directory}\n")
    return code if code is not None else 1


def recorded(directory: str, *, replay: bool) -> int:
    """Show a session, and the instance behind it if that runs.

    Raises:
        SourceError: there is none.
        SettingsError: the user's settings can not be used.
    """
    environ = dict(os.environ)
    settings = load(environ)
    return _show(Source(directory, replay=replay), environ, settings) or 0


def _show(source: Source, environ: Mapping[str, str], settings: Settings) -> int | None:
    from fluxstart_tui.tui.app import FluxApp

    gc.freeze()  # a look at all that was imported would hold up keys for 50 ms, now and then
    app = FluxApp(source, environ, settings)
    result = app.run()
    return result if result is not None else app.return_code
