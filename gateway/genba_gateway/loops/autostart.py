"""Starts workspaces whose schedule says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from genba_gateway.loops.due_workspaces import INTERVAL_S, DueWorkspaces
from genba_gateway.services.autostart import Autostarts


class Autostart(DueWorkspaces):
    """Looks again and again for workspaces that shall start."""

    def __init__(
        self,
        autostarts: Autostarts,
        *,
        interval_s: float = INTERVAL_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(
            autostarts.list_due,
            autostarts.start_due,
            unread="schedules can't be read; they are looked at again in %s s",
            stuck="workspace %s shall start by its schedule and can't",
            interval_s=interval_s,
            pause=pause,
        )
