"""Who takes care of the instance's processes: we, and the guardian should we be killed."""

from __future__ import annotations

import signal
import time

from fluxstart_tui.engine import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from fluxstart_tui.engine.broker import Broker
    from fluxstart_tui.engine.guardian import Guardian
    from fluxstart_tui.engine.processes import Family, Process
    from fluxstart_tui.engine.rundir import Claim
    from fluxstart_tui.engine.witness import Witness


class Custody:
    """Knows what belongs to the instance and ends it.

    Args:
        family: finds the instance's processes.
        guardian: told of each broker.
        witness: tells whether a signal went to our whole group.
    """

    def __init__(self, family: Family, guardian: Guardian, witness: Witness) -> None:
        self.family = family
        self.witness = witness
        self._guardian = guardian

    def started(self, broker: Broker, *, launcher: bool = False) -> None:
        """Take a broker, or a launcher of brokers, that has been started."""
        self.family.brokers[broker.pid] = broker.start
        self._guardian.tell("launcher" if launcher else "broker", broker.pid, broker.start)

    def reaped(self, broker: Broker) -> None:
        """Let a broker go that has been reaped."""
        del self.family.brokers[broker.pid]
        self._guardian.tell("reaped", broker.pid)

    def left_to_us(self, made: Claim) -> None:
        """Take a directory that is to be removed, should we be killed."""
        self._guardian.tell("broker rundir", *made)

    def kill(self, brokers: Iterable[Broker]) -> None:
        """Kill brokers and what they run."""
        # Looked up before the brokers die: afterwards descent tells nothing any more.
        members = self.family.members()
        for broker in brokers:
            broker.kill(signal.SIGKILL)
        for process in members:
            processes.send(process, signal.SIGKILL)

    def sweep(self) -> None:
        """Kill what is left of the instance once its brokers have ended."""
        self.family.kill_until_gone(time.sleep)

    def left(self) -> list[Process]:
        """Return what is left of the instance."""
        return self.family.members()
