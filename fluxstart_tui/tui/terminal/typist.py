"""Sends what is typed to the instance's terminal: in order, soon, and never without bound."""

from __future__ import annotations

import asyncio
import base64
import errno
from typing import TYPE_CHECKING

from fluxstart_tui.rpc.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Caller(Protocol):
        """What tui.commands.Commands does."""

        async def call(self, topic: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
            """Call a method of the start service."""


_WAITING_MAX = 4 << 20
"""Bytes that may wait here, which is a large paste."""

_BATCH = 64 << 10
"""Bytes that are sent at once: a paste must not fill the engine's queue, which has no room then
for the ^C that is to end it."""

_URGENT = b"\x03\x1c\x1a\x11\x13"
"""Characters that make signals or hold output: they do not wait for those before to be read."""

_RETRY = 0.05
"""Seconds after which we ask again where there was no room."""


class Typist:
    """Types into a terminal.

    While a call is under way what is typed is gathered for the next one.

    Args:
        commands: takes the calls.
        failed: told what went wrong, or None when it is all right again.
        rank: whose terminal.
    """

    def __init__(
        self,
        commands: Caller,
        failed: Callable[[str | None], None] = lambda _: None,
        rank: int = 0,
    ) -> None:
        self._commands = commands
        # Engines of before know of no rank but 0, and need not be told.
        self._whose = {"rank": rank} if rank else {}
        self.failed = failed
        self._waiting = bytearray()
        self._sender: asyncio.Task[None] | None = None
        self._urgent: set[asyncio.Task[None]] = set()
        self._broken = False
        self.size: tuple[int, int] | None = None
        """Columns and rows that the terminal was given last."""
        self._nudge = False
        self._resizer: asyncio.Task[None] | None = None

    def type(self, data: bytes) -> bool:
        """Have bytes typed; tell whether there was room for them."""
        if not data:
            return True
        if len(self._waiting) + len(data) > _WAITING_MAX:
            self._report("the program does not read what is typed")
            return False
        self._waiting += data
        if len(data) == 1 and data in _URGENT and self._sender is not None:
            # What waits goes along, so that the order stays what it was.
            task = asyncio.get_running_loop().create_task(self._send(self._take()))
            self._urgent.add(task)
            task.add_done_callback(self._urgent.discard)
        elif self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._run())
        return True

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal a size."""
        if self.size != (columns, rows):
            self.size = columns, rows
            self._begin_resizing()

    def nudge(self) -> None:
        """Have a program paint everything again, by a change of the size and back."""
        self._nudge = True
        self._begin_resizing()

    def _begin_resizing(self) -> None:
        if self._resizer is None or self._resizer.done():
            self._resizer = asyncio.get_running_loop().create_task(self._resize())

    async def _resize(self) -> None:
        told = None
        while self.size is not None and (told != self.size or self._nudge):
            told = columns, rows = self.size
            try:
                if self._nudge:
                    self._nudge = False
                    await self._tell_size(columns, rows + 1)
                    await asyncio.sleep(_RETRY)  # two changes at once are none
                await self._tell_size(columns, rows)
            except RpcError as error:
                self._report(f"the terminal's size can not be set: {error}")

    async def _tell_size(self, columns: int, rows: int) -> None:
        await self._commands.call("start.resize", {"rows": rows, "cols": columns, **self._whose})

    def _take(self) -> bytes:
        data = bytes(self._waiting[:_BATCH])
        del self._waiting[:_BATCH]
        return data

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._send(self._take())
        finally:
            self._sender = None

    async def _send(self, data: bytes) -> None:
        payload: dict[str, Any] = {"data": data.decode()} if data.isascii() else _encoded(data)
        payload |= self._whose
        while True:
            try:
                await self._commands.call("start.input", payload)
            except RpcError as error:
                if error.errnum == errno.EAGAIN:
                    self._report("the program does not read what is typed")
                    await asyncio.sleep(_RETRY)
                    continue
                if error.errnum == errno.EINTR:  # an interrupt has dropped it, as it should
                    return
                if error.errnum == errno.ETIMEDOUT:
                    # The engine has it and types it as soon as the program reads.
                    self._report("the program does not read what is typed")
                    return
                self._waiting.clear()
                self._report(f"input failed: {error}")
                return
            self._report(None)
            return

    def _report(self, trouble: str | None) -> None:
        if trouble is not None or self._broken:
            self._broken = trouble is not None
            self.failed(trouble)

    def close(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        for task in (self._sender, self._resizer, *self._urgent):
            if task is not None:
                task.cancel()


def _encoded(data: bytes) -> dict[str, str]:
    return {"data": base64.b64encode(data).decode(), "encoding": "base64"}
