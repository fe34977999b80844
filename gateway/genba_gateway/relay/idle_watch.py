"""When a connection that nobody uses is closed (docs/decisions/0008-taking-hypercorns-transport.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.typing import TaskGroup


class IdleWatch:
    """Hypercorn's idle task as one task for a connection's life: its own is two tasks for each request.

    Args:
        keep_alive_s: how long a connection may be idle.
        close: closes it.
    """

    def __init__(self, context: WorkerContext, keep_alive_s: float, close: Callable[[], Awaitable[None]]) -> None:
        self._context = context
        self._close = close
        self._keep_alive_s = keep_alive_s
        self._idle_since: float | None = None
        self._task: asyncio.Task[None] | None = None

    def mark_busy(self) -> None:
        """A request has begun."""
        self._idle_since = None

    def mark_idle(self) -> None:
        """A request has ended."""
        self._idle_since = asyncio.get_running_loop().time()

    async def restart(self, _task_group: TaskGroup, _action: Callable[[], Awaitable[None]]) -> None:
        """Begin to watch; Hypercorn calls it so. A task of its group would outlive the connection's reader."""
        self.mark_idle()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._watch(), name="watch an idle connection")

    async def stop(self) -> None:
        """Watch no more."""
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        now = asyncio.get_running_loop().time
        is_over = False
        while not is_over:
            left_s = self._keep_alive_s - (now() - self._idle_since if self._idle_since is not None else 0)
            if left_s <= 0:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._context.terminated.wait()
                    is_over = True
        if self._idle_since is not None:
            # A request that is under way at the server's end closes its connection itself.
            await asyncio.shield(self._close())
