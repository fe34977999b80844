"""Removes what is kept for a time only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from genba_gateway.services.retention import Retention

log = logging.getLogger(__name__)

INTERVAL_S: Final = 3600.0
"""Often enough that there is little to remove each time."""


class Pruning:
    """Removes what is too old, from the start on: a gateway may not live for an hour."""

    def __init__(
        self,
        retention: Retention,
        *,
        interval_s: float = INTERVAL_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._retention = retention
        self._interval_s = interval_s
        self._pause = pause
        self.failed_steps = 0

    async def run(self) -> None:
        """Remove until cancelled."""
        while True:
            await self.step()
            await self._pause(self._interval_s)

    async def step(self) -> None:
        """Remove once; a failure is logged."""
        try:
            removed = await self._retention.prune()
        except Exception:  # a database that is full or held by another process: the gateway goes on serving
            self.failed_steps += 1
            log.exception("old accounts of usage can't be removed; it is tried again in %s s", self._interval_s)
            return
        if removed:
            log.info("%s old rows of usage were removed", removed)
