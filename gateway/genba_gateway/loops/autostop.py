"""Stops workspaces whose deadline has passed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from genba_gateway.loops.due_workspaces import INTERVAL_S, DueWorkspaces
from genba_gateway.services.deadlines import Deadlines


class Autostop(DueWorkspaces):
    """Looks for overdue workspaces again and again."""

    def __init__(
        self,
        deadlines: Deadlines,
        *,
        interval_s: float = INTERVAL_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(
            deadlines.list_overdue,
            deadlines.stop_overdue,
            unread="overdue workspaces can't be read; they are looked for again in %s s",
            stuck="workspace %s is overdue and can't be stopped",
            interval_s=interval_s,
            pause=pause,
        )
