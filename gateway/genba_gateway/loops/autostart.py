"""Starts workspaces whose schedule says so."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from genba_gateway.services.autostart import Autostarts

log = logging.getLogger(__name__)

INTERVAL_S: Final = 60.0
"""How late a workspace may start (contract 4.3)."""


class Autostart:
    """Looks again and again for workspaces that shall start; what time it is, `autostarts` knows."""

    def __init__(
        self,
        autostarts: Autostarts,
        *,
        interval_s: float = INTERVAL_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._autostarts = autostarts
        self._interval_s = interval_s
        self._pause = pause
        self.failed_steps = 0

    async def run(self) -> None:
        """Start what is due until cancelled."""
        while True:
            try:
                await self.step()
            except Exception:  # a database that is full or held by another process: the gateway goes on serving
                self.failed_steps += 1
                log.exception("schedules can't be read; they are looked at again in %s s", self._interval_s)
            await self._pause(self._interval_s)

    async def step(self) -> int:
        """Queue a start for each workspace that is due; how many were queued."""
        queued = 0
        for workspace_id in await self._autostarts.list_due():
            try:
                queued += await self._autostarts.start_due(workspace_id)
            except Exception:  # one workspace that can't be started must not keep the others stopped
                self.failed_steps += 1
                log.exception("workspace %s shall start by its schedule and can't", workspace_id)
        return queued
