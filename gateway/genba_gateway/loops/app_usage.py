"""Writes the accounts of the usage of apps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from genba_gateway.services.app_usage import AppUsage

log = logging.getLogger(__name__)

INTERVAL_S: Final = 30.0
"""Contract 3.5."""


class AppUsageWriting:
    """Writes what was counted again and again; a gateway that ends writes the rest itself."""

    def __init__(
        self,
        usage: AppUsage,
        *,
        interval_s: float = INTERVAL_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._usage = usage
        self._interval_s = interval_s
        self._pause = pause
        self.failed_steps = 0

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._pause(self._interval_s)
            await self.step()

    async def step(self) -> None:
        """Write once; a failure is logged, and what was counted is kept."""
        try:
            await self._usage.flush()
        except Exception:  # a database that is full or held by another process: the gateway goes on serving
            self.failed_steps += 1
            log.exception("the usage of apps can't be written; it is tried again in %s s", self._interval_s)
