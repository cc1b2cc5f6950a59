"""Run the UI on an instance that is started, that runs, or that is recorded."""

from __future__ import annotations

import gc
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from fluxstart_tui.tui.settings import load
from fluxstart_tui.tui.source import Live, Observed, Source, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fluxstart_tui.tui.settings import Settings

    Engine = Callable[[Sequence[str], str, int], int]
    """Given options of the user's settings, where the session goes, and the descriptor of a pipe
    that ends with the UI."""

_FPS = "120"
"""How often a second Textual paints what has changed, at the most: keys wait for the next time."""
_CLOSING = 30.0
"""Seconds in which an instance of ours has to end when we do."""


def live(
    engine: Engine,
    directory: str | None,
    report: Callable[[str], str],
    again: Callable[[Sequence[str], Mapping[str, str]], int],
    before: str | None = None,
) -> int:
    """Start an instance and show it.

    Args:
        engine: runs it, in a child of ours.
        directory: where its session goes; None is where sessions live.
        report: sums up a session, given its directory; printed when we are done.
        again: starts this program anew, given another command line and the environment.
        before: directory of a session with which the launch is to be compared.

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
        if before is not None:
            from fluxstart_tui.tui import diagnosis

            source.model.before = diagnosis.before(before)
        code = _show(source, environ, settings)
    finally:
        ended = source.finish(_CLOSING)
        if ended is not None:
            code = ended if code is None else code
            source.model.last_poll()
            if source.model.cut:
                sys.stderr.write(f"{source.complaints}\n" if source.complaints else "")
            sys.stderr.write(report(source.directory))
            if source.in_memory:
                where = f"the session is in memory: {source.directory} ({source.in_memory})"
                sys.stderr.write(f"{where}\n")
        else:
            sys.stderr.write(f"the instance runs on: --attach={source.directory}\n")
    if source.again and ended is not None:
        return again(source.again, environ)
    return code if code is not None else 1


def observed(engine: Callable[[str, int], int]) -> int:
    """Show an instance that somebody else has started.

    Args:
        engine: watches it, in a child of ours, given where the session goes and the descriptor of a
            pipe that ends with the UI.

    Returns:
        0, or 128 + the signal that ended the UI.

    Raises:
        SourceError: it can not be watched.
        SettingsError: the user's settings can not be used.
    """
    environ = dict(os.environ)
    settings = load(environ)
    source = Observed(engine)
    import asyncio  # as in live()

    try:
        asyncio.run(source.started())
        return _show(source, environ, settings) or 0
    finally:
        source.finish(_CLOSING)


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
    from fluxstart_tui.tui.guard import Guard

    guard = Guard()  # a child by fork: before all that makes us large
    os.environ.setdefault("TEXTUAL_FPS", _FPS)  # it is read when Textual is imported
    from fluxstart_tui.tui import signalled
    from fluxstart_tui.tui.app import FluxApp

    gc.freeze()  # a look at all that was imported would hold up keys for 50 ms, now and then
    app = FluxApp(source, environ, settings, guard)
    try:
        result = app.run()
    finally:
        signalled.forget()
        guard.close()
    return result if result is not None else app.return_code
