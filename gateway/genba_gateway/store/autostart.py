"""Queries on when workspaces start by themselves."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.store import tables

_workspaces = tables.workspaces


async def list_workspaces_to_start(connection: AsyncConnection, now: datetime) -> list[str]:
    """Ids of workspaces whose time to start has come, whatever they do, the longest ago first."""
    query = (
        sa.select(_workspaces.c.id)
        .where(_workspaces.c.next_start_at <= now, _workspaces.c.deleted.is_(False))
        .order_by(_workspaces.c.next_start_at, _workspaces.c.id)
    )
    return list((await connection.execute(query)).scalars().all())


async def move_next_start(
    connection: AsyncConnection, workspace_id: str, schedule: str, next_start_at: datetime
) -> None:
    """Write down the next start, unless the schedule was changed meanwhile."""
    await connection.execute(
        _workspaces.update()
        .where(_workspaces.c.id == workspace_id, _workspaces.c.autostart_schedule == schedule)
        .values(next_start_at=next_start_at)
    )
