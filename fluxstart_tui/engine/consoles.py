"""Which ranks run on terminals of the engine's, and these terminals."""

from __future__ import annotations

import os
from functools import partial

from fluxstart_tui.engine.errors import LaunchError, reason
from fluxstart_tui.engine.record import TTY
from fluxstart_tui.engine.terminal import TerminalOutput
from fluxstart_tui.session.events import Winsize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fluxstart_tui.engine.console import Console
    from fluxstart_tui.engine.output import Output
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.engine.terminal import Terminal
    from fluxstart_tui.options import Options
    from fluxstart_tui.reactor import Reactor


def ranks(options: Options) -> frozenset[int]:
    """Return the ranks that run on terminals of ours.

    Without --pty these are rank 0, if its terminal can be shown, and in the UI all that are
    wrapped: a debugger wants to be talked to.

    Raises:
        LaunchError: --pty is given where nobody could look at a terminal.
    """
    if not options.record:
        if options.pty is not None:
            raise LaunchError("--pty only works in the UI or with --record")
        return frozenset()
    if options.pty is not None:
        return options.pty
    if options.tether is not None:
        return wrapped(options) | {0}
    return frozenset({0} if os.isatty(0) and os.isatty(1) else ())


def wrapped(options: Options) -> frozenset[int]:
    """Return the ranks that --wrap is for."""
    if not options.wrap:
        return frozenset()
    if options.wrap_ranks is not None:
        return options.wrap_ranks
    return frozenset(range(options.size))


def make(
    wanted: Iterable[int],
    reactor: Reactor,
    record: Record,
    interrupt: Callable[[int], None] | None,
    terminal: Terminal | None,
    output: Output,
    size: tuple[int, int] | None,
) -> dict[int, Console]:
    """Make a terminal for each of these ranks; rank 0's is shown on ours if that is one.

    Args:
        wanted: the ranks that get one.
        reactor: the engine's loop.
        record: takes all output.
        interrupt: called when ^C was typed on rank 0's while no program had it; None: its broker
            is wrapped, and ^C is for what wraps it.
        terminal: our own terminal, or None.
        output: our stdout.
        size: rows and columns that those begin with which are not shown on ours.

    Raises:
        LaunchError: the system has no more of them.
    """
    from fluxstart_tui.engine.console import Console  # only who records pays for it

    consoles: dict[int, Console] = {}
    for rank in sorted(wanted):
        sink = partial(record.data, rank, TTY)
        sized = partial(_record_size, record, rank)
        try:
            if rank == 0 and isinstance(output, TerminalOutput):
                consoles[rank] = Console(reactor, sink, interrupt, terminal, output, sized)
            else:
                whose = interrupt if rank == 0 else None
                consoles[rank] = Console(reactor, sink, whose, sized=sized, size=size)
        except OSError as error:
            for console in consoles.values():
                console.close()
            raise LaunchError(f"no terminal for rank {rank}: {reason(error)}") from error
    return consoles


def _record_size(record: Record, rank: int, rows: int, columns: int) -> None:
    record.event(Winsize(rank, rows, columns))
