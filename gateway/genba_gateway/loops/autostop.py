"""Stops workspaces whose deadline has passed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from genba_gateway.services.deadlines import Deadlines

log = logging.getLogger(__name__)

INTERVAL_S: Final = 60.0
"""How late a workspace may stop (contract 4.3)."""


class Autostop:
    """Looks for overdue workspaces again and again; what time it is, `deadlines` knows."""

    def __init__(
        self,
        deadlines: Deadlines,
        *,
        interval_s: float = INTERVAL_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._deadlines = deadlines
        self._interval_s = interval_s
        self._pause = pause
        self.failed_steps = 0

    async def run(self) -> None:
        """Stop what is overdue until cancelled."""
        while True:
            try:
                await self.step()
            except Exception:  # a database that is full or held by another process: the gateway goes on serving
                self.failed_steps += 1
                log.exception("overdue workspaces can't be read; they are looked for again in %s s", self._interval_s)
            await self._pause(self._interval_s)

    async def step(self) -> int:
        """Queue a stop for each overdue workspace; how many were queued."""
        queued = 0
        for workspace_id in await self._deadlines.list_overdue():
            try:
                queued += await self._deadlines.stop_overdue(workspace_id)
            except Exception:  # one workspace that can't be stopped must not keep the others running
                self.failed_steps += 1
                log.exception("workspace %s is overdue and can't be stopped", workspace_id)
        return queued
