"""Hypercorn's context for one connection (docs/decisions/0008-taking-hypercorns-transport.md)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hypercorn.asyncio.worker_context import WorkerContext


class ConnectionContext(WorkerContext):
    """Hypercorn's context, for one connection: what sleeps in it wakes when the connection is over.

    Otherwise the task that sends a websocket's pings, and with it the server's shutdown, would sleep on.
    """

    def __init__(self, shared: WorkerContext) -> None:
        super().__init__(shared.max_requests)
        self.terminate = shared.terminate
        self.terminated = shared.terminated
        self._is_over = asyncio.Event()

    def end(self) -> None:
        """The connection is over."""
        self._is_over.set()

    async def sleep(self, wait: float) -> None:  # type: ignore[override]  # static there, and called on an instance
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._is_over.wait()
