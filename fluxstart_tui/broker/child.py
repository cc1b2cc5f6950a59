"""What is known of a broker below and of its subtree (flux-core: overlay/children.c)."""

from __future__ import annotations

from fluxstart_tui.broker.router import Tracker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fluxstart_tui.rfc.message import Message
    from fluxstart_tui.rpc.connection import Connection

UNKNOWN, FULL, PARTIAL, DEGRADED, LOST, OFFLINE = range(6)
STATUSES = ("unknown", "full", "partial", "degraded", "lost", "offline")
"""States of a subtree by number, as brokers tell each other."""

ONLINE = (FULL, PARTIAL, DEGRADED)


class Child:
    """A broker that has, had or will have a connection to us.

    Args:
        rank: its rank.
        now: the time.
    """

    def __init__(self, rank: int, now: float) -> None:
        self.rank = rank
        self.uuid = ""
        self.status = OFFLINE
        self.since = now
        """When the status changed."""
        self.error = ""
        """Why it is offline or lost."""
        self.torpid = False
        self.seen = now
        """When it was heard of."""
        self.pending = Tracker()
        self.connection: Connection | None = None

    @property
    def online(self) -> bool:
        """Whether it has said hello and is not known to be gone."""
        return self.status in ONLINE

    def post(self, sent: Message) -> bool:
        """Send a message; return whether that was possible."""
        connection = self.connection
        if connection is None or not connection.open:
            return False
        connection.send(sent)
        return True
