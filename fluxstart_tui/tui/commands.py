"""What can be asked of an instance: its start service, called from the UI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxstart_tui.rpc.aio import Client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Any

_PATIENCE = 10.0


class Commands:
    """The start service of one instance (engine/start_service.py has the payloads).

    Args:
        uri: where it is.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._client = Client(uri)

    async def call(self, topic: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call a method of the start service.

        Raises:
            RpcError: it refuses, or is not there.
        """
        return await self._client.call(topic, payload, timeout=_PATIENCE)

    def stream(self, topic: str) -> AsyncGenerator[dict[str, Any]]:
        """Yield the answers of a method that goes on answering."""
        return self._client.stream(topic, cancel="start.cancel")

    async def close(self) -> None:
        """Hang up."""
        self._client.close()
