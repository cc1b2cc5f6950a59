"""Whom a supervisor works with."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluxstart_tui.engine.broker import FileLimit
    from fluxstart_tui.engine.console import Console
    from fluxstart_tui.engine.custody import Custody
    from fluxstart_tui.engine.errors import Messages
    from fluxstart_tui.engine.monitor import Monitor
    from fluxstart_tui.engine.record import Record
    from fluxstart_tui.engine.relay import Relay
    from fluxstart_tui.reactor import Reactor


class Company(NamedTuple):
    """The other rooms of the engine."""

    reactor: Reactor
    messages: Messages
    """Where exits and kills are reported."""
    record: Record
    """Told of all that happens."""
    custody: Custody
    """The instance's processes."""
    limit: FileLimit
    """Gives brokers the descriptor limits that we got."""
    relay: Relay | None
    """Takes the brokers' output, if it goes through us."""
    consoles: Mapping[int, Console]
    """Terminals of ours that ranks run on."""
    monitor: Monitor | None
    """Watches the brokers from inside, if somebody wants to know."""
