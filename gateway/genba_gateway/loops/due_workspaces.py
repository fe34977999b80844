"""Builds of workspaces that are due: the loop that starts by schedule and stops by deadline have in common."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

INTERVAL_S: Final = 60.0
"""How late a workspace may start or stop (contract 4.3)."""


class DueWorkspaces:
    """Looks for workspaces that are due; what time it is, those know whom it asks.

    Args:
        list_due: their ids.
        build: queues the build of one; how many it queued, as it may not be due any more.
        unread: what is logged when they can't be listed; `%s` is the interval.
        stuck: what is logged when one can't be built; `%s` is its id.
    """

    def __init__(
        self,
        list_due: Callable[[], Awaitable[list[str]]],
        build: Callable[[str], Awaitable[int]],
        *,
        unread: str,
        stuck: str,
        interval_s: float = INTERVAL_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._list_due = list_due
        self._build = build
        self._unread = unread
        self._stuck = stuck
        self._interval_s = interval_s
        self._pause = pause
        self.failed_steps = 0

    async def run(self) -> None:
        """Build what is due until cancelled."""
        while True:
            try:
                await self.step()
            except Exception:  # a database that is full or held by another process: the gateway goes on serving
                self.failed_steps += 1
                log.exception(self._unread, self._interval_s)
            await self._pause(self._interval_s)

    async def step(self) -> int:
        """Queue a build for each workspace that is due; how many were queued."""
        queued = 0
        for workspace_id in await self._list_due():
            try:
                queued += await self._build(workspace_id)
            except Exception:  # one workspace that can't be built must not hold up the others
                self.failed_steps += 1
                log.exception(self._stuck, workspace_id)
        return queued
