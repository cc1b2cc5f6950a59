"""Groups of brokers, and who watches them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from fluxstart_tui.broker.groups import ONLINE, Groups
from fluxstart_tui.broker.router import Router
from fluxstart_tui.broker.topology import Topology
from fluxstart_tui.reactor import Reactor
from fluxstart_tui.rfc import message

if TYPE_CHECKING:
    import pytest


def test_who_watches_sees_all_there_although_they_leave_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A change that waits to be told does not keep a watcher from that."""
    monkeypatch.setattr("fluxstart_tui.broker.groups._WATCH_SECONDS", 3600.0)
    reactor = Reactor()
    router = Router("broker", time.monotonic)
    told: list[str] = []
    router.links["client"] = lambda answer: told.append(json.loads(answer.text or "")["members"])
    groups = Groups(reactor, router, Topology([0, 0, 0]), 3, None)
    groups.join()
    asked = message.request("groups.get", b'{"name":"broker.online"}\0', flags=message.STREAMING)
    asked.routes = ["client"]
    router.request(asked)
    groups.change(ONLINE, (1,), member=True)
    groups.change(ONLINE, (2,), member=True)
    reactor.run_once(0)
    groups.change(ONLINE, (1, 2), member=False)
    reactor.run_once(0)
    reactor.close()
    assert told == ["0", "0-2"]
