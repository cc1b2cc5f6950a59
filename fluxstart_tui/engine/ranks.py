"""The brokers of an instance, one for each rank, made of the command line; none is started."""

from __future__ import annotations

from functools import partial

from fluxstart_tui.engine import command
from fluxstart_tui.engine.broker import Broker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from fluxstart_tui.engine.command import Common
    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.locate import Located
    from fluxstart_tui.options import Options


def common(options: Options, located: Located, place: str, *, own_terminal: bool) -> Common:
    """Return the broker arguments that all ranks share, our own ones included.

    Args:
        options: the command line.
        located: the broker.
        place: the run directory that we have made.
        own_terminal: whether rank 0 runs on a terminal of ours.

    Raises:
        LaunchError: --recovery names nothing that can be recovered.
    """
    shared = command.common(options, located)
    # In normal mode the user may want another rundir: of several, the last one counts.
    first = (f"-Srundir={place}",) if options.normal else ()
    # Else a ^C that is meant for the program would end rank 0 too (flux-core: broker.c).
    last = ("-Sbroker.rc2_pgrp=1",) if own_terminal else ()
    return shared._replace(arguments=(*first, *shared.arguments, *last))


def make(
    options: Options,
    located: Located,
    shared: Common,
    place: str,
    hosts: list[str] | None,
    messages: Messages,
) -> Iterator[Broker]:
    """Make the brokers in the order of their ranks; say how each is run if that is wanted.

    Args:
        options: the command line.
        located: the broker.
        shared: the arguments that all share.
        place: the run directory that we have made.
        hosts: the host of each rank, if --test-hosts names them.
        messages: where warnings and, with --verbose, commands are said.
    """
    normal = options.normal
    for rank in range(options.size):
        if shared.warning is not None:
            messages.say(shared.warning)
        host = hosts[rank] if hosts is not None else None
        argv = command.argv(options, located, shared, None if normal else rank, place, host)
        if options.verbose >= 1:
            messages.say(" ".join(argv if normal else [f"{rank}:", *argv]))
        environ = partial(command.environment, located.env, rank, options.size, place, host)
        yield Broker(rank, argv, environ, pmi=not normal)
